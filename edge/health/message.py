"""The health message: its one model, and its bytes."""

from typing import Literal

from pydantic import AwareDatetime, Field

from edge.report.books import Loss
from edge.report.message import StationName
from edge.strict import Strict
from edge.types import Decision, Reason


class Count(Strict):
    """How many results had this verdict for this reason."""

    verdict: Decision
    reason: Reason
    count: int


class LossCount(Strict):
    """How many results were lost for this cause."""

    cause: Loss
    count: int


class DeliveryHealth(Strict):
    """The books of one sink since the start of the process: results + carried = delivered + waiting + lost.

    to: `mqtt` or `results`, as in the station file. carried: results of earlier boots that waited at the start; they are
    counted when they are delivered or lost. losses: of each cause that this sink knows, also where there was none.
    """

    to: str
    delivered: int
    waiting: int
    lost: int
    losses: tuple[LossCount, ...]
    carried: int
    oldest_waiting_s: float | None
    reconciles: bool


class Latency(Strict):
    """Milliseconds: quantiles (nearest rank, no error) and maximum of the last 10,000 pictures; count and sum of all."""

    p50: float
    p95: float
    p99: float
    max: float
    count: int
    sum: float


class SourceHealth(Strict):
    """A source that may go away: a camera, or a watched folder.

    for_s: how long it has been up or lost. frames: pictures that came; dropped: those that a newer one replaced before the
    line asked for one, which is usual where a camera is faster than the line.
    """

    kind: str
    up: bool
    for_s: float
    losses: int
    frames: int
    dropped: int
    newest_age_s: float | None


class BrokerHealth(Strict):
    """The connection to the broker. for_s: how long it has been as it is."""

    connected: bool
    for_s: float
    reconnects: int


class MachineHealth(Strict):
    """What the operating system says; null where it does not.

    rss_bytes: resident memory of this process. temperature_c: of the hottest zone. disk_free_bytes: for this user, where
    results wait. clock_synced: whether the kernel's clock is steered by a time server.
    """

    rss_bytes: int | None
    temperature_c: float | None
    disk_free_bytes: int | None
    clock_synced: bool | None


class Health(Strict):
    """How one station is. Counts are of this boot; durations say their unit; times are RFC 3339 in UTC.

    inspected: parts of production; sampled: master parts of the shift check. in_hand: by how many results the books may
    differ because the line was busy with a sink whenever they were read; 0 unless a sink holds it up. reconciles: for every
    sink, inspected + sampled + carried = delivered + waiting + lost.
    """

    format: Literal["goodpart.health/1"] = "goodpart.health/1"
    boot_id: str
    station: StationName
    recipe_name: str
    recipe_id: str
    sent_utc: AwareDatetime
    interval_s: float
    uptime_s: float = Field(ge=0)
    inspected: int
    sampled: int
    in_hand: int
    reconciles: bool
    parts: tuple[Count, ...]
    samples: tuple[Count, ...]
    delivery: tuple[DeliveryHealth, ...]
    inspect_ms: Latency | None
    capture_to_decision_ms: Latency | None
    source: SourceHealth | None
    broker: BrokerHealth | None
    machine: MachineHealth


def to_wire(health: Health) -> bytes:
    """UTF-8 JSON on one line."""
    return health.model_dump_json().encode()
