"""Control charts for the scores of good parts: EWMA (Roberts 1959) and CUSUM (Page 1954), on normal scores.

Scores of goods are skewed, and charts for normal values would alarm too often. So each score is replaced by the normal
quantile of its rank among a reference of goods (Hackl & Ledolter 1991): standard normal while nothing drifts, whatever the
distribution. The reference is finite and may by chance lie too low or too narrow; the limits are wide enough for that.

The promise holds for parts that are independent of each other; batches alarm more often, and rightly so.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.special import ndtri

from edge.types import Doubles

EWMA_WEIGHT = 0.2
REFERENCE_VALUE = 0.5
"""Of the CUSUM: half of the shift it is to find soonest, one standard deviation."""

ARL0, SURE = 500, 0.9
"""The promise: with this confidence at most one false alarm in so many parts on average, for each of the two charts."""

LIMITS = {
    50: (3.39, 7.16),
    70: (3.34, 6.66),
    100: (3.27, 6.26),
    150: (3.21, 5.96),
    200: (3.19, 5.89),
    300: (3.14, 5.63),
    500: (3.10, 5.54),
    1000: (3.05, 5.34),
}
"""For a reference of at least so many goods: L of the EWMA in its own standard deviations, h of the CUSUM in those of goods.

From `tests.bench.control_limits`. For an endless reference they are the textbook's for an ARL0 of 500, 2.96 (Lucas &
Saccucci 1990) and 5.07 (Montgomery, Introduction to Statistical Quality Control, gives 465 for 5)."""

LEAST_REFERENCE = min(LIMITS)

_CUSUM_HOLDS = 2.0
"""Limits at which the CUSUM stops growing, so that a drift that is over is forgotten soon."""


@dataclass(frozen=True, slots=True)
class Excursion:
    """A chart beyond its limit. Indices of parts: first on this side of the centre line, first beyond the limit, and end.

    The first on this side estimates when the shift began (Page 1954; Nishina 1992). end: the first that is back on the
    centre line, or None. up: towards the threshold.
    """

    began: int
    alarmed: int
    end: int | None
    up: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """values: one a part, 0 is the centre line; limit: of their absolute value; excursions in the order of time."""

    name: str
    values: Doubles
    limit: float
    excursions: tuple[Excursion, ...]

    @property
    def present(self) -> Excursion | None:
        """The excursion that has not ended."""
        last = self.excursions[-1] if self.excursions else None
        return last if last and last.end is None else None


def normal_scores(ranks: Doubles, reference: int) -> Doubles:
    """Normal quantiles of ranks among so many; ranks: how many of the reference lie below, ties half."""
    return np.asarray(ndtri((ranks + 0.5) / (reference + 1)))


def standardise(scores: Doubles, reference: Doubles) -> Doubles:
    """Scores of goods to normal scores by their rank in a sorted reference."""
    below, not_above = (np.searchsorted(reference, scores, side) for side in ("left", "right"))
    return normal_scores((below + not_above) / 2, len(reference))


def limits_for(reference: int) -> tuple[float, float]:
    """L and h of the largest reference in the table that is not larger."""
    return LIMITS[max(size for size in LIMITS if size <= reference)]


def ewma(values: Doubles, limit: float) -> Chart:
    """Exponentially weighted moving average from 0, against ±limit of its standard deviations in the long run."""
    smoothed = np.asarray(lfilter([EWMA_WEIGHT], [1, EWMA_WEIGHT - 1], values), np.float64)
    reach = limit * float(np.sqrt(EWMA_WEIGHT / (2 - EWMA_WEIGHT)))
    return Chart("EWMA", smoothed, reach, excursions(smoothed, reach))


def cusum(values: Doubles, limit: float, *, up: bool) -> Chart:
    """What values exceed `REFERENCE_VALUE` by, summed, never below 0; downwards with the sign turned, shown below 0."""
    sign = 1 if up else -1
    summed, most, sums = 0.0, _CUSUM_HOLDS * limit, []
    for value in (sign * values - REFERENCE_VALUE).tolist():
        summed = min(max(summed + value, 0.0), most)
        sums.append(summed)
    stands = sign * np.array(sums) + 0.0  # no -0
    return Chart(f"CUSUM {'up' if up else 'down'}", stands, limit, excursions(stands, limit))


def excursions(values: Doubles, limit: float) -> tuple[Excursion, ...]:
    """Stretches on one side of 0 that pass the limit somewhere."""
    if not len(values):
        return ()
    side = np.sign(values)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(side)) + 1])
    ends = np.append(starts[1:], len(values))
    beyond = np.maximum.reduceat(np.abs(values), starts) > limit
    return tuple(
        Excursion(
            began=int(start),
            alarmed=int(start + np.argmax(np.abs(values[start:end]) > limit)),
            end=int(end) if end < len(values) else None,
            up=bool(side[start] > 0),
        )
        for start, end in zip(starts[beyond], ends[beyond], strict=True)
    )
