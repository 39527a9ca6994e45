"""Reads good pictures, encodes them, and remembers how they looked."""

from dataclasses import dataclass, field, replace

import numpy as np

from calibration.goods import Good
from edge.capture.fitness import Look, look_at
from edge.capture.pictures import read_picture
from edge.errors import BadEncoder, BadPicture
from edge.inspect.eye import Eye
from edge.inspect.refine import NotAligned
from edge.types import PatchGrid, Pixels, Reason


@dataclass(frozen=True, slots=True)
class Reader:
    """One eye for all goods. looks: of every picture that was read."""

    eye: Eye
    looks: list[Look] = field(default_factory=list)

    def __call__(self, good: Good) -> tuple[PatchGrid, Pixels]:
        """The patches of a picture, valid until the next one, and its pixels.

        Raises:
            BadPicture: it cannot be read or aligned.
            BadEncoder: the patches are not finite.
        """
        pixels = read_picture(good.path)
        self.looks.append(look_at(pixels))
        return self.encode(pixels, good), pixels

    def kept(self, good: Good) -> tuple[PatchGrid, Pixels]:
        """The same, to keep."""
        grid, pixels = self(good)
        return kept(grid), pixels

    def encode(self, pixels: Pixels, good: Good) -> PatchGrid:
        """The patches of pixels that come from a good picture."""
        grid = self.eye(pixels)
        if isinstance(grid, NotAligned):
            raise BadPicture(f"{good.path}: {grid.detail}; remove it.", Reason.NOT_ALIGNED)
        if not np.isfinite(grid.patches).all():
            name = self.eye.encoder.card.name
            raise BadEncoder(f"encoder {name}: gives NaN or infinity for {good.path}; export it again.")
        return grid


def kept(grid: PatchGrid) -> PatchGrid:
    """A copy that outlives the next picture."""
    return replace(grid, patches=grid.patches.copy())
