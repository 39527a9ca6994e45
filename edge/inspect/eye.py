"""From a picture to its patches: look (region, alignment, tiles), encode each tile, join their grids, scale."""

from dataclasses import replace

import numpy as np

from edge.inspect.encoder import Encoder
from edge.inspect.mosaic import Mosaic
from edge.inspect.refine import Grey, NotAligned
from edge.inspect.view import View
from edge.inspect.view_card import ViewCard
from edge.types import Floats, PatchGrid, Pixels


class Eye:
    """An encoder and what it sees of a picture. Not thread-safe: the patches are valid until the next picture.

    Args:
        encoder: for one tile.
        card: region of interest, alignment and tiles.
        reference: H×W uint8, where the card has an alignment.
        scale: d float32, by which the numbers of every patch are multiplied; None for 1.

    Attributes:
        rows, cols: of the grid of a whole picture.

    Raises:
        BadConfig: the tiles do not suit the encoder, or the reference has nothing to align by.
    """

    def __init__(self, encoder: Encoder, card: ViewCard, reference: Grey | None = None, scale: Floats | None = None) -> None:
        size = encoder.card.input
        self.encoder, self.card, self._reference, self._scale = encoder, card, reference, scale
        self._view = View(card, size.height, size.width, reference)
        self._mosaic = Mosaic(card.tiles, size, encoder.card.grid)
        self.rows, self.cols = self._mosaic.rows, self._mosaic.cols

    def twin(self) -> "Eye":
        """The same eye for another thread."""
        return Eye(self.encoder.twin(), self.card, self._reference, self._scale)

    def __call__(self, pixels: Pixels) -> PatchGrid | NotAligned:
        """H×W×3 uint8 BGR to the patches of what is to be judged."""
        one_tile = self.card.tiles.rows == self.card.tiles.cols == 1
        seen = self._view.look(pixels, self.encoder.buffer if one_tile else None)
        if isinstance(seen, NotAligned):
            return seen
        tiles = [self.encoder.encode()] if one_tile else (self.encoder(tile) for tile in self._view.tiles(seen.canvas))
        grid = self._mosaic.join(tiles)
        if self._scale is not None:
            # In place: the patches are this picture's alone.
            np.multiply(grid.patches, self._scale, out=grid.patches)
        return replace(grid, to_picture=seen.from_places(self.rows, self.cols))
