"""How long one recipe takes compared with another, on this computer."""

from dataclasses import dataclass

import numpy as np

from calibration.compare.paired import Pair

_WARM_UP = 4
"""Pictures before the clock counts: the first ones fill caches and let the runtime allocate."""

_LEAST = 4
"""Quartiles of fewer would be single pictures."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Time of B / time of A for the same picture: median and quartiles over so many pictures. One thread."""

    median: float
    low: float
    high: float
    pictures: int


def time_ratio(pairs: tuple[Pair, ...]) -> Ratio | None:
    """From pictures both have measured, in the order in which they were judged; None if they are too few, or not timed.

    As a ratio picture by picture, since both were judged within a moment: what else the computer did then touched both.
    """
    ratios = [pair.b.inspect_s / pair.a.inspect_s for pair in pairs if pair.measured][_WARM_UP:]
    if len(ratios) < _LEAST or not np.isfinite(ratios).all():
        return None
    low, median, high = (float(v) for v in np.quantile(ratios, (0.25, 0.5, 0.75)))
    return Ratio(median, low, high, len(ratios))
