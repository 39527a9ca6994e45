"""Exact distances of some pairs of patches."""

import numpy as np
from numpy.typing import NDArray

from edge.inspect.finder import Rows
from edge.inspect.sketch import UNIT_ROUNDOFF, squares
from edge.types import Doubles, Floats


def nearest_of(patches: Floats, matrix: Floats, left: Rows, good: Rows) -> tuple[Doubles, Rows]:
    """Of pairs of patch and good patch, by their rows: each patch's lowest distance and the good patch that has it.

    Infinite where a patch is in no pair. float32 tells which pairs rounding could hide, and float64 measures these.
    """
    apart = squares(patches[left] - matrix[good])
    hidden = 1 + 4 * (patches.shape[1] + 3) * UNIT_ROUNDOFF
    close = apart <= (_lowest(apart, left, len(patches)) * hidden)[left]
    left, good = left[close], good[close]
    difference = patches[left].astype(np.float64) - matrix[good]
    exact = np.einsum("ij,ij->i", difference, difference)
    lowest = _lowest(exact, left, len(patches))
    nearest = np.zeros(len(patches), np.intp)
    is_it = exact == lowest[left]
    nearest[left[is_it]] = good[is_it]
    return np.sqrt(lowest), nearest


def _lowest(values: NDArray[np.floating], group: Rows, groups: int) -> NDArray[np.floating]:
    """The lowest value of each group, infinite where a group has none."""
    lowest = np.full(groups, np.inf, values.dtype)
    np.minimum.at(lowest, group, values)
    return lowest
