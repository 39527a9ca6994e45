"""Greedy k-centre: the few good patches that stand for all (Gonzalez 1985; as PatchCore uses it, Roth et al. 2022).

The next centre is always the patch furthest from all centres so far. Computed naively that is one pass over all patches
for every centre. Here a pool of the furthest patches is enough for many centres at a time: distances only shrink, so as
long as the furthest patch of the pool is at least as far as the furthest one outside was at the last pass, it is the
furthest of all. The centres are the same but for ties within float32 rounding; the passes become a few dozen matrix
products.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.types import Floats

_POOL = 2048
_CHUNK = 8192
"""Rows per matrix product: 8,192 × a few hundred centres stay within some 10 MB."""


@dataclass(frozen=True, slots=True)
class Coreset:
    """The centres and what was learned on the way.

    picks: k indices of the chosen patches, in order of choice. radius: the largest distance of any patch to its centre.
    to_others: n float32, distance of every patch to the nearest centre that comes from another owner; infinite if there
    is none. It is what the patch would have measured had its own part not been in the bank.
    """

    picks: NDArray[np.intp]
    radius: float
    to_others: Floats


def k_centre(
    patches: Floats, owners: NDArray[np.int32], size: int, seed: int, progress: Callable[[int], None] = lambda _: None
) -> Coreset:
    """Choose `size` of n×d patches; `owners` says which part each patch comes from.

    The first centre is drawn with `seed`. Stops early when every patch coincides with a centre. `progress` is told how
    many centres there are.
    """
    rng = np.random.default_rng(seed)
    search = _Search(patches, owners)
    new = [int(rng.integers(len(patches)))]
    picks: list[int] = []
    while new:
        picks += new
        search.add(np.array(new))
        progress(len(picks))
        new = search.furthest(size - len(picks))
    radius = float(np.sqrt(search.to_centre.max()))
    return Coreset(np.array(picks), radius, np.sqrt(search.to_other_owner))


class _Search:
    """Squared distances of all patches to the centres chosen so far."""

    def __init__(self, patches: Floats, owners: NDArray[np.int32]) -> None:
        self._patches, self._owners = patches, owners
        self._squares: Floats = np.einsum("ij,ij->i", patches, patches)
        self.to_centre: Floats = np.full(len(patches), np.inf, np.float32)
        self.to_other_owner: Floats = np.full(len(patches), np.inf, np.float32)

    def add(self, new: NDArray[np.intp]) -> None:
        """Take in the distances to new centres, one pass over all patches."""
        centres, centre_squares, centre_owners = self._patches[new], self._squares[new], self._owners[new]
        for start in range(0, len(self._patches), _CHUNK):
            rows = slice(start, start + _CHUNK)
            squared = self._patches[rows] @ centres.T
            squared *= -2
            squared += centre_squares
            squared += self._squares[rows, None]
            np.maximum(squared, 0, out=squared)  # rounding may pass below zero
            np.minimum(self.to_centre[rows], squared.min(axis=1), out=self.to_centre[rows])
            squared[self._owners[rows, None] == centre_owners] = np.inf
            np.minimum(self.to_other_owner[rows], squared.min(axis=1), out=self.to_other_owner[rows])
        self.to_centre[new] = 0

    def furthest(self, most: int) -> list[int]:
        """The next centres, at most `most`, exactly as one-by-one greedy choice would take them."""
        if most <= 0:
            return []
        cut = max(0, len(self._patches) - _POOL)
        order = np.argpartition(self.to_centre, cut)
        pool, outside = order[cut:], order[:cut]
        bound = self.to_centre[outside].max() if cut else -np.inf
        patches, squares, left = self._patches[pool], self._squares[pool], self.to_centre[pool].copy()
        chosen: list[int] = []
        while len(chosen) < most:
            at = int(left.argmax())
            if left[at] <= 0 or (chosen and left[at] < bound):
                break
            chosen.append(int(pool[at]))
            np.minimum(left, squares - 2 * (patches @ patches[at]) + squares[at], out=left)
            left[at] = 0
        return chosen
