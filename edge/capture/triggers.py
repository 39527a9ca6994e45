"""What asks for a part: a trigger, wherever it comes from, and the place where the one waits that is not served yet."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from edge.capture.camera import Exposure
from edge.types import Order, Shot, Verdict

_STOP_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Trigger:
    """Which part lies there now, what asked for it, and when that came.

    order: None where the plant did not ask by command. result_id: what the result will be called, where somebody was told
    so. told: called with the verdict when every sink has the result, in the line's thread, or with None when the line ends
    before a frame was taken; must not block.
    """

    part_id: str
    order: Order | None
    mono_s: float
    utc: datetime
    result_id: str | None = None
    told: Callable[[Verdict | None], None] | None = None

    def marked(self, shot: Shot) -> Shot:
        """The shot it asked for."""
        return replace(shot, order=self.order, asked_mono_s=self.mono_s, result_id=self.result_id)

    def __str__(self) -> str:
        """For the journal."""
        return f"part {self.part_id} of trigger {self.order.command_id}" if self.order else f"part {self.part_id}"


class Offered(Enum):
    """What becomes of a trigger. BUSY: another one still waits to be served; ENDED: the line takes no more."""

    TAKEN = auto()
    BUSY = auto()
    ENDED = auto()


class Triggers:
    """At most one trigger that waits to be served, and the frame that is its own, kept for it while the line is busy.

    Its own is the first that arrived after it: when the line has judged the part before, the newest one may show a later
    part. One frame serves one trigger. So at most two frames are kept here, the newest and that one, and none is copied.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Trigger | None = None
        self._own: Exposure | None = None
        self._newest: Exposure | None = None
        self._used_s = -float("inf")
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

    def offer(self, trigger: Trigger) -> Offered:
        """Let it wait, if none does. A frame of after it that is there already is its own."""
        with self._changed:
            if self._closed:
                return Offered.ENDED
            if self._waiting:
                self._refused += 1
                return Offered.BUSY
            self._waiting = trigger
            self._keep()
            self._changed.notify_all()
            return Offered.TAKEN

    def show(self, exposure: Exposure) -> None:
        """The camera has given this frame. Called with each one, in the thread that reads the camera."""
        with self._changed:
            self._newest = exposure
            self._keep()

    def waiting(self, stop: threading.Event) -> Trigger | None:
        """Wait a moment for the next one, and leave it in place until it is `taken`; None: none has come, or stopped."""
        with self._changed:
            if not (self._waiting or stop.is_set()):
                # In slices, because stopping is an event of its own.
                self._changed.wait(_STOP_POLL_S)
            return None if stop.is_set() else self._waiting

    def frame(self, deadline_s: float, stop: threading.Event) -> Exposure | None:
        """Wait for the own frame of the one that waits; None: none arrived until `deadline_s`, monotonic, or stopped."""
        with self._changed:
            while self._own is None and (left_s := deadline_s - time.monotonic()) > 0 and not stop.is_set():
                self._changed.wait(min(left_s, _STOP_POLL_S))
            return self._own if self._own and self._own.mono_s <= deadline_s else None

    def taken(self) -> None:
        """Its frame is there, or will not come; the next one may."""
        with self._changed:
            if self._own:
                self._used_s = self._own.mono_s
            self._waiting = self._own = None

    def close(self) -> Trigger | None:
        """Take no more, and tell whoever waits for the one that nobody will serve, which is returned."""
        with self._changed:
            self._closed = True
            left, self._waiting = self._waiting, None
            self._own = self._newest = None
        if left and left.told:
            left.told(None)
        return left

    def _keep(self) -> None:
        newest = self._newest
        if newest and self._waiting and self._own is None and newest.mono_s > max(self._waiting.mono_s, self._used_s):
            self._own = newest
            self._changed.notify_all()
