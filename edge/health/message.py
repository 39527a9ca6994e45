"""The health message: its one model."""

from typing import Literal

from pydantic import AwareDatetime, Field

from edge.report.books import Loss
from edge.report.wire import Message, StationName
from edge.shadow.counts import Agreement
from edge.types import Decision, Reason


class Count(Message):
    """How many results had this verdict for this reason."""

    verdict: Decision
    reason: Reason
    """Why."""

    count: int
    """How many."""


class LossCount(Message):
    """How many results were lost for this cause."""

    cause: Loss
    """Why they are lost."""

    count: int
    """How many."""


class DeliveryHealth(Message):
    """The books of one sink since the start of the process: results + carried = delivered + waiting + lost."""

    to: str
    """`mqtt`, `results` or `sparkplug`, as in the station file."""

    delivered: int
    """Results that arrived; to `sparkplug`, which confirms nothing, those that were written to a connection."""

    waiting: int
    """Results that have not arrived yet."""

    lost: int
    """Results that will never arrive."""

    losses: tuple[LossCount, ...]
    """Of each cause that this sink knows, also where there was none."""

    carried: int
    """Results of earlier boots that waited at the start; they are counted when they are delivered or lost."""

    oldest_waiting_s: float | None
    """For how long the oldest result waits; null where that is not known."""

    reconciles: bool
    """Whether these books agree with what the line has judged."""


class Latency(Message):
    """Milliseconds: quantiles (nearest rank, no error) and maximum of the last 10,000 pictures; count and sum of all."""

    p50: float
    """Median."""

    p95: float
    """Quantile."""

    p99: float
    """Quantile."""

    max: float
    """The longest."""

    count: int
    """Of all pictures since the start."""

    sum: float
    """Of all pictures since the start."""


class AgreementCount(Message):
    """For how many parts the recipe in use and the one alongside came out like this."""

    agreement: Agreement
    """`only_champion` and `only_challenger`: it alone rejects the part; `undecided`: one or both are NOT_DECIDABLE."""

    count: int
    """How many."""


class ShadowHealth(Message):
    """A recipe that judges alongside, since the one in use came into use."""

    recipe_name: str
    """As the line engineer called it."""

    recipe_id: str
    """Of the recipe's manifest."""

    state: Literal["JUDGING", "RESTING", "ENDED"]
    """`RESTING`: it is the recipe in use; `ENDED`: it has failed, and judges nothing until the next start."""

    counts: tuple[AgreementCount, ...]
    """Of each kind, also where there was none."""

    skipped: int
    """Parts that it did not judge because newer ones came."""

    inspect_ms: Latency | None
    """Time that its judging took; null before the first picture."""


class SourceHealth(Message):
    """A source that may go away: a camera, or a watched folder."""

    kind: str
    """As in the station file."""

    up: bool
    """Whether pictures come."""

    for_s: float
    """How long it has been up or lost."""

    losses: int
    """How often it was lost."""

    frames: int
    """Pictures that came."""

    dropped: int
    """Pictures that a newer one replaced before the line asked for one, which is usual where a camera is faster."""

    newest_age_s: float | None
    """Age of the newest picture; null while there is none."""

    reopenings: int
    """How often the camera was opened again."""

    refused: int
    """Triggers that came while another one still waited to be served; whoever can hear was told BUSY."""

    fault: Reason | None = None
    """Why no part is judged, as in the results: `CAMERA_LOST`, or with pictures that come `FROZEN` and `WRONG_SETTINGS`."""

    fault_detail: str | None = None
    """The same in words; null where nothing is known to be wrong."""

    freeze_told: bool | None = None
    """Whether a picture that froze now would be found: not before the camera has shown noise; null for a folder."""


class BrokerHealth(Message):
    """The connection to the broker."""

    connected: bool
    """Whether the broker has accepted this station."""

    for_s: float
    """How long it has been as it is."""

    reconnects: int
    """How often the connection was made again."""


class MachineHealth(Message):
    """What the operating system says; null where it does not."""

    rss_bytes: int | None
    """Resident memory of this process."""

    temperature_c: float | None
    """Of the hottest zone."""

    disk_free_bytes: int | None
    """For this user, where results wait."""

    clock_synced: bool | None
    """Whether a time server disciplines the clock."""


class Health(Message):
    """How one station is. Counts are of this boot; durations say their unit."""

    format: Literal["goodpart.health/1"] = "goodpart.health/1"
    boot_id: str
    """As in the results."""

    station: StationName
    recipe_name: str
    """As the line engineer called it."""

    recipe_id: str
    """Of the recipe's manifest."""

    taught: int = 0
    """How many rejected parts count as good because people accepted them."""

    sent_utc: AwareDatetime
    """RFC 3339, UTC, by the clock of the device."""

    interval_s: float
    """How often health is told."""

    uptime_s: float = Field(ge=0)
    """Since the start of the program."""

    inspected: int
    """Parts of production."""

    sampled: int
    """Master parts of the shift check."""

    in_hand: int
    """By how many results the books may differ because the line was busy with a sink whenever they were read."""

    reconciles: bool
    """Whether for every sink inspected + sampled + carried = delivered + waiting + lost."""

    parts: tuple[Count, ...]
    """Verdicts of parts of production."""

    samples: tuple[Count, ...]
    """Verdicts of master parts."""

    delivery: tuple[DeliveryHealth, ...]
    """One for each sink."""

    inspect_ms: Latency | None
    """Time that judging took; null before the first picture."""

    capture_to_decision_ms: Latency | None
    """From the picture's arrival to the verdict."""

    source: SourceHealth | None
    """Null for pictures and videos of before."""

    broker: BrokerHealth | None
    """Null where none is named."""

    shadow: ShadowHealth | None = None
    """Null where no recipe judges alongside, or it could not be opened."""

    machine: MachineHealth
    """What the operating system says; null where it does not."""
