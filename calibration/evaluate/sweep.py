"""What other thresholds would do on the same parts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.evaluate.judged import Part
from calibration.rates import Rate
from edge.types import Doubles

_SHARES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Row:
    """One threshold, and the rates at it. goods_undecided, defects_undecided: NOT_DECIDABLE, by the gray zone or unfit."""

    threshold: float
    false_reject: Rate | None
    escape: Rate | None
    goods_undecided: Rate | None
    defects_undecided: Rate | None


def sweep(parts: Sequence[Part], threshold: float, gray_from: float | None = None) -> tuple[Row, ...]:
    """Thresholds that reject certain shares of these goods, and the recipe's own, in ascending order.

    gray_from: where the recipe's gray zone begins. It begins there at every threshold above, since it is chosen by the goods
    alone, whatever the threshold; at a lower one there is none. Pictures that are not fit stay NOT_DECIDABLE at every
    threshold, and a part that has one is never OK.
    """
    goods, defects = (_Scores.of(parts, good=good) for good in (True, False))
    scores = scores_of(parts, good=True)
    levels = {threshold} | {float(np.quantile(scores, 1 - share, method="higher")) for share in _SHARES if len(scores)}
    return tuple(
        Row(
            threshold=level,
            false_reject=Rate.of(goods.nok(level), goods.total),
            escape=Rate.of(defects.ok(level, gray_from), defects.total),
            goods_undecided=Rate.of(goods.undecided(level, gray_from), goods.total),
            defects_undecided=Rate.of(defects.undecided(level, gray_from), defects.total),
        )
        for level in sorted(levels)
    )


def curves(parts: Sequence[Part], gray_from: float | None = None) -> tuple[Doubles, Doubles, Doubles]:
    """Every score as a threshold, and at each the share of goods that is NOK and the share of defects that is OK."""
    goods, defects = (_Scores.of(parts, good=good) for good in (True, False))
    levels = np.unique(np.concatenate([scores_of(parts, good=True), scores_of(parts, good=False)]))
    rejected = [goods.nok(level) / max(1, goods.total) for level in levels.tolist()]
    escaped = [defects.ok(level, gray_from) / max(1, defects.total) for level in levels.tolist()]
    return levels, np.array(rejected), np.array(escaped)


def ranking(parts: Sequence[Part]) -> tuple[Doubles, Doubles]:
    """The ROC: at every score, shares of goods and of defects that lie above it; of all parts that were measured."""
    measured = [part for part in parts if np.isfinite(part.score)]
    goods, defects = (np.sort([part.score for part in measured if part.good is good]) for good in (True, False))
    levels = np.append(np.unique(np.concatenate([goods, defects]))[::-1], -np.inf)
    above = [1 - np.searchsorted(scores, levels, "right") / max(1, len(scores)) for scores in (goods, defects)]
    return np.asarray(above[0], np.float64), np.asarray(above[1], np.float64)


def scores_of(parts: Sequence[Part], *, good: bool) -> Doubles:
    """Scores of good or of defective parts that the threshold decides on."""
    return np.array([part.highest for part in parts if part.good is good and np.isfinite(part.highest)], np.float64)


@dataclass(frozen=True, slots=True)
class _Scores:
    """Of all goods or of all defects. highest, fit: as in `Part`, one for each."""

    highest: Doubles
    fit: NDArray[np.bool_]

    @classmethod
    def of(cls, parts: Sequence[Part], *, good: bool) -> "_Scores":
        chosen = [part for part in parts if part.good is good]
        return cls(
            np.array([part.highest for part in chosen], np.float64), np.array([part.fit for part in chosen], np.bool_)
        )

    @property
    def total(self) -> int:
        return len(self.highest)

    def nok(self, level: float) -> int:
        """How many parts `edge.inspect.judge` rejects."""
        return int((self.highest > level).sum())

    def ok(self, level: float, gray_from: float | None) -> int:
        """How many it calls good."""
        doubtful_above = level if gray_from is None else min(level, gray_from)
        return int((self.fit & (self.highest <= doubtful_above)).sum())

    def undecided(self, level: float, gray_from: float | None) -> int:
        """The others."""
        return self.total - self.nok(level) - self.ok(level, gray_from)
