"""Signs of life of threads that must go on: no lock in their way, and anybody may look."""

import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

_PACKAGE = Path(__file__).parents[1]

_SLICE_S = 1.0
"""A source that waits for long is alive all the same, and shows it so often."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What a thread began at that time, or that it was still at it then. mono_s: monotonic; longest_s: see `Pulse.beat`."""

    doing: str
    mono_s: float
    thread: int
    longest_s: float = 0.0


class Pulse:
    """What one thread is at. Only that thread writes; a thread that rests waits for work, and cannot be stuck."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Replaced as a whole, so that other threads see one moment.
        self._beat: Beat | None = None

    def beat(self, doing: str, longest_s: float = 0.0) -> None:
        """This thread begins with `doing` now. longest_s: it may take so long, whatever the patience of who looks."""
        self._beat = Beat(doing, self._clock(), threading.get_ident(), longest_s)

    def again(self) -> None:
        """It is still at it, and goes on. Threads that never said what they do are not meant."""
        if (beat := self._beat) and beat.thread == threading.get_ident():
            self.beat(beat.doing, beat.longest_s)

    def rest(self) -> None:
        """It waits for work, however long."""
        self._beat = None

    def stuck(self, patience_s: float) -> Beat | None:
        """The last beat, if it is older than that, and older than it may be."""
        beat = self._beat
        return beat if beat and self._clock() - beat.mono_s > max(patience_s, beat.longest_s) else None


@runtime_checkable
class Alive(Protocol):
    """Something with a thread that must go on."""

    @property
    def pulse(self) -> Pulse:
        """Its sign of life."""


class PulsingStop(threading.Event):
    """A `stop` that takes every question for a sign of life of the thread whose pulse it is given.

    A source asks in each of its loops and waits, since it has to end when it is told to; so no source needs to know of
    pulses, and one that hangs in a native call asks no more. Its helping threads ask too, and count for nothing.
    """

    def __init__(self, stop: threading.Event, pulse: Pulse) -> None:
        super().__init__()
        self._stop, self._pulse = stop, pulse

    def is_set(self) -> bool:
        """Whether to stop."""
        self._pulse.again()
        return self._stop.is_set()

    def set(self) -> None:
        """Stop, whoever asks."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """As `is_set`, after that many seconds or as soon as it is true."""
        deadline_s = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left_s = _SLICE_S if deadline_s is None else min(_SLICE_S, deadline_s - time.monotonic())
            if left_s <= 0:
                return False
            self._stop.wait(left_s)
        return True


def place_of(thread: int) -> str:
    """Where in this program a thread is: the innermost line of ours; empty for one that has ended."""
    # There is no public way to another thread's stack in this process.
    frame = sys._current_frames().get(thread)  # noqa: SLF001
    if frame is None:
        return ""
    stack = traceback.extract_stack(frame)
    ours = [call for call in stack if Path(call.filename).is_relative_to(_PACKAGE)]
    call = (ours or stack)[-1]
    name = Path(call.filename)
    shown = name.relative_to(_PACKAGE.parent) if ours else name
    return f"{shown}:{call.lineno} in {call.name}"
