"""What the encoder sees of a picture: the region of interest, where the part is, in as many tiles as it takes."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from edge.inspect.align import Aligner, open_aligner
from edge.inspect.encoder import fit_size
from edge.inspect.geometry import for_opencv, scaling, translation
from edge.inspect.refine import Grey, NotAligned
from edge.inspect.view_card import RoiCard, ViewCard
from edge.types import Doubles, Pixels


@dataclass(frozen=True, slots=True)
class Seen:
    """What is judged of a picture.

    canvas: Hc×Wc×3 uint8 BGR, valid until the next look; to_picture: 3×3 float64, from points of the canvas to points of
    the picture (see `edge.inspect.geometry`).
    """

    canvas: Pixels
    to_picture: Doubles

    def from_places(self, rows: int, cols: int) -> Doubles:
        """3×3 float64: from places of a rows×cols map over the canvas to points of the picture."""
        height, width = self.canvas.shape[:2]
        return np.asarray(self.to_picture @ scaling(width / cols, height / rows))


class View:
    """One way to look at pictures. Not thread-safe: buffers are reused from part to part.

    Args:
        card: region of interest, alignment and tiles.
        input_height: of the encoder's input, in pixels.
        input_width: of the encoder's input, in pixels.
        reference: H×W uint8, as large as the pictures, where the card has an alignment; None where it has none.

    Raises:
        BadConfig: the reference has nothing to align by inside the region of interest.
        ValueError: there is a reference without alignment, the other way round, or it has another size than the pictures.
    """

    def __init__(self, card: ViewCard, input_height: int, input_width: int, reference: Grey | None = None) -> None:
        self.card = card
        self.height, self.width = card.tiles.canvas_size(input_height, input_width)
        self._input = input_height, input_width
        self._canvas = np.empty((self.height, self.width, 3), np.uint8)
        self._box = card.box()
        self._align: Aligner | None = None
        if (card.alignment is None) != (reference is None):
            raise ValueError("a view needs a reference exactly where its card has an alignment")
        if card.alignment and reference is not None and card.picture and self._box:
            if reference.shape != (card.picture.height, card.picture.width):
                raise ValueError(f"the reference is {reference.shape}, the pictures {card.picture}")
            self._align = open_aligner(card.alignment, reference, self._box)
            self._straight = np.empty((self._box.height, self._box.width, 3), np.uint8)

    def look(self, pixels: Pixels, out: Pixels | None = None) -> Seen | NotAligned:
        """Fill the canvas from a picture, H×W×3 uint8 BGR.

        `out`, Hc×Wc×3 uint8, takes the place of the view's own canvas: for a single tile, the encoder's input. Without it,
        a region that has the canvas's size already is not copied.
        """
        size, found = self.card.picture, pixels.shape
        if size and found[:2] != (size.height, size.width):
            return NotAligned(f"the picture is {found[1]}×{found[0]} pixels, the view is of {size.width}×{size.height}")
        box = self._box or RoiCard(x=0, y=0, width=found[1], height=found[0])
        to_box = translation(box.x, box.y) @ scaling(box.width / self.width, box.height / self.height)
        if self._align is None:
            region = pixels[box.y : box.y + box.height, box.x : box.x + box.width]
            return Seen(self._fit(region, out), to_box)
        alignment = self._align(pixels)
        if isinstance(alignment, NotAligned):
            return alignment
        to_picture = np.asarray(alignment.to_picture @ to_box)
        if box.width >= self.width and box.height >= self.height:
            # Straight at full size first, since only INTER_AREA shrinks without artefacts.
            straight = _warp(pixels, np.asarray(alignment.to_picture @ translation(box.x, box.y)), self._straight)
            return Seen(self._fit(straight, out), to_picture)
        return Seen(_warp(pixels, to_picture, self._canvas if out is None else out), to_picture)

    def tiles(self, canvas: Pixels) -> Iterator[Pixels]:
        """The canvas in parts of the encoder's input size, row by row; no copies."""
        height, width = self._input
        tiles = self.card.tiles
        for top in (row * (height - tiles.overlap) for row in range(tiles.rows)):
            for left in (col * (width - tiles.overlap) for col in range(tiles.cols)):
                yield canvas[top : top + height, left : left + width]

    def _fit(self, region: Pixels, out: Pixels | None) -> Pixels:
        has_size = region.shape[:2] == (self.height, self.width)
        return fit_size(region, self.height, self.width, self._canvas if out is None and not has_size else out)


def _warp(pixels: Pixels, to_picture: Doubles, out: Pixels) -> Pixels:
    """Fill `out`: at each point the pixel to which `to_picture` leads; beyond the picture its rim goes on."""
    size, how = (out.shape[1], out.shape[0]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    matrix = for_opencv(to_picture)
    if matrix[2, 0] == matrix[2, 1] == 0:
        cv2.warpAffine(pixels, matrix[:2], size, out, how, cv2.BORDER_REPLICATE)
    else:
        cv2.warpPerspective(pixels, matrix, size, out, how, cv2.BORDER_REPLICATE)
    return out
