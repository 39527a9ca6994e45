"""What the results of a recipe say of it: do goods drift, have rejects risen, has the device become slower?"""

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import binomtest, fisher_exact

from calibration.drift.control import Chart, Excursion, cusum, ewma, limits_for, standardise
from calibration.drift.periods import Period, periods_of
from calibration.drift.reference import Reference, reference_of
from calibration.drift.results import Results
from calibration.drift.trend import Trend, trend_of
from calibration.rates import Rate
from calibration.threshold.parts import by_part
from edge.recipe.manifest import Manifest
from edge.recipe.promise import promised_share
from edge.types import Decision, Doubles

RISE = 0.001
"""Rejects have risen when chance does this more rarely; asked every day, one false answer in three years."""

_RECENT, _LEAST_EARLIER = 200, 50


@dataclass(frozen=True, slots=True)
class Rejects:
    """NOK of the last parts and of those before (None if they are too few), and of all against what was promised.

    p_rise: Fisher's exact test (1922) that the last are no more often rejected than those before, None without those;
    p_promise: binomial test that all are rejected no more often than promised of goods, None without a promise.
    """

    whole: Rate
    earlier: Rate | None
    recent: Rate
    p_rise: float | None
    p_promise: float | None

    @property
    def risen(self) -> bool:
        """Whether the last parts are rejected more often than those before, beyond chance."""
        return self.p_rise is not None and self.p_rise < RISE

    @property
    def beyond_promise(self) -> bool:
        """Whether all are rejected more often than goods may be; defects are among them."""
        return self.p_promise is not None and self.p_promise < RISE


@dataclass(frozen=True, slots=True)
class Drift:
    """The answer. Excursions count the goods that are compared: those judged OK, after the reference.

    taken_s, scores: of these goods; charts: EWMA, CUSUM up, CUSUM down; trend: of scores, duration: of inspect_ms.
    """

    results: Results
    reference: Reference
    taken_s: Doubles = field(repr=False)
    scores: Doubles = field(repr=False)
    charts: tuple[Chart, ...]
    trend: Trend | None
    duration: Trend | None
    rejects: Rejects
    period: str
    periods: tuple[Period, ...]

    @property
    def present(self) -> tuple[Chart, Excursion] | None:
        """The chart that is beyond its limit and has not come back, the first to have left; None if all are well."""
        out = [(chart, chart.present) for chart in self.charts if chart.present]
        return min(out, key=lambda each: each[1].began, default=None)

    @property
    def drifting(self) -> bool:
        """Whether somebody has to act."""
        return self.present is not None or self.rejects.risen


def assess(results: Results, manifest: Manifest, baseline: int | None) -> Drift:
    """Charts, tests and trends; `baseline` as in `reference_of`.

    Parts judged NOK do not count into the drift of goods; how many there are is tested by itself.

    Raises:
        TooFewGoods: too few results for a reference.
    """
    ok = results.where(Decision.OK)
    held_out = by_part(manifest.goods.held_out)
    reference = reference_of(held_out[held_out <= manifest.doubtful_above], results.score[ok], baseline)
    taken_s, scores = results.taken_s[ok][reference.used :], results.score[ok][reference.used :]
    values = standardise(scores, reference.scores)
    limit, interval = limits_for(len(reference.scores))
    decided = results.where(Decision.OK, Decision.NOK)
    name, periods = periods_of(results)
    return Drift(
        results=results,
        reference=reference,
        taken_s=taken_s,
        scores=scores,
        charts=(ewma(values, limit), cusum(values, interval, up=True), cusum(values, interval, up=False)),
        trend=trend_of(scores),
        duration=trend_of(results.inspect_ms[decided]),
        rejects=_rejects(results, promised_share(manifest.promise)),
        period=name,
        periods=periods,
    )


def _rejects(results: Results, promised: float | None) -> Rejects:
    rejected = results.where(Decision.NOK)[results.where(Decision.OK, Decision.NOK)]
    recent, earlier = rejected[-_RECENT:], rejected[:-_RECENT]
    whole, now = _rate(rejected), _rate(recent)
    p_promise = float(binomtest(whole.count, whole.total, promised, alternative="greater").pvalue) if promised else None
    if len(earlier) < _LEAST_EARLIER:
        return Rejects(whole, None, now, None, p_promise)
    before = _rate(earlier)
    table = [[now.count, now.total - now.count], [before.count, before.total - before.count]]
    return Rejects(whole, before, now, float(fisher_exact(table, alternative="greater").pvalue), p_promise)


def _rate(rejected: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Rate:
    rate = Rate.of(int(rejected.sum()), len(rejected))
    assert rate is not None  # noqa: S101 - the reference was taken from these parts
    return rate
