"""Patch grids of tiles become one grid without seams.

A tile's rim is what it sees worst, since the encoder pads its surroundings with zeros. In an overlap each place is taken
from the tile in which it lies deeper, so each of the two tiles gives its half.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from edge.errors import BadConfig
from edge.inspect.card import GridCard, InputCard
from edge.inspect.view_card import TilesCard
from edge.types import PatchGrid


@dataclass(frozen=True, slots=True)
class _Strip:
    """Along one axis, in patches: what a tile gives, and where that goes."""

    source: slice
    target: slice


class Mosaic:
    """Joins tiles that all have the encoder's grid. Not thread-safe: the joined patches are written over by the next part.

    Attributes:
        rows, cols: of the joined grid.

    Raises:
        BadConfig: the overlap cannot be halved into whole patches, or is more than half of a tile.
    """

    def __init__(self, tiles: TilesCard, size: InputCard, grid: GridCard) -> None:
        self._grid = grid
        down = _strips(tiles.rows, size.height, grid.rows, tiles.overlap)
        across = _strips(tiles.cols, size.width, grid.cols, tiles.overlap)
        self.rows, self.cols = down[-1].target.stop, across[-1].target.stop
        self._places = list(product(down, across))
        self._patches = np.empty((self.rows * self.cols, grid.patch_dim), np.float32)

    def join(self, tiles: Iterable[PatchGrid]) -> PatchGrid:
        """One grid out of all tiles in row order; a single tile is returned as it is.

        The embedding is the mean over the tiles. The patches are valid until the next call.

        Raises:
            ValueError: there are fewer or more tiles than the mosaic has.
        """
        if len(self._places) == 1:
            (only,) = tiles
            return only
        joined = self._patches.reshape(self.rows, self.cols, -1)
        embeddings = []
        for (down, across), tile in zip(self._places, tiles, strict=True):
            patches = tile.patches.reshape(self._grid.rows, self._grid.cols, -1)
            joined[down.target, across.target] = patches[down.source, across.source]
            embeddings.append(tile.embedding)
        return PatchGrid(self._patches, self.rows, self.cols, np.mean(embeddings, axis=0, dtype=np.float32))


def _strips(tiles: int, pixels: int, patches: int, overlap: int) -> list[_Strip]:
    if tiles == 1:
        return [_Strip(slice(0, patches), slice(0, patches))]
    if pixels % patches:
        raise BadConfig(f"tiles: the encoder has {patches} patches on {pixels} pixels, which tiles cannot share; use one.")
    pair, most = 2 * (pixels // patches), pixels // 2
    if overlap % pair or overlap > most:
        raise BadConfig(
            f"tiles.overlap: {overlap} must be a multiple of {pair}, two patches of this encoder, and at most {most}; "
            f"use {min(max(round(overlap / pair), 1) * pair, most // pair * pair)}."
        )
    half, step = overlap // pair, patches - 2 * (overlap // pair)
    strips = []
    for tile in range(tiles):
        first, last = half if tile > 0 else 0, patches - (half if tile < tiles - 1 else 0)
        strips.append(_Strip(slice(first, last), slice(tile * step + first, tile * step + last)))
    return strips
