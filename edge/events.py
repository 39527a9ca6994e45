"""What happens at a station besides results: said to the journal, and to everybody who listens, when it begins and ends."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edge.host.clock import utc_now

log = logging.getLogger(__name__)


class Severity(StrEnum):
    """How soon somebody must come."""

    INFO = "info"  # nothing to do
    WARNING = "warning"  # somebody is wanted
    ERROR = "error"  # parts are not judged, or results or proof are lost


class EventCode(StrEnum):
    """What happened; programs tell events apart by it."""

    CAMERA_LOST = "CAMERA_LOST"
    CAMERA_BACK = "CAMERA_BACK"
    CAMERA_FROZEN = "CAMERA_FROZEN"  # it repeats its last frame
    CAMERA_MOVES = "CAMERA_MOVES"
    CAMERA_NOISE_UNSEEN = "CAMERA_NOISE_UNSEEN"  # until it shows noise, a frozen picture cannot be told
    CAMERA_NOISE_SEEN = "CAMERA_NOISE_SEEN"
    CAMERA_SETTINGS_REFUSED = "CAMERA_SETTINGS_REFUSED"  # it did not take what the station file says
    CAMERA_SETTINGS_TAKEN = "CAMERA_SETTINGS_TAKEN"
    TRIGGER_LOST = "TRIGGER_LOST"  # the input line cannot be read
    TRIGGER_BACK = "TRIGGER_BACK"
    TRIGGER_MISSED = "TRIGGER_MISSED"  # a part passed while the one before was not served; it has no verdict
    TRIGGER_SERVED = "TRIGGER_SERVED"
    FOLDER_LOST = "FOLDER_LOST"  # a watched folder cannot be listed
    FOLDER_BACK = "FOLDER_BACK"
    FILE_GIVEN_UP = "FILE_GIVEN_UP"  # the process ended twice with it in work; it is not read again
    RECIPE_ACTIVATED = "RECIPE_ACTIVATED"
    RECIPE_CONFIRMED = "RECIPE_CONFIRMED"  # its trial is over, it is the good one
    RECIPE_DOUBTED = "RECIPE_DOUBTED"  # something speaks against the recipe on trial
    RECIPE_ROLLED_BACK = "RECIPE_ROLLED_BACK"
    RECIPE_MISSING = "RECIPE_MISSING"  # parts of a job are not judged
    SHIFT_CHECK_DUE = "SHIFT_CHECK_DUE"  # samples are awaited
    SHIFT_CHECK_RELEASED = "SHIFT_CHECK_RELEASED"
    SHIFT_CHECK_BLOCKED = "SHIFT_CHECK_BLOCKED"
    EVIDENCE_LOST = "EVIDENCE_LOST"  # pictures cannot be kept
    EVIDENCE_BACK = "EVIDENCE_BACK"
    OUTBOX_CORRUPT = "OUTBOX_CORRUPT"
    OUTBOX_EVICTING = "OUTBOX_EVICTING"
    STUCK = "STUCK"  # a part of the program does not go on
    MOVES_AGAIN = "MOVES_AGAIN"
    PART_TAUGHT = "PART_TAUGHT"  # a rejected part that a person accepted counts as good
    TEACHING_UNDONE = "TEACHING_UNDONE"
    TEACHING_REFUSED = "TEACHING_REFUSED"
    TEACHING_LOST = "TEACHING_LOST"  # the ledger cannot be read: parts that were taught are rejected again
    SHADOW_ENDED = "SHADOW_ENDED"  # the challenger has dropped out; the line goes on
    PART_CONFIRMED = "PART_CONFIRMED"  # a person has looked at a reject: it is defective
    PART_ACCEPTED = "PART_ACCEPTED"  # it is good
    PART_RULING_UNDONE = "PART_RULING_UNDONE"  # that was a mistake


_SEVERITY = {
    EventCode.CAMERA_LOST: Severity.ERROR,
    EventCode.CAMERA_FROZEN: Severity.ERROR,
    EventCode.CAMERA_NOISE_UNSEEN: Severity.WARNING,
    EventCode.CAMERA_SETTINGS_REFUSED: Severity.ERROR,
    EventCode.TRIGGER_LOST: Severity.ERROR,
    EventCode.TRIGGER_MISSED: Severity.ERROR,
    EventCode.FOLDER_LOST: Severity.ERROR,
    EventCode.FILE_GIVEN_UP: Severity.ERROR,
    EventCode.RECIPE_DOUBTED: Severity.WARNING,
    EventCode.RECIPE_ROLLED_BACK: Severity.WARNING,
    EventCode.RECIPE_MISSING: Severity.ERROR,
    EventCode.SHIFT_CHECK_DUE: Severity.WARNING,
    EventCode.SHIFT_CHECK_BLOCKED: Severity.ERROR,
    EventCode.EVIDENCE_LOST: Severity.ERROR,
    EventCode.OUTBOX_CORRUPT: Severity.ERROR,
    EventCode.OUTBOX_EVICTING: Severity.ERROR,
    EventCode.STUCK: Severity.ERROR,
    EventCode.TEACHING_REFUSED: Severity.WARNING,
    EventCode.TEACHING_LOST: Severity.ERROR,
    EventCode.SHADOW_ENDED: Severity.WARNING,
}
"""Of all others: info."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event. detail: a sentence; since_utc: when that began which ends now, else None."""

    code: EventCode
    severity: Severity
    detail: str
    time_utc: datetime
    since_utc: datetime | None


_MOST_UNHEARD = 100

Listener = Callable[[Happening], None]
"""Called in whatever thread something happened; must not block."""


class Events:
    """Where everybody says what happens; without a listener, the journal alone has it."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._unheard: deque[Happening] = deque(maxlen=_MOST_UNHEARD)

    def listen(self, listener: Listener) -> None:
        """Tell this one, too, from now on; the first is told what was said before it came."""
        self._listeners = (*self._listeners, listener)
        while self._unheard:
            listener(self._unheard.popleft())

    def say(self, code: EventCode, detail: str, since_utc: datetime | None = None) -> Happening:
        """It happened now. since_utc: when that began which ends now."""
        happening = Happening(code, _SEVERITY.get(code, Severity.INFO), detail, utc_now(), since_utc)
        log.log(_loudness(happening), "%s", detail, extra={"journal": {"GOODPART_EVENT": code}})
        if not self._listeners:
            self._unheard.append(happening)
        for listener in self._listeners:
            listener(happening)
        return happening


class Trouble:
    """A state that lasts: its beginning is said once, and so is its end. Used by one thread at a time."""

    def __init__(self, events: Events, begins: EventCode, ends: EventCode) -> None:
        self._events, self._begins, self._ends = events, begins, ends
        self._since_utc: datetime | None = None

    def begin(self, detail: str) -> bool:
        """It is there; whether it was not before."""
        if self._since_utc is not None:
            return False
        self._since_utc = self._events.say(self._begins, detail).time_utc
        return True

    def end(self, detail: str) -> None:
        """It is not there any more, or never was."""
        if self._since_utc is not None:
            self._events.say(self._ends, detail, self._since_utc)
        self._since_utc = None


def _loudness(happening: Happening) -> int:
    """Level of the journal: whoever read there that something began reads that it ended, too."""
    if happening.severity is Severity.ERROR:
        return logging.ERROR
    return logging.WARNING if happening.severity is Severity.WARNING or happening.since_utc else logging.INFO
