"""Shares of counted parts, with their uncertainty."""

from dataclasses import dataclass

from scipy.stats import binomtest

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """count of total, with the Clopper-Pearson interval at 95 % (Clopper & Pearson 1934)."""

    count: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.total

    @classmethod
    def of(cls, count: int, total: int) -> "Rate | None":
        """None when there was nothing to count."""
        if total == 0:
            return None
        interval = binomtest(count, total).proportion_ci(CONFIDENCE, method="exact")
        return cls(count, total, float(interval.low), float(interval.high))

    def words(self) -> str:
        """The share, what was counted, and the interval."""
        low, high = 100 * self.low, 100 * self.high
        return f"{100 * self.value:.2f} % ({self.count} of {self.total}; 95 % interval {low:.2f} % to {high:.2f} %)"

    def short(self) -> str:
        """The share and its interval, for tables."""
        return f"{100 * self.value:.2f} % ({100 * self.low:.1f}–{100 * self.high:.1f})"
