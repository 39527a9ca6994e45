"""A result as the metrics of a Sparkplug device: their names, types and aliases, and what a result says to each."""

from dataclasses import dataclass

from edge.report.message import Result
from edge.report.sparkplug.payload import Kind, Metric, Value
from edge.types import Reason

_METRICS = (
    ("Verdict", Kind.STRING),
    ("Reason", Kind.STRING),
    ("Detail", Kind.STRING),
    ("Score", Kind.DOUBLE),
    ("Threshold", Kind.DOUBLE),
    ("Margin", Kind.DOUBLE),
    ("Part ID", Kind.STRING),
    ("Result ID", Kind.STRING),
    ("Recipe", Kind.STRING),
    ("Recipe ID", Kind.STRING),
    ("Duration ms", Kind.DOUBLE),
    ("Purpose", Kind.STRING),
    ("Sample", Kind.STRING),
    ("Origin", Kind.STRING),
    ("Job ID", Kind.STRING),
    ("Threshold command ID", Kind.STRING),
)
"""Their aliases are their places here, counted from 1; so a new one goes to the end."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one result says, in the order of the metrics, and when the part was seen (milliseconds since 1970, UTC)."""

    at_ms: int
    values: tuple[Value, ...]
    camera_lost: bool


NOTHING_YET = (None,) * len(_METRICS)


def read(result: Result) -> Reading:
    """Each with the value and the meaning that it has in the result message."""
    values: tuple[Value, ...] = (
        str(result.verdict),
        str(result.reason),
        result.detail,
        result.score,
        result.threshold,
        result.margin,
        result.part_id,
        result.result_id,
        result.recipe_name,
        result.recipe_id,
        result.inspect_ms,
        result.purpose,
        result.sample,
        str(result.origin),
        result.job_id,
        result.threshold_command_id,
    )
    return Reading(round(result.taken_utc.timestamp() * 1000), values, result.reason is Reason.CAMERA_LOST)


def metrics(reading: Reading, *, historical: bool = False) -> tuple[Metric, ...]:
    """The metrics of one reading."""
    return tuple(
        Metric(name, kind, value, reading.at_ms, alias, historical)
        for alias, ((name, kind), value) in enumerate(zip(_METRICS, reading.values, strict=True), start=1)
    )
