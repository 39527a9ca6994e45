"""The memory bank: what good patches look like, and how far a patch is from the nearest one.

Three steps, each for fewer patches than the one before: `find` gives every place of a grid a near good patch and so an upper
bound of its distance; `tighten` looks again where it may matter; `verify` measures exactly. The exact value does not depend
on what was found before, nor on how patches were batched.

Good patches that were taught on the device (`edge.inspect.taught`) follow those of the matrix in number. A distance that was
verified is that to the nearest of all.
"""

import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge.inspect.finder import Finder, Rows
from edge.inspect.pairs import nearest_of
from edge.inspect.sketch import UNIT_ROUNDOFF, Sketch, squares, widened
from edge.inspect.taught import Taught
from edge.types import Doubles, Floats, PatchGrid

_CROWD = 16
"""More than one good patch in so many on a patch's shortlist: measuring them costs more than asking all numbers."""


@dataclass(slots=True)
class Found:
    """What is known of a grid's places so far; `tighten` and `verify` improve it in place.

    patches: P×d, sketches: P×k float32; distances: P float64, to the good patch of that row, never below the distance to the
    nearest one.
    """

    patches: Floats
    sketches: Floats
    distances: Doubles
    rows: Rows


class Bank:
    """n good patches of d numbers each. Not thread-safe: a buffer is reused from picture to picture.

    Args:
        matrix: n×d float32.
        sketch: of d numbers.
        sketches: n×k float32, the sketch of every row.
        finder: over those sketches.

    Attributes:
        taught: good patches beside them; row n + i is its i-th.
    """

    taught: Taught | None = None

    def __init__(self, matrix: Floats, sketch: Sketch, sketches: Floats, finder: Finder) -> None:
        self.matrix = matrix
        self._sketch, self._sketches, self._finder = sketch, sketches, finder
        self._near = np.empty((0, matrix.shape[1]), np.float32)

    def with_taught(self, taught: Taught | None) -> "Bank":
        """The same bank for another thread, beside other patches that were taught; what is only read is shared."""
        other = copy.copy(self)
        other.__dict__ |= {"taught": taught, "_near": np.empty((0, self.matrix.shape[1]), np.float32)}
        return other

    def find(self, grid: PatchGrid) -> Found:
        """A near good patch for every place."""
        patches = grid.patches
        sketches = self._sketch(patches)
        rows = self._finder.near(sketches, grid.rows, grid.cols)
        if len(self._near) != len(patches):
            self._near = np.empty_like(patches)
        np.take(self.matrix, rows, axis=0, out=self._near, mode="clip")  # the default mode buffers; rows are in range
        np.subtract(patches, self._near, out=self._near)
        return Found(patches, sketches, widened(squares(self._near), patches.shape[1]), rows)

    def tighten(self, found: Found, places: Rows) -> None:
        """Look for nearer good patches at some places."""
        rows = self._finder.nearer(found.sketches[places])
        if rows is not None:
            distances = widened(squares(found.patches[places] - self.matrix[rows]), self.matrix.shape[1])
            _take_better(found, places, distances, rows)
        self._look_among_taught(found, places)

    def verify(self, found: Found, places: Rows) -> None:
        """Measure exactly at some places.

        Only good patches whose sketch is no further than a patch already found can be the nearest, and only these are
        measured. Where they are many, as for a patch far from everything, all d numbers take the place of the sketch.
        """
        patches = found.patches[places]
        left, good = self._short.within(found.sketches[places], patches, found.distances[places], self.matrix)
        crowded = np.bincount(left, minlength=len(places)) * _CROWD > len(self.matrix)
        if crowded.any():
            again = np.flatnonzero(crowded)
            few = ~crowded[left]
            more, more_good = self._whole.within(patches[again], patches[again], found.distances[places[again]], self.matrix)
            left, good = np.concatenate([left[few], again[more]]), np.concatenate([good[few], more_good])
        found.distances[places], found.rows[places] = nearest_of(patches, self.matrix, left, good)
        self._look_among_taught(found, places)

    def _look_among_taught(self, found: Found, places: Rows) -> None:
        if self.taught is not None:
            distances, rows = self.taught.nearest(found.patches[places], places)
            _take_better(found, places, distances, len(self.matrix) + rows)

    @cached_property
    def _short(self) -> "Shortlist":
        return Shortlist(self._sketches, self._sketch.rounding, self._longest)

    @cached_property
    def _whole(self) -> "Shortlist":
        d = self.matrix.shape[1]
        return Shortlist(self.matrix, (2 * d + 8) * UNIT_ROUNDOFF, self._longest)

    @cached_property
    def _longest(self) -> float:
        return float(np.sqrt(squares(self.matrix).max()))


class Shortlist:
    """Which good patches can be nearest, by numbers that bound distances from below.

    Args:
        numbers: n×k float32, of the good patches.
        rounding: how far a squared distance of such numbers may exceed that of the patches, relative to (‖a‖ + ‖b‖)².
        longest: the largest norm of a good patch.
    """

    def __init__(self, numbers: Floats, rounding: float, longest: float) -> None:
        self._turned = np.ascontiguousarray(-2 * numbers.T)
        self._squares = squares(numbers)
        self._rounding, self._longest = rounding, longest

    def within(self, numbers: Floats, patches: Floats, distances: Doubles, matrix: Floats) -> tuple[Rows, Rows]:
        """For Q patches, with their Q×k numbers and upper bounds of their distances: pairs of patch and good patch.

        The nearest good patch is always among them.
        """
        # |a - b|² less |a|², which is the same for every b
        lower = numbers @ self._turned
        lower += self._squares
        likely = matrix[lower.argmin(axis=1)]
        bound = np.minimum(widened(squares(patches - likely), patches.shape[1]), distances)
        slack = self._rounding * np.square(np.sqrt(squares(patches)).astype(np.float64) + self._longest)
        limit = np.square(bound) - squares(numbers) + slack
        return np.divmod(np.flatnonzero(lower <= limit.astype(np.float32)[:, None]), len(matrix))


def _take_better(found: Found, places: Rows, distances: Doubles, rows: Rows) -> None:
    better = distances < found.distances[places]
    found.distances[places[better]], found.rows[places[better]] = distances[better], rows[better]
