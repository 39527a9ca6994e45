"""Greedy k-centre: the few good patches that stand for all (Gonzalez 1985; as PatchCore uses it, Roth et al. 2022).

The next centre is always the patch furthest from all centres so far. Computed naively that is one pass over all patches
for every centre. Here a pool of the furthest patches is enough for many centres at a time: distances only shrink, so as
long as the furthest patch of the pool is at least as far as the furthest one outside was at the last pass, it is the
furthest of all. The centres are the same but for ties within float32 rounding; the passes become a few dozen matrix
products. Distances are those of the bank's sketches: a third of the work, and centres that cover as well (measured on real
cells: mean distance of a patch to its centre 14.01 instead of 14.09).

Patches arrive picture by picture into a buffer. When it is full, its centres stay and the rest makes room, so any number of
goods takes the same memory: ``BUFFER_BYTES + 4·centres·(d + k + 4)`` bytes and little more. Up to some 400 pictures with the
shipped encoder there is one choice among all patches; beyond, each choice is among the centres so far and a buffer of new
patches (merge and reduce).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.inspect.sketch import UNIT_ROUNDOFF, Sketch, squares
from edge.types import Floats

BUFFER_BYTES = 512 * 1024**2

_POOL = 2048
_CHUNK = 8192
"""Rows per matrix product: 8,192 × a few hundred centres stay within some 10 MB."""


@dataclass(frozen=True, slots=True)
class Coreset:
    """The centres.

    matrix: n×d float32; origin: n×2 int32, the number of the picture and of the place in it each centre comes from; patches:
    how many they stand for.
    """

    matrix: Floats
    origin: NDArray[np.int32]
    patches: int


class Gathering:
    """Takes good patches and keeps `size` centres of them.

    Args:
        size: how many centres; fewer if the patches are not so many or coincide.
        sketch: of patches, in which distances are measured.
        seed: draws the first centre.
        progress: told how many centres a choice has made.
        buffer_bytes: memory for patches.
    """

    def __init__(
        self,
        size: int,
        sketch: Sketch,
        seed: int,
        progress: Callable[[int], None] = lambda _: None,
        buffer_bytes: int = BUFFER_BYTES,
    ) -> None:
        self._size, self._sketch, self._progress = size, sketch, progress
        self._rng = np.random.default_rng(seed)
        d, k = sketch.axes.shape
        capacity = size + max(size, buffer_bytes // (4 * (d + k + 4)))
        self._patches = np.empty((capacity, d), np.float32)
        # [sketch, its square, 1] times [-2·centre, 1, its square] is the squared distance: one product, no passes to add.
        self._rows = np.empty((capacity, k + 2), np.float32)
        self._origin = np.empty((capacity, 2), np.int32)
        self._filled, self._seen = 0, 0

    def add(self, patches: Floats, picture: int, places: NDArray[np.intp]) -> None:
        """Take P×d patches of one picture, and the numbers of their places in it."""
        self._seen += len(patches)
        start = 0
        while start < len(patches):
            if self._filled == len(self._patches):
                self._reduce()
            count = min(len(patches) - start, len(self._patches) - self._filled)
            to, some = slice(self._filled, self._filled + count), slice(start, start + count)
            self._patches[to], self._rows[to, :-2] = patches[some], self._sketch(patches[some])
            self._origin[to, 0], self._origin[to, 1] = picture, places[some]
            start, self._filled = some.stop, to.stop

    def finish(self) -> Coreset:
        """The centres of all patches so far."""
        self._reduce()
        return Coreset(self._patches[: self._filled].copy(), self._origin[: self._filled].copy(), self._seen)

    def _reduce(self) -> None:
        picks = _choose(self._rows[: self._filled], self._size, int(self._rng.integers(self._filled)), self._progress)
        for kept in (self._patches, self._rows, self._origin):
            kept[: len(picks)] = kept[picks]
        self._filled = len(picks)


def _choose(rows: Floats, size: int, first: int, progress: Callable[[int], None]) -> NDArray[np.intp]:
    """Greedy k-centre among rows of a sketch and two free columns; the picks in their order."""
    search = _Search(rows)
    new = [first]
    picks: list[int] = []
    while new:
        picks += new
        search.add(np.array(new))
        progress(len(picks))
        new = search.furthest(size - len(picks))
    return np.array(picks)


class _Search:
    """Squared distances of all rows to the centres chosen so far."""

    def __init__(self, rows: Floats) -> None:
        sketches = rows[:, :-2]
        rows[:, -2], rows[:, -1] = squares(sketches), 1
        self._rows = rows
        self.to_centre: Floats = np.full(len(rows), np.inf, np.float32)
        # Closer than rounding can tell is the same patch.
        self._same = 4 * (sketches.shape[1] + 3) * UNIT_ROUNDOFF * float(rows[:, -2].max())

    def add(self, new: NDArray[np.intp]) -> None:
        """Take in the distances to new centres, one pass over all rows."""
        centres = _turned(self._rows[new])
        for start in range(0, len(self._rows), _CHUNK):
            rows = slice(start, start + _CHUNK)
            np.minimum(self.to_centre[rows], (self._rows[rows] @ centres).min(axis=1), out=self.to_centre[rows])
        self.to_centre[new] = 0

    def furthest(self, most: int) -> list[int]:
        """The next centres, at most `most`, exactly as one-by-one greedy choice would take them."""
        if most <= 0:
            return []
        cut = max(0, len(self._rows) - _POOL)
        order = np.argpartition(self.to_centre, cut)
        pool, outside = order[cut:], order[:cut]
        bound = self.to_centre[outside].max() if cut else -np.inf
        rows, left = self._rows[pool], self.to_centre[pool].copy()
        chosen: list[int] = []
        while len(chosen) < most:
            at = int(left.argmax())
            if left[at] <= self._same or (chosen and left[at] < bound):
                break
            chosen.append(int(pool[at]))
            np.minimum(left, rows @ _turned(rows[at]), out=left)
            left[at] = 0
        return chosen


def _turned(centres: Floats) -> Floats:
    """What rows are multiplied with to give squared distances to m centres: (k+2)×m."""
    turned = (-2 * centres).T
    turned[-2], turned[-1] = 1, centres[..., -2]
    return np.ascontiguousarray(turned)
