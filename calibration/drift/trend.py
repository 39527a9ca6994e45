"""Slopes over many parts, robust against single ones (Theil 1950, Sen 1968)."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import theilslopes

from edge.types import Doubles

CONFIDENCE = 0.99
"""Of the slope's interval: a slope is named when it leaves zero out, and this is asked every day."""

_MOST_BLOCKS = 300
"""The slope between all pairs of more would cost seconds and say the same."""

_LEAST_BLOCKS = 10


@dataclass(frozen=True, slots=True)
class Trend:
    """Change of the median a part, with its interval, and where the line stands at the first and at the last part."""

    slope: float
    low: float
    high: float
    first: float
    last: float

    @property
    def rises(self) -> bool:
        """Whether the interval lies above zero."""
        return self.low > 0

    def parts_until(self, level: float) -> tuple[float, float, float] | None:
        """Parts until the line reaches a level above it, and the interval of that; None if it does not rise."""
        if not self.rises or level <= self.last:
            return None
        return (level - self.last) / self.slope, (level - self.last) / self.high, (level - self.last) / self.low


def trend_of(values: Doubles) -> Trend | None:
    """The trend of values in the order of time, from medians of at most 300 blocks; None if they are too few."""
    if len(values) < _LEAST_BLOCKS:
        return None
    medians = block_medians(values, _MOST_BLOCKS)
    centres = (np.arange(len(medians)) + 0.5) * len(values) / len(medians)
    found = theilslopes(medians, centres, alpha=CONFIDENCE)
    slope, intercept, low, high = (float(v) for v in found)
    return Trend(slope, low, high, intercept, intercept + slope * len(values))


def block_medians(values: Doubles, most: int) -> Doubles:
    """Medians of neighbours, so many at most."""
    return np.array([np.median(block) for block in np.array_split(values, min(most, len(values)))])
