"""Good patches that were taught on the device, each of them good only near the place at which it was seen.

What a person accepts at one place of the part, a stain on its rim, is no excuse for the same look elsewhere. They are few,
so all of those near a place are measured, exactly; an index over them would have nothing to spare.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.inspect.finder import Rows
from edge.inspect.pairs import nearest_of
from edge.types import Doubles, Floats


@dataclass(frozen=True, slots=True)
class Taught:
    """T patches of accepted parts.

    patches: T×d float32; places: T, where each was seen, numbers of a grid of `cols` columns, row by row; reach: a patch
    counts at places that are at most so many rows and columns away.
    """

    patches: Floats
    places: Rows
    cols: int
    reach: int

    def nearest(self, patches: Floats, places: Rows) -> tuple[Doubles, Rows]:
        """For Q×d patches seen at Q places: distance to the nearest one that counts there, infinite if none, and its row."""
        return nearest_of(patches, self.patches, *np.nonzero(self._near(places)))

    def _near(self, places: Rows) -> NDArray[np.bool_]:
        """Q×T: which of them count at each place."""
        (rows, cols), (at_rows, at_cols) = np.divmod(places, self.cols), np.divmod(self.places, self.cols)
        down, across = np.abs(rows[:, None] - at_rows), np.abs(cols[:, None] - at_cols)
        return np.asarray(np.maximum(down, across) <= self.reach)
