"""Drift as a page."""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from calibration.drift import words
from calibration.drift.assessment import Drift
from calibration.page.blocks import Block, Chart, Facts, Page, Section, Table, Text, Tone
from calibration.page.cards import recipe_card
from calibration.page.charts import shares, trend
from calibration.rates import Rate
from edge.recipe.promise import promised_share
from edge.recipe.recipe import Recipe
from edge.types import Doubles

_MOST_DOTS = 2000
"""More cannot be told apart on a screen."""

_SHOWN_AS = {"day": "%Y-%m-%d", "hour": "%m-%d %H:%M"}
_MOST_ROWS, _MOST_STARTS = 60, 20


def drift_page(found: Drift, recipe: Recipe) -> Page:
    """Lead, charts of control, rejects, what could not be judged, time, losses, recipe."""
    manifest = recipe.manifest
    promised = promised_share(manifest.promise)
    notes = tuple(Text(note, "warn") for note in words.notes(found))
    return Page(
        f"Drift of {manifest.name}",
        Text(words.verdict(found, manifest.threshold), _tone(found)),
        (
            Section("Scores of parts judged OK", _scores(found, manifest.threshold)),
            Section("Control charts", tuple(_charts(found))),
            Section("Rejects", _rejects(found, promised)),
            Section("Not decidable", _undecided(found)),
            Section("Time of a part", _duration(found)),
            Section("Results", (_results(found), *notes)),
            recipe_card(manifest, recipe.id),
        ),
    )


def _tone(found: Drift) -> Tone:
    if found.drifting:
        return "bad"
    return "warn" if found.trend and found.trend.rises else "good"


def _scores(found: Drift, threshold: float) -> tuple[Block, ...]:
    at = _thinned(np.abs(found.scores))
    drawn = trend(_times(found.taken_s[at]), {"score": found.scores[at]}, y="score", limits={"threshold": threshold})
    some = f" At most {_MOST_DOTS} are drawn, the highest of their neighbours." if len(at) < len(found.scores) else ""
    return (Chart(drawn, f"{words.slope(found.trend, 'The score').capitalize()}.{some}"),)


def _charts(found: Drift) -> list[Block]:
    ewma, up, down = found.charts
    said = dict(zip((chart.name for chart in found.charts), words.chart_words(found), strict=True))
    at = _thinned(np.abs(ewma.values))
    smoothed = trend(
        _times(found.taken_s[at]),
        {"EWMA": ewma.values[at]},
        y="EWMA of normal scores",
        dots=False,
        limits={"centre": 0.0, "limit": ewma.limit, "lower limit": -ewma.limit},
    )
    at = _thinned(up.values - down.values)
    summed = trend(
        _times(found.taken_s[at]),
        {"up": up.values[at], "down": down.values[at]},
        y="CUSUM of normal scores",
        dots=False,
        limits={"limit": up.limit, "lower limit": -up.limit},
    )
    return [
        Text(
            f"Compared with {found.reference.origin}, as the normal quantile of each score's rank among them: "
            f"{words.promise(len(found.reference.scores))}."
        ),
        Chart(smoothed, f"EWMA (Roberts 1959), weight 0.2: {said['EWMA']}."),
        Chart(
            summed,
            f"CUSUM (Page 1954), reference value 0.5, held at twice its limit. Up: {said[up.name]}; "
            f"down: {said[down.name]}.",
        ),
    ]


def _rejects(found: Drift, promised: float | None) -> tuple[Block, ...]:
    rated = [(period, period.rejects) for period in found.periods if period.rejects]
    value, low, high = 100 * np.array([[r.value, r.low, r.high] for _, r in rated]).T
    drawn = shares(
        [period.begins for period, _ in rated],
        {"rejects": (value, low, high)},
        y=f"% of parts of the {found.period}",
        limits={f"promised of goods: {promised:.2%}": 100 * promised} if promised else None,
    )
    rows = tuple(
        (
            f"{period.begins:{_SHOWN_AS[found.period]}}",
            str(rate.total),
            str(rate.count),
            f"{rate.value:.2%}",
            _interval(rate),
        )
        for period, rate in rated[-_MOST_ROWS:]
    )
    table = Table((found.period, "decided", "rejected", "share", "95 % interval"), rows, frozenset({1, 2, 3}))
    sentence = f"{words.rejects(found.rejects)} {words.against_promise(found.rejects, promised)}"
    return Chart(drawn, f"{sentence} Upright lines: Clopper-Pearson intervals at 95 %."), table


def _undecided(found: Drift) -> tuple[Block, ...]:
    text = Text(f"{words.undecided(found)}.")
    reasons = sorted({reason for period in found.periods for reason in period.undecided})
    if not reasons:
        return (text,)
    lines = {str(r): np.array([100 * p.undecided[r] / p.parts for p in found.periods]) for r in reasons}
    drawn = trend([p.begins for p in found.periods], lines, y=f"% of parts of the {found.period}")
    return text, Chart(drawn, f"Share of parts that could not be judged, by reason, each {found.period}.")


def _duration(found: Drift) -> tuple[Block, ...]:
    medians = np.array([period.inspect_ms for period in found.periods])
    drawn = trend([period.begins for period in found.periods], {"inspect_ms": medians}, y="median, ms")
    return (Chart(drawn, words.duration(found.duration).capitalize()),)


def _results(found: Drift) -> Facts:
    results = found.results
    rows = [
        ("results", f"{len(results.taken_s)} of production with this recipe"),
        ("from", words.when(results.taken_s[0])),
        ("to", words.when(results.taken_s[-1])),
        ("stations", ", ".join(results.stations)),
        ("starts", str(len(results.boots))),
    ]
    worst = sorted((boot for boot in results.boots if boot.missing), key=lambda boot: -boot.missing)[:_MOST_STARTS]
    rows += [(f"start {b.boot_id[:12]}", f"{b.missing} missing between seq {b.first} and {b.last}") for b in worst]
    return Facts(tuple(rows))


def _thinned(weight: Doubles) -> NDArray[np.intp]:
    """Indices of at most `_MOST_DOTS` values: of neighbours the one of most weight, so that no peak is hidden."""
    if len(weight) <= _MOST_DOTS:
        return np.arange(len(weight))
    blocks = np.array_split(np.arange(len(weight)), _MOST_DOTS)
    return np.array([block[np.argmax(weight[block])] for block in blocks])


def _times(taken_s: Doubles) -> list[datetime]:
    return [datetime.fromtimestamp(each, UTC) for each in taken_s.tolist()]


def _interval(rate: Rate) -> str:
    return f"{rate.low:.2%} to {rate.high:.2%}"
