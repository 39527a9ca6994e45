"""What other thresholds would do on the same pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.evaluate.evaluate import Judged
from calibration.evaluate.folders import GOOD
from calibration.rates import Rate
from edge.types import Doubles

_SHARES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Row:
    """One threshold, and the rates at it."""

    threshold: float
    false_reject: Rate | None
    escape: Rate | None


def sweep(judged: Sequence[Judged], threshold: float) -> tuple[Row, ...]:
    """Thresholds that reject certain shares of these goods, and the recipe's own, in ascending order.

    Pictures that are not fit stay NOT_DECIDABLE at every threshold; they are in the totals and in no count.
    """
    goods, defects = scores_of(judged, good=True), scores_of(judged, good=False)
    totals = sum(j.kind == GOOD for j in judged), sum(j.kind != GOOD for j in judged)
    levels = {threshold} | {float(np.quantile(goods, 1 - share, method="higher")) for share in _SHARES if len(goods)}
    return tuple(
        Row(
            level,
            Rate.of(int((goods > level).sum()), totals[0]),
            Rate.of(int((defects <= level).sum()), totals[1]),
        )
        for level in sorted(levels)
    )


def curves(judged: Sequence[Judged]) -> tuple[Doubles, Doubles, Doubles]:
    """Every score as a threshold, and at each the share of goods above it and the share of defects at most as high."""
    goods, defects = np.sort(scores_of(judged, good=True)), np.sort(scores_of(judged, good=False))
    levels = np.unique(np.concatenate([goods, defects]))
    rejected = 1 - np.searchsorted(goods, levels, "right") / max(1, len(goods))
    escaped = np.searchsorted(defects, levels, "right") / max(1, len(defects))
    return levels, rejected, escaped


def scores_of(judged: Sequence[Judged], *, good: bool) -> Doubles:
    """Scores of goods or of defects that the threshold decided on."""
    return np.array([j.score for j in judged if j.by_score and (j.kind == GOOD) is good], np.float64)
