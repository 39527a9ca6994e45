"""What asks for a part: a trigger, wherever it comes from, and the place where the one waits that is not served yet."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from edge.capture.camera import Exposure
from edge.types import Order, Shot, Verdict

_STOP_POLL_S = 0.1

_RECENT_S, _RECENT_BYTES = 0.5, 64_000_000
"""What is kept of frames for a trigger that is offered late; four of 5 megapixels in colour."""


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


@dataclass(frozen=True, slots=True)
class Missed:
    """What a trigger gets that was offered when the frame of its part was gone. late_s: how long after it came."""

    late_s: float

    def __str__(self) -> str:
        """Why its part is not judged."""
        return (
            f"the trigger was taken {self.late_s * 1000:.0f} ms after it came, too late for the picture of its part; a slow "
            "disk, caller or computer holds triggers up"
        )


class Triggers:
    """At most one trigger that waits to be served, and the frame that is its own, kept for it while the line is busy.

    Its own is the first that arrived after it: when the line has judged the part before, the newest one may show a later
    part. One frame serves one trigger. A trigger may be offered some time after it came, so the frames of the last half
    second are kept, in 64 MB at most, but always the newest; with the own one of the trigger that waits these are all, and
    none is copied. Where the first one is not among them any more, a later one is no answer: it is `Missed`.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Trigger | None = None
        self._offered_s = 0.0
        self._missed = False
        self._own: Exposure | None = None
        self._recent: deque[Exposure] = deque()
        self._newest_s = self._gone_s = -float("inf")
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
            self._waiting, self._offered_s = trigger, time.monotonic()
            self._missed = self._gone_s > trigger.mono_s
            self._keep()
            self._changed.notify_all()
            return Offered.TAKEN

    def show(self, exposure: Exposure) -> None:
        """The camera has given this frame. Called with each one, in the thread that reads the camera."""
        with self._changed:
            self._recent.append(exposure)
            self._newest_s = exposure.mono_s
            while len(self._recent) > 1 and self._is_too_much():
                self._gone_s = self._recent.popleft().mono_s
            self._keep()

    def waiting(self, stop: threading.Event) -> Trigger | None:
        """Wait a moment for the next one, and leave it in place until it is `taken`; None: none has come, or stopped."""
        with self._changed:
            if not (self._waiting or stop.is_set()):
                # In slices, because stopping is an event of its own.
                self._changed.wait(_STOP_POLL_S)
            return None if stop.is_set() else self._waiting

    def frame(self, deadline_s: float, stop: threading.Event) -> Exposure | Missed | None:
        """Wait for the own frame of the one that waits; None: none arrived until `deadline_s`, monotonic, or stopped."""
        with self._changed:
            while not (self._own or self._missed or stop.is_set()) and (left_s := deadline_s - time.monotonic()) > 0:
                self._changed.wait(min(left_s, _STOP_POLL_S))
            if self._own and self._own.mono_s <= deadline_s:
                return self._own
            if self._own:
                # It is too late for this part, and whose it is, is not known.
                self._gone_s = max(self._gone_s, self._own.mono_s)
            if self._waiting and (self._missed or self._is_offered_after(deadline_s)):
                return Missed(self._offered_s - self._waiting.mono_s)
            return None

    def taken(self) -> None:
        """Its frame is there, or will not come; the next one may."""
        with self._changed:
            self._waiting = self._own = None

    def close(self) -> Trigger | None:
        """Take no more, and tell whoever waits for the one that nobody will serve, which is returned."""
        with self._changed:
            self._closed = True
            left, self._waiting = self._waiting, None
            self._own = None
            self._recent.clear()
        if left and left.told:
            left.told(None)
        return left

    def _keep(self) -> None:
        if self._waiting is None or self._own or self._missed:
            return
        for place, exposure in enumerate(self._recent):
            if exposure.mono_s > self._waiting.mono_s:
                self._own = exposure
                del self._recent[place]
                self._changed.notify_all()
                return

    def _is_too_much(self) -> bool:
        recent = self._recent
        is_old = recent[-1].mono_s - recent[0].mono_s > _RECENT_S
        return is_old or sum(exposure.pixels.nbytes for exposure in recent) > _RECENT_BYTES

    def _is_offered_after(self, deadline_s: float) -> bool:
        """Whether it was, and the camera gave frames since the trigger; else it would be the camera that is lost."""
        return self._waiting is not None and self._offered_s > deadline_s and self._newest_s > self._waiting.mono_s
