"""Near good patches, quickly: candidates for the nearest one, not yet proof.

`HnswFinder` asks an hnswlib index (Malkov & Yashunin 2018) for every stride-th place of the grid and lets the places between
choose among their neighbours' answers; `ScanFinder` compares everything with everything, which is faster for small banks.
"""

from functools import lru_cache
from typing import Protocol

import hnswlib
import numpy as np
from numpy.typing import NDArray

from edge.errors import BadRecipe
from edge.inspect.sketch import squares
from edge.types import Floats

Rows = NDArray[np.intp]
"""Row numbers of the bank."""

_SCAN_BYTES = 4 * 1024 * 1024
"""A block of float32 products; larger ones fall out of the cache."""


class Finder(Protocol):
    """Finds good patches near given ones, by their sketches."""

    def near(self, sketches: Floats, rows: int, cols: int) -> Rows:
        """For the (rows·cols)×k sketches of a whole grid: a near good patch for each place."""

    def nearer(self, sketches: Floats) -> Rows | None:
        """For Q×k sketches: Q good patches, found with more care; None if `near` cannot be bettered."""


class ScanFinder:
    """The good patch with the nearest sketch, always."""

    def __init__(self, sketches: Floats) -> None:
        self._turned = np.ascontiguousarray(-2 * sketches.T)
        self._squares = squares(sketches)

    def near(self, sketches: Floats, rows: int, cols: int) -> Rows:  # noqa: ARG002 - a scan needs no grid
        """Nearest by sketch."""
        block = max(1, _SCAN_BYTES // (4 * len(self._squares)))
        found = np.empty(len(sketches), np.intp)
        for start in range(0, len(sketches), block):
            product = sketches[start : start + block] @ self._turned
            product += self._squares
            product.argmin(axis=1, out=found[start : start + block])
        return found

    def nearer(self, sketches: Floats) -> None:
        """Nothing is nearer by sketch."""


class HnswFinder:
    """Approximate nearest by sketch.

    Args:
        sketches: n×k float32.
        index: over the rows of `sketches`, in their order, with the squared Euclidean distance.
        ef: how many candidates a search keeps.
        stride: every stride-th row and column of a grid is asked for.

    Raises:
        BadRecipe: the index does not hold as many vectors of this length.
    """

    def __init__(self, sketches: Floats, index: hnswlib.Index, ef: int, stride: int) -> None:
        if (index.get_current_count(), index.dim) != sketches.shape:
            raise BadRecipe(
                f"the index holds {index.get_current_count()}×{index.dim} and the bank {sketches.shape[0]}×"
                f"{sketches.shape[1]}; build the recipe again."
            )
        self._sketches, self._squares = sketches, squares(sketches)
        self._index, self._stride = index, stride
        self._index.set_num_threads(1)
        self._index.set_ef(ef)

    def near(self, sketches: Floats, rows: int, cols: int) -> Rows:
        """Asked for at every stride-th place; the others take the nearest of the four answers around them."""
        if self._stride == 1:
            return self.nearer(sketches)
        asked, around = _coarse(rows, cols, self._stride)
        candidates = self.nearer(sketches[asked])[around]
        apart = np.einsum("pcd,pd->pc", self._sketches[candidates], sketches)
        apart *= -2
        apart += self._squares[candidates]
        return np.asarray(candidates[np.arange(len(candidates)), apart.argmin(axis=1)])

    def nearer(self, sketches: Floats) -> Rows:
        """Each one asked for."""
        return np.asarray(self._index.knn_query(sketches, k=1, num_threads=1)[0][:, 0].astype(np.intp))


@lru_cache(maxsize=8)
def _coarse(rows: int, cols: int, stride: int) -> tuple[Rows, Rows]:
    """The places to ask for, and for each place of the grid the four of those around it, by their number."""
    down, up, low = _axis(rows, stride)
    across, left, right = _axis(cols, stride)
    asked = (down[:, None] * cols + across).ravel()
    around = [(one[:, None] * len(across) + two).ravel() for one in (up, low) for two in (left, right)]
    return asked, np.stack(around, axis=1)


def _axis(places: int, stride: int) -> tuple[Rows, Rows, Rows]:
    """Every stride-th place, and for each place the numbers of the ones before and after it."""
    asked = np.arange(min(stride // 2, places - 1), places, stride)
    before = np.clip(np.searchsorted(asked, np.arange(places), side="right") - 1, 0, None)
    return asked, before, np.clip(before + 1, None, len(asked) - 1)
