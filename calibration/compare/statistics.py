"""Are two recipes different beyond chance? Paired tests: both have judged the same parts."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm, rankdata, spearmanr
from sklearn.metrics import cohen_kappa_score

from edge.types import Decision, Doubles

CHANCE = 0.05
"""A difference whose p is below this is called beyond chance; intervals are at 95 % accordingly."""


@dataclass(frozen=True, slots=True)
class AurocDifference:
    """AUROC of A and of B, and B - A with its 95 % interval; no interval where the parts do not allow one."""

    a: float
    b: float
    low: float | None
    high: float | None

    @property
    def value(self) -> float:
        """B - A."""
        return self.b - self.a

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class Discordant:
    """Parts to which something happened with one recipe only, and McNemar's exact p that both do it equally often."""

    only_a: int
    only_b: int
    p: float

    @property
    def beyond_chance(self) -> bool:
        """Whether chance alone would hardly do this."""
        return self.p < CHANCE


@dataclass(frozen=True, slots=True)
class Agreement:
    """same: share of equal verdicts; kappa: of Cohen (1960), None where both give one and the same verdict to all."""

    same: float
    kappa: float | None


def delong(good: tuple[Doubles, Doubles], bad: tuple[Doubles, Doubles]) -> AurocDifference:
    """AUROCs of two scores of the same parts, and their difference (DeLong, DeLong & Clarke-Pearson 1988).

    By mid-ranks, as Sun & Xu (2014) compute it. good, bad: the scores of A and of B, for the same goods and defects in the
    same order, at least one of each. The interval needs two of each, and a variance: two perfect rankings have none.
    """
    goods, bads = len(good[0]), len(bad[0])
    placements_bad, placements_good = [], []
    for of_good, of_bad in zip(good, bad, strict=True):
        ranks = rankdata(np.concatenate([of_bad, of_good]))
        placements_bad.append((ranks[:bads] - rankdata(of_bad)) / goods)
        placements_good.append(1 - (ranks[bads:] - rankdata(of_good)) / bads)
    a, b = (float(placements.mean()) for placements in placements_bad)
    if min(goods, bads) < 2:  # noqa: PLR2004 - a variance needs two
        return AurocDifference(a, b, None, None)
    change_bad, change_good = placements_bad[1] - placements_bad[0], placements_good[1] - placements_good[0]
    spread = float(np.sqrt(change_bad.var(ddof=1) / bads + change_good.var(ddof=1) / goods))
    if spread == 0:
        return AurocDifference(a, b, None, None)
    reach = float(norm.ppf(1 - CHANCE / 2)) * spread
    return AurocDifference(a, b, b - a - reach, b - a + reach)


def mcnemar(only_a: int, only_b: int) -> Discordant:
    """Exact test on discordant pairs (McNemar 1947): without a difference each falls to either side like a coin."""
    pairs = only_a + only_b
    return Discordant(only_a, only_b, float(binomtest(only_a, pairs).pvalue) if pairs else 1.0)


def spearman(a: Doubles, b: Doubles) -> float | None:
    """Rank correlation (Spearman 1904); None with fewer than three values, or when one side gives a single value."""
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:  # noqa: PLR2004 - two points always lie on a line
        return None
    return float(spearmanr(a, b).statistic)


def agreement(a: list[Decision], b: list[Decision]) -> Agreement:
    """How often two recipes say the same, also beyond what their shares of each verdict make likely."""
    same = float(np.mean([x is y for x, y in zip(a, b, strict=True)]))
    return Agreement(same, float(cohen_kappa_score(a, b)) if len({*a, *b}) > 1 else None)
