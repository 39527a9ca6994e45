"""A live camera that waits to be asked: one part for each trigger of the plant."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from edge.capture.camera import NewestFrame, shoot
from edge.capture.presence import Presence
from edge.capture.sources import Feed
from edge.events import Events
from edge.types import Order, Reason, Shot, Unfit, Verdict

log = logging.getLogger(__name__)

_STOP_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Trigger:
    """Which part lies there now, what asked for it, and when that came."""

    part_id: str
    order: Order
    mono_s: float
    utc: datetime


class Triggers:
    """At most one trigger that waits for its frame: a second one behind it would see a later part than the one it means."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Trigger | None = None
        self._closed = False

    @property
    def free(self) -> bool:
        """Whether none waits; only `offer` changes that to no."""
        with self._changed:
            return self._waiting is None

    def offer(self, trigger: Trigger) -> bool:
        """False: another one still waits, or the line has ended."""
        with self._changed:
            if self._waiting or self._closed:
                return False
            self._waiting = trigger
            self._changed.notify_all()
            return True

    def waiting(self, stop: threading.Event) -> Trigger | None:
        """Wait for the next one, and leave it in place until it is `taken`; None: the line is stopped."""
        with self._changed:
            while not (self._waiting or stop.is_set()):
                # In slices, because stopping is an event of its own.
                self._changed.wait(_STOP_POLL_S)
            return None if stop.is_set() else self._waiting

    def taken(self) -> None:
        """Its frame is there, or will not come; the next one may."""
        with self._changed:
            self._waiting = None

    def close(self) -> Trigger | None:
        """Take no more; returns the one that nobody will serve."""
        with self._changed:
            self._closed = True
            return self._waiting


class TriggeredCameraSource:
    """The newest frame that arrived after each trigger; CAMERA_LOST for each that gets none within `timeout_s`.

    A trigger that comes while a part is being judged gets its frame right after that, so at most one inspection late.
    """

    def __init__(
        self, device: int | str, timeout_s: float, triggers: Triggers, stop: threading.Event, events: Events | None = None
    ) -> None:
        self._device, self._timeout_s, self._triggers, self._stop = device, timeout_s, triggers, stop
        self._presence = Presence(device, events or Events())
        self._frames: NewestFrame | None = None

    def feed(self) -> Feed:
        """Whether frames come."""
        return self._presence.feed(self._frames.newest if self._frames else None)

    def __iter__(self) -> Iterator[Shot]:
        frames = self._frames = NewestFrame(self._device, self._timeout_s, self._stop)
        while trigger := self._triggers.waiting(self._stop):
            exposure = frames.newer_than(trigger.mono_s, self._timeout_s)
            if exposure is None and self._stop.is_set():
                break
            self._triggers.taken()
            if exposure:
                self._presence.here(exposure)
                yield shoot(trigger.part_id, exposure, trigger.order)
                continue
            fault = frames.fault
            self._presence.lost(fault)
            yield _unfit(trigger, fault)
        if left := self._triggers.close():
            log.error("the line ended before part %s of trigger %s was judged", left.part_id, left.order.command_id)
        frames.join()

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """Nothing to tidy up."""


def _unfit(trigger: Trigger, fault: str) -> Unfit:
    return Unfit(trigger.part_id, -1, trigger.mono_s, trigger.utc, Reason.CAMERA_LOST, fault, order=trigger.order)
