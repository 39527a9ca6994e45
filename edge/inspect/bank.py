"""The memory bank: what good patches look like, and how far a patch is from the nearest one.

`HnswBank` answers fast with a distance that is never too small; `BruteForceBank` answers exactly. Both measure a distance
exactly in the same way, so that a score does not depend on which of them was asked, nor on how patches were batched.
"""

from functools import cached_property
from typing import Protocol

import hnswlib
import numpy as np

from edge.errors import BadRecipe
from edge.types import Doubles, Floats

UNIT_ROUNDOFF = 2.0**-24
"""Of float32. A sum of n products is off by at most n·u relative to its terms (Higham, Accuracy and Stability, ch. 3)."""

_BLOCK_BYTES = 8 * 1024 * 1024
"""A block of float32 squared distances; larger ones fall out of the cache."""


class Bank(Protocol):
    """n good patches of d numbers each."""

    @property
    def matrix(self) -> Floats:
        """n×d float32."""

    def nearest_at_most(self, patches: Floats) -> Doubles:
        """For P×d patches: P distances, none below the distance to the nearest good patch."""

    def nearest(self, patches: Floats) -> Doubles:
        """For P×d patches: P exact distances to the nearest good patch."""


class BruteForceBank:
    """Every patch against every good patch. The oracle, and the better choice for very small banks."""

    def __init__(self, matrix: Floats) -> None:
        self.matrix = matrix

    @cached_property
    def _squares(self) -> Floats:
        return np.asarray(np.einsum("ij,ij->i", self.matrix, self.matrix))

    def nearest_at_most(self, patches: Floats) -> Doubles:
        """Exact distances are upper bounds, too."""
        return self.nearest(patches)

    def nearest(self, patches: Floats) -> Doubles:
        """Exact: a float32 matrix product finds the candidates, float64 differences measure them.

        The product's rounding depends on how many patches are multiplied at once; the final value does not, because every
        good patch that the rounding could hide is measured again.
        """
        block = max(1, _BLOCK_BYTES // (4 * len(self.matrix)))
        parts = [self._nearest_block(patches[start : start + block]) for start in range(0, len(patches), block)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _nearest_block(self, patches: Floats) -> Doubles:
        squares = np.einsum("ij,ij->i", patches, patches)
        product = patches @ self.matrix.T
        product *= -2
        product += self._squares
        product += squares[:, None]
        # |fl(a² - 2ab + b²) - |a-b|²| ≤ (d+3)·u·(|a|+|b|)²; twice, for the two sides of a comparison.
        gamma = (self.matrix.shape[1] + 3) * UNIT_ROUNDOFF
        slack = 2 * gamma * (np.sqrt(squares) + np.sqrt(self._squares.max())) ** 2
        rows, good = np.nonzero(product <= (product.min(axis=1) + slack)[:, None])
        difference = patches[rows].astype(np.float64) - self.matrix[good]
        exact = np.einsum("ij,ij->i", difference, difference)
        best = np.full(len(patches), np.inf)
        np.minimum.at(best, rows, exact)
        # NaN patches match nothing; they must not look near.
        best[np.isnan(squares)] = np.nan
        return np.asarray(np.sqrt(best))


class HnswBank(BruteForceBank):
    """An hnswlib index over the same rows as the matrix (Malkov & Yashunin 2018).

    Args:
        matrix: n×d float32.
        index: built from the rows of `matrix`, in their order, with the squared Euclidean distance.
        ef: how many candidates a search keeps; more is nearer to exact and slower.

    Raises:
        BadRecipe: the index does not hold exactly the rows of the matrix.
    """

    def __init__(self, matrix: Floats, index: hnswlib.Index, ef: int) -> None:
        super().__init__(matrix)
        if (index.get_current_count(), index.dim) != matrix.shape:
            raise BadRecipe(
                f"the index holds {index.get_current_count()}×{index.dim} and the matrix {matrix.shape[0]}×"
                f"{matrix.shape[1]}; build the recipe again."
            )
        self._index = index
        self._index.set_ef(ef)
        self._index.set_num_threads(1)

    def nearest_at_most(self, patches: Floats) -> Doubles:
        """One HNSW query per patch. The answer is the distance to some good patch, so never below the nearest."""
        _, squared = self._index.knn_query(patches, k=1, num_threads=1)
        # hnswlib sums in float32; widened by its rounding, the value stays an upper bound.
        widen = 1 + (self.matrix.shape[1] + 3) * UNIT_ROUNDOFF
        return np.asarray(np.sqrt(squared[:, 0].astype(np.float64) * widen))
