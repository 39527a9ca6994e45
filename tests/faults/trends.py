"""Whether something that was sampled for long stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import theilslopes

_CONFIDENCE = 0.95
_MOST_POINTS = 600
"""The slope is a median over all pairs of points."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What growth over the second half still counts as none: the larger of a share of the median and an amount."""

    share: float = 0.0
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Trend:
    """How a series behaves in its second half.

    growth, low, high: the rise over that half by the robust slope and the ends of its interval, in the series' own unit.
    """

    name: str
    unit: str
    first: float
    last: float
    median: float
    growth: float
    low: float
    high: float
    allowed: float

    @property
    def flat(self) -> bool:
        """It does not rise, or by less than matters.

        Samples that follow each other are alike, so the interval is too narrow and alone would cry wolf.
        """
        return self.low <= 0 or self.growth <= self.allowed


def trend(name: str, unit: str, done: ArrayLike, values: ArrayLike, limit: Limit) -> Trend:
    """The slope of Theil (1950) and Sen (1968), the median slope of all pairs, with Sen's 95 % interval.

    Up to 29 % of the points may be anything. Only the second half counts: a process that warms up grows.

    Args:
        name: of the series.
        unit: of its values.
        done: how many parts were judged at each sample, ascending.
        values: the series.
        limit: what growth is none.

    Raises:
        ValueError: fewer than three samples in the second half.
    """
    x, y = (np.asarray(column, float) for column in (done, values))
    first, last = float(y[0]), float(y[-1])
    second = x >= (x[0] + x[-1]) / 2
    x, y = x[second], y[second]
    if len(x) < 3:
        raise ValueError(f"{name}: too few samples; run longer or sample more often")
    chosen = np.unique(np.linspace(0, len(x) - 1, _MOST_POINTS).round().astype(int))
    slope, _, low, high = theilslopes(y[chosen], x[chosen], _CONFIDENCE)
    span, median = float(x[-1] - x[0]), float(np.median(y))
    growth, lowest, highest = (float(value) * span for value in (slope, low, high))
    allowed = max(limit.share * abs(median), limit.amount)
    return Trend(name, unit, first, last, median, growth, lowest, highest, allowed)


def in_words(trends: Sequence[Trend]) -> str:
    """A table."""
    head = f"{'':<24}{'median':>12}{'rise in 2nd half':>18}{'95 % interval':>22}{'allowed':>10}  verdict"
    rows = [
        f"{t.name + ', ' + t.unit:<24}{t.median:>12.2f}{t.growth:>18.3f}{f'{t.low:.3f} … {t.high:.3f}':>22}"
        f"{t.allowed:>10.2f}  {'flat' if t.flat else 'RISES'}"
        for t in trends
    ]
    return "\n".join([head, *rows])
