"""Quantiles of the last values of something, in bounded memory."""

from array import array
from dataclasses import dataclass

import numpy as np

SIZE = 10_000
"""Values kept: 80 kB; above the 99 % quantile of a full window stand a hundred."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Quantiles and highest of the values in the window; count and total of all there ever were. One unit for all."""

    p50: float
    p95: float
    p99: float
    highest: float
    count: int
    total: float


class Window:
    """The last `size` values. One thread adds, any may ask.

    The quantiles have no error: each is the value of the window with rank ⌈q·n⌉ in ascending order (inverse of the empirical
    distribution, type 1 of Hyndman & Fan, "Sample quantiles in statistical packages", 1996).
    """

    def __init__(self, size: int = SIZE) -> None:
        self._ring = array("d", bytes(8 * size))
        self._size = size
        self._count = 0
        self._total = 0.0

    def add(self, value: float) -> None:
        """Take one more value, in place of the oldest when the window is full."""
        self._ring[self._count % self._size] = value
        self._total += value
        self._count += 1

    def quantiles(self) -> Quantiles | None:
        """None while there is no value."""
        count, total = self._count, self._total
        if not count:
            return None
        # A copy in one step: the line goes on.
        values = np.sort(np.array(self._ring[: min(count, self._size)]))
        p50, p95, p99, highest = np.quantile(values, (0.5, 0.95, 0.99, 1), method="inverted_cdf")
        return Quantiles(float(p50), float(p95), float(p99), float(highest), count, total)
