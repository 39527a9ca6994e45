"""A candidate judged by what it does to verdicts, not by how far its numbers lie from the reference's.

Reference and candidate each learn their own bank from the same good parts and judge the same other ones, as two recipes
would. The patches of the bank are those that a greedy k-centre choice takes from the *reference*: made for each side, two
choices part ways after one rounding, and the comparison would measure the choice instead of the encoder.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import TooFewGoods
from edge.inspect.score import counted
from edge.types import Doubles, Floats, Pixels

Encode = Callable[[Pixels], Floats]
"""One picture, H×W×3 uint8 BGR, to its patch vectors, P×d float32."""

FEWEST_GOODS = 40
"""Half of them are held out, and 20 scores are the fewest with one above their 95 % quantile."""

BANK = 1000
"""Vectors of a bank: enough to rank candidates, few enough to measure one in seconds."""

_POOL = 10 * BANK
"""Patches among which the k-centre choice is made."""

_QUANTILE = 0.95

_SMALL = 0.1
"""Of the median distance: changes of still smaller distances, such as those of a copy of a good picture, decide nothing and
are compared with this."""


@dataclass(frozen=True, slots=True)
class Distances:
    """Distance of each patch to the nearest of the bank. goods: n×P, held out from the bank; defects: m×P, m may be 0."""

    goods: Doubles
    defects: Doubles


@dataclass(frozen=True, slots=True)
class TaskChange:
    """What a candidate changes, d being a patch distance, s a picture's score: the mean of its highest 1 % of d.

    goods, defects: how many pictures were judged; goods are not in the bank.
    distance_median, distance_p99: median and 99 % quantile of ``|d_candidate - d_reference| / d_reference`` over patches.
    spearman: correlation of the ranks of s over all pictures, ``1 - 6·Σ(rank difference)² / (n·(n² - 1))`` without ties
    (Spearman 1904).
    flipped_goods, flipped_defects: pictures with another verdict. Each side's threshold is the 95 % quantile of its own
    goods' s; above it is NOK.
    auroc_reference, auroc_candidate: chance that a defect's s exceeds a good one's, ties half (Mann & Whitney 1947); None
    without defects.
    """

    goods: int
    defects: int
    distance_median: float
    distance_p99: float
    spearman: float
    flipped_goods: int
    flipped_defects: int
    auroc_reference: float | None
    auroc_candidate: float | None

    @property
    def flips(self) -> float:
        """Share of all judged pictures with another verdict."""
        return (self.flipped_goods + self.flipped_defects) / (self.goods + self.defects)

    @property
    def auroc_drop(self) -> float | None:
        """AUROC of the reference less that of the candidate; negative where the candidate is better."""
        if self.auroc_reference is None or self.auroc_candidate is None:
            return None
        return self.auroc_reference - self.auroc_candidate


class Task:
    """Pictures on which candidates are judged, and what the reference makes of them.

    Args:
        reference: the encoder whose verdicts count.
        goods: good pictures, at least 40, each H×W×3 uint8 BGR; half become the bank.
        defects: pictures of defects, or none.
        seed: chooses the halves and the pool of the bank.

    Raises:
        TooFewGoods: fewer than 40 goods.
    """

    def __init__(self, reference: Encode, goods: Sequence[Pixels], defects: Sequence[Pixels], seed: int) -> None:
        banked, held = halves(len(goods), seed)
        self._banked = [goods[i] for i in banked]
        self._held = [goods[i] for i in held]
        self._defects = list(defects)
        learned = [reference(picture) for picture in self._banked]
        self._picks = _pick(learned, seed)
        self._wanted = self._measure(reference, learned)

    def judge(self, candidate: Encode) -> TaskChange:
        """What the candidate changes."""
        learned = [candidate(picture) for picture in self._banked]
        return change(self._wanted, self._measure(candidate, learned))

    def _measure(self, encode: Encode, learned: Sequence[Floats]) -> Distances:
        bank = np.concatenate(learned)[self._picks]
        goods, defects = (
            np.array([_nearest(bank, encode(picture)) for picture in pictures]) for pictures in (self._held, self._defects)
        )
        return Distances(goods, defects)


def halves(goods: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which of so many goods make the bank, and which are held out.

    Raises:
        TooFewGoods: fewer than 40.
    """
    if goods < FEWEST_GOODS:
        raise TooFewGoods(
            f"{goods} good pictures; judging a quantised encoder by its verdicts needs at least {FEWEST_GOODS}: add good "
            "ones, or take --profile fp32."
        )
    order = np.random.default_rng(seed).permutation(goods)
    return order[: goods // 2], order[goods // 2 :]


def change(reference: Distances, candidate: Distances) -> TaskChange:
    """Compare the distances that two encoders measure on the same pictures. A NaN distance makes a flip."""
    ours, theirs = _scores(candidate), _scores(reference)
    goods, defects = len(reference.goods), len(reference.defects)
    with np.errstate(invalid="ignore"):
        above = [scores > np.quantile(scores[:goods], _QUANTILE) for scores in (ours, theirs)]
    flipped = (above[0] != above[1]) | ~np.isfinite(ours)
    before = np.concatenate([reference.goods.ravel(), reference.defects.ravel()])
    after = np.concatenate([candidate.goods.ravel(), candidate.defects.ravel()])
    relative = np.abs(after - before) / np.maximum(before, _SMALL * np.median(before) + np.finfo(float).tiny)
    return TaskChange(
        goods=goods,
        defects=defects,
        distance_median=float(np.median(relative)),
        distance_p99=float(np.quantile(relative, 0.99)),
        spearman=spearman(ours, theirs),
        flipped_goods=int(flipped[:goods].sum()),
        flipped_defects=int(flipped[goods:].sum()),
        auroc_reference=auroc(theirs[:goods], theirs[goods:]) if defects else None,
        auroc_candidate=auroc(ours[:goods], ours[goods:]) if defects else None,
    )


def spearman(a: Doubles, b: Doubles) -> float:
    """Correlation of the ranks of n values each; NaN where one of them is constant or not a number."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.nan
    first, second = (_ranks(values) - (len(values) + 1) / 2 for values in (a, b))
    length = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / length if length else math.nan


def auroc(goods: Doubles, defects: Doubles) -> float:
    """Chance that the score of a defect exceeds that of a good part, ties half; NaN where a score is not a number."""
    if not (np.isfinite(goods).all() and np.isfinite(defects).all()):
        return math.nan
    m, n = len(defects), len(goods)
    ranks = _ranks(np.concatenate([defects, goods]))
    return (float(ranks[:m].sum()) - m * (m + 1) / 2) / (m * n)


def _nearest(bank: Floats, patches: Floats) -> Doubles:
    """Distance of each patch to the nearest of the bank, in float32: far finer than the changes that are looked for."""
    middle = bank.mean(axis=0)
    bank, patches = bank - middle, patches - middle
    squared = patches @ bank.T
    squared *= -2
    squared += np.einsum("ij,ij->i", bank, bank)
    nearest = squared.min(axis=1) + np.einsum("ij,ij->i", patches, patches)
    return np.asarray(np.sqrt(np.maximum(nearest, 0)), np.float64)


def _scores(distances: Distances) -> Doubles:
    """The mean of the highest 1 % of each picture, goods first."""
    rows = [row for part in (distances.goods, distances.defects) for row in part]
    top = counted("top1", len(rows[0]))
    return np.array([np.partition(row, len(row) - top)[len(row) - top :].mean() for row in rows])


def _ranks(values: Doubles) -> Doubles:
    """1 for the smallest; equal values share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])


def _pick(learned: Sequence[Floats], seed: int) -> NDArray[np.intp]:
    """Rows of the concatenated patches that make the bank: greedy k-centre in a seeded pool (Gonzalez 1985)."""
    patches = np.concatenate(learned)
    pool = np.random.default_rng(seed).permutation(len(patches))[:_POOL]
    candidates = patches[pool]
    squares = np.einsum("ij,ij->i", candidates, candidates)
    away = np.full(len(pool), np.inf, np.float32)
    picks: list[int] = [0]
    while len(picks) < min(BANK, len(pool)):
        last = picks[-1]
        np.minimum(away, squares - 2 * (candidates @ candidates[last]) + squares[last], out=away)
        away[picks] = -np.inf
        picks.append(int(away.argmax()))
    return pool[picks]
