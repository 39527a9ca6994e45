"""Drift in words, for people."""

import math
from collections import Counter
from datetime import UTC, datetime

from calibration.drift.assessment import Drift, Rejects
from calibration.drift.control import ARL0, SURE
from calibration.drift.results import Aside, Results
from calibration.drift.trend import CONFIDENCE, Trend
from calibration.rates import Rate
from edge.types import Reason

_FALSE_LOOKS = 0.03
"""Measured by `tests.bench.false_alarms`, with 50 reference goods, less with more; for any recipe, since charts of ranks do
not depend on how scores are spread."""

_ASIDE = {
    Aside.GOLDEN_SAMPLE: "that show golden samples of the shift check, no production",
    Aside.RED_RABBIT: "that show red rabbits of the shift check, no production",
    Aside.REPLAY: "that judge pictures of before (origin replay)",
    Aside.SIMULATED: "that show no parts at all (origin simulated)",
    Aside.BY_COMMAND: "that a threshold set by command has judged: nothing is said of them",
}

_SLOWER = 1.1
"""A device that takes a tenth longer is worth a word."""


def verdict(found: Drift, threshold: float) -> str:
    """The sentence to act on."""
    said = []
    if out := found.present:
        chart, excursion = out
        since, parts = when(found.taken_s[excursion.began]), len(found.taken_s) - excursion.began
        where = "above" if excursion.up else "below"
        meaning = (
            "goods score higher than the reference, towards the threshold"
            if excursion.up
            else "goods score lower than the reference: parts, light or focus have changed, and defects may be missed"
        )
        said.append(
            f"Drifting since {since}: {meaning}. Recalibrate: {chart.name.split()[0]} has been {where} its centre line "
            f"since then ({parts} parts) and passed its limit at {when(found.taken_s[excursion.alarmed])}."
        )
    if found.rejects.risen:
        said.append(f"{rejects(found.rejects)} Either defects or goods that drift over the threshold: look at them.")
    if not found.drifting:
        said.append(f"No drift in {len(found.scores):,} parts judged OK: EWMA and CUSUM do not stand beyond their limits.")
        if found.trend and found.trend.rises:
            said.append(outlook(found.trend, threshold))
    return " ".join(said)


def in_words(found: Drift, threshold: float, promised: float | None) -> str:
    """All of it, a line each."""
    results = found.results
    lines = [
        verdict(found, threshold),
        f"results        {span(results)}",
        f"reference      {found.reference.origin}",
        f"promise        {promise(len(found.reference.scores))}",
        *(f"{chart.name:<14} {said}" for chart, said in zip(found.charts, chart_words(found), strict=True)),
        f"score          {slope(found.trend, 'score')}",
        f"rejects        {rejects(found.rejects)} {against_promise(found.rejects, promised)}",
        f"not decidable  {undecided(found)}",
        f"inspect_ms     {duration(found.duration)}",
    ]
    return "\n".join(lines + notes(found))


def span(results: Results) -> str:
    """How many results count, and from when to when."""
    first, last = when(results.taken_s[0]), when(results.taken_s[-1])
    return f"{len(results.taken_s)} of production with this recipe, {first} to {last}"


def promise(reference: int) -> str:
    """How often the charts cry wolf."""
    return (
        f"each chart gives at most one false alarm in {ARL0} parts on average, with {SURE:.0%} confidence, for a reference "
        f"of {reference} parts and parts that are independent; false alarms pass after a few parts, so that in about "
        f"{_FALSE_LOOKS:.0%} of looks the lead says drift without cause"
    )


def chart_words(found: Drift) -> list[str]:
    """For each chart where it stands now, and how often it left its limits."""
    said = []
    for chart in found.charts:
        times = len(chart.excursions)
        often = "never beyond" if not times else f"{times} {'time' if times == 1 else 'times'} beyond"
        chance = f" (chance alone: up to about {math.ceil(len(chart.values) / ARL0):,})" if times else ""
        said.append(f"{chart.values[-1]:+.2f} now; {often} its limit of {chart.limit:.2f}{chance}")
    return said


def rejects(found: Rejects) -> str:
    """The share of NOK now and before."""
    now = f"{_rate(found.recent)} of the last {found.recent.total} parts"
    if found.earlier is None or found.p_rise is None:
        return f"{now} are rejected; too few before to compare."
    if found.risen:
        return f"Rejects have risen from {_rate(found.earlier)} to {now} ({_p(found.p_rise)})."
    return f"{now} are rejected, {_rate(found.earlier)} before: no rise beyond chance ({_p(found.p_rise)})."


def against_promise(found: Rejects, promised: float | None) -> str:
    """The share of NOK of all parts beside the promised share of false rejects, if there is one."""
    if promised is None or found.p_promise is None:
        return "The recipe's threshold promises nothing of good parts."
    whole = f"Of all {found.whole.total:,} parts {_rate(found.whole)} are rejected"
    if found.beyond_promise:
        return (
            f"{whole}: more than the {promised:.2%} promised of goods ({_p(found.p_promise)}): defects, or goods that drift."
        )
    return f"{whole}: not beyond the {promised:.2%} promised of goods ({_p(found.p_promise)})."


def undecided(found: Drift) -> str:
    """How many could not be judged, by reason."""
    total = sum((period.undecided for period in found.periods), start=Counter[Reason]())
    named = ", ".join(f"{reason} {count}" for reason, count in total.most_common())
    return f"{total.total()} of {len(found.results.taken_s)}{f': {named}' if named else ''}"


def slope(trend: Trend | None, what: str) -> str:
    """A slope per thousand parts with its interval."""
    if trend is None:
        return "- (too few parts for a slope)"
    low, high = trend.low * 1000, trend.high * 1000
    level = "rises" if trend.rises else "falls" if trend.high < 0 else "has no slope"
    return f"{what} {level}: {trend.slope * 1000:+.4g} in 1000 parts ({CONFIDENCE:.0%} interval {low:+.4g} to {high:+.4g})"


def outlook(trend: Trend, threshold: float) -> str:
    """When the median good reaches the threshold."""
    until = trend.parts_until(threshold)
    if until is None:
        return "Scores rise, and the median good is beyond the threshold."
    value, low, high = (f"{math.floor(parts):,}" for parts in until)
    return (
        f"But scores rise: at the present slope the median good reaches the threshold in {value} parts "
        f"({CONFIDENCE:.0%} interval {low} to {high})."
    )


def duration(trend: Trend | None) -> str:
    """How much longer a part takes at the end than at the beginning, a sentence."""
    if trend is None or trend.first <= 0:
        return "- (too few parts)."
    ratio = trend.last / trend.first
    if trend.rises and ratio > _SLOWER:
        return f"a part takes {ratio:.2f} times as long at the end as at the beginning: is the device hot, or shared?"
    return f"a part takes {ratio:.2f} times as long at the end as at the beginning, no slowing down to act on."


def notes(found: Drift) -> list[str]:
    """What is missing, left out or mixed."""
    results = found.results
    said = []
    starts = _count(len(results.boots), "start")
    if lost := [boot for boot in results.boots if boot.missing]:
        said.append(
            f"{_count(sum(boot.missing for boot in lost), 'result')} missing between others of one start of the device, "
            f"in {len(lost)} of {starts}: its disk was full, or a file was not given."
        )
    if late := [boot for boot in results.boots if boot.first > 1]:
        said.append(f"{len(late)} of {starts} not from seq 1 on: what was before is not in these files.")
    if results.cut_off:
        said.append(f"{_count(results.cut_off, 'unfinished line')} left out, as a power cut leaves them.")
    if results.repeated:
        said.append(f"{_count(results.repeated, 'result')} left out that the files hold already.")
    if results.others:
        names = ", ".join(f"{name} {identity[:12]}: {count}" for (name, identity), count in results.others.most_common())
        said.append(f"{_count(results.others.total(), 'result')} of other recipes left out ({names}).")
    said += [f"{_count(count, 'result')} left out {_ASIDE[why]}." for why, count in results.aside.most_common()]
    if results.taught:
        said.append(
            f"{_count(results.taught, 'result')} judged beside parts that were taught on the device: that lowers scores, so "
            "less of a rise may show; goodpart teach list says which parts."
        )
    if len(results.stations) > 1:
        said.append(f"Results of {len(results.stations)} stations are judged together ({', '.join(results.stations)}).")
    return said


def when(taken_s: float) -> str:
    """A time in UTC, to the minute."""
    return f"{datetime.fromtimestamp(taken_s, UTC):%Y-%m-%d %H:%M UTC}"


def _rate(rate: Rate) -> str:
    return f"{rate.value:.2%} (95 % interval {rate.low:.2%} to {rate.high:.2%})"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"  # noqa: PLR2004 - three digits are shown
