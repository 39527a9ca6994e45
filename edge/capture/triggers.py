"""What asks for a part: a trigger, wherever it comes from, and the place where the one waits that is not served yet."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from edge.types import Order, Shot, Verdict

_STOP_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Trigger:
    """Which part lies there now, what asked for it, and when that came.

    order: None where the plant did not ask by command. result_id: what the result will be called, where somebody was told
    so. told: called with the verdict when every sink has the result, in the line's thread; must not block.
    """

    part_id: str
    order: Order | None
    mono_s: float
    utc: datetime
    result_id: str | None = None
    told: Callable[[Verdict], None] | None = None

    def marked(self, shot: Shot) -> Shot:
        """The shot it asked for."""
        return replace(shot, order=self.order, asked_mono_s=self.mono_s, result_id=self.result_id)

    def __str__(self) -> str:
        """For the journal."""
        return f"part {self.part_id} of trigger {self.order.command_id}" if self.order else f"part {self.part_id}"


class Triggers:
    """At most one trigger that waits for its frame: a second one behind it would see a later part than the one it means."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Trigger | None = None
        self._closed = False
        self._refused = 0

    @property
    def free(self) -> bool:
        """Whether none waits; only `offer` changes that to no."""
        with self._changed:
            return self._waiting is None

    @property
    def refused(self) -> int:
        """How many were not taken because another one waited."""
        with self._changed:
            return self._refused

    def offer(self, trigger: Trigger) -> bool:
        """False: another one still waits, or the line has ended."""
        with self._changed:
            if self._waiting or self._closed:
                self._refused += not self._closed
                return False
            self._waiting = trigger
            self._changed.notify_all()
            return True

    def waiting(self, stop: threading.Event) -> Trigger | None:
        """Wait a moment for the next one, and leave it in place until it is `taken`; None: none has come, or stopped."""
        with self._changed:
            if not (self._waiting or stop.is_set()):
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
