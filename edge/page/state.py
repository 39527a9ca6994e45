"""What the page is told, as models: the lamp and its surroundings, the trend, the gallery, health in words."""

from enum import StrEnum

from edge.page.journal import Ruling
from edge.report.wire import Message
from edge.types import Decision


class Lamp(StrEnum):
    """What the lamp shows. Only the first three are colours of a verdict; all others are grey."""

    OK = "ok"
    NOK = "nok"
    NOT_DECIDABLE = "undecided"
    SILENT = "silent"  # no verdict for a while, or none yet
    PAUSED = "paused"
    SHIFT_CHECK = "shift"  # a sample is awaited


class Now(Message):
    """The lamp and all that stands around it. It changes at least once a second, so a page knows that it is still told."""

    beat: int
    """Seconds of a clock that never steps."""

    boot_id: str
    lamp: Lamp
    word: str
    """What the lamp says in letters."""

    reason: str
    """Why, in plain words."""

    detail: str
    """Particulars; may be empty."""

    notices: tuple[str, ...]
    """What somebody must do or know now."""

    seq: int | None
    """Of the newest result; null while there is none."""

    part_id: str
    job_id: str | None
    score: float | None
    threshold: float
    age_s: int | None
    """Since the newest result was there."""

    pictured: bool
    """Whether the newest result has a picture to show."""

    origin: str
    recipe: str
    """Name and the beginning of the id."""

    counts: dict[Decision, int]
    """Parts of production since the start."""

    first_pass: float | None
    """Share of OK among them."""

    takt_s: float | None
    """Median time between two of the last parts."""

    latency_ms: float | None
    """Median from picture to verdict of the last parts."""


class Trend(Message):
    """The last parts, oldest first; all tuples are as long as each other."""

    last_seq: int
    scores: tuple[float | None, ...]
    """Null where nothing was measured."""

    thresholds: tuple[float, ...]
    verdicts: tuple[Decision, ...]


class Card(Message):
    """One part of the gallery."""

    result_id: str
    part_id: str
    job_id: str | None
    verdict: Decision
    reason: str
    """In plain words."""

    detail: str
    score: float | None
    threshold: float
    taken_utc: str
    """RFC 3339, for the browser to put into its own time."""

    ruling: Ruling | None
    """What a person said of it."""

    who: str
    undoable: bool
    """Whether that may still be taken back."""


class Gallery(Message):
    """The last rejected and undecided parts, newest first."""

    cards: tuple[Card, ...]


class Fact(Message):
    """One line of health."""

    what: str
    words: str


class HealthWords(Message):
    """How the station is."""

    troubles: tuple[str, ...]
    """Empty: it is healthy."""

    facts: tuple[Fact, ...]
