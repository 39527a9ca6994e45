"""The honest watchdog: systemd hears of a line only while every thread of it that must go on does."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from edge.events import EventCode, Events, Trouble
from edge.host.notify import Notifier
from edge.host.pulse import Beat, Pulse, place_of

_PATIENCE_S = 15.0
"""How long one picture, or one write to the disk, may take where no watchdog says."""

_LOOK_S = 1.0


class Watchdog:
    """Looks at the pulses and tells systemd.

    A missing camera or broker is no reason to stop: whoever waits for them goes on asking. A native call that does not
    come back is one, and so is a disk that takes longer than half the period for one write: what was judged meanwhile waits
    in memory only, and a restart is the one mend a program has. Half a period without a beat ends the pings, so systemd acts
    between one and one and a half periods after the last beat.

    pulses: of the threads that must go on; standing: what the line does, in words; period_s: WatchdogSec=, None where nobody
    watches: then a stuck thread is only said.
    """

    def __init__(
        self,
        pulses: Sequence[Pulse],
        standing: Callable[[], str],
        notifier: Notifier,
        period_s: float | None,
        events: Events,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pulses, self._standing, self._notifier, self._clock = pulses, standing, notifier, clock
        self._period_s = period_s
        self._patience_s = period_s / 2 if period_s else _PATIENCE_S
        self._trouble = Trouble(events, EventCode.STUCK, EventCode.MOVES_AGAIN)
        self._status = ""
        self._due_s = -float("inf")

    @property
    def look_s(self) -> float:
        """How often to look."""
        return min(_LOOK_S, self._patience_s / 2)

    def ready(self) -> None:
        """The line begins."""
        self._status = self._standing()
        self._notifier.tell("READY=1", f"STATUS={self._status}")

    def stopping(self) -> None:
        """The line has ended; what waits is still brought out."""
        self._notifier.tell("STOPPING=1", "STATUS=ends: brings out the results that wait")

    def look(self) -> None:
        """Ping if every thread goes on; else say which one does not, and where it is."""
        stuck = [beat for pulse in self._pulses if (beat := pulse.stuck(self._patience_s))]
        self._say(stuck)
        if stuck:
            self._tell_status("stuck: " + ", ".join(beat.doing for beat in stuck))
            return
        if self._notifier.heard:
            self._tell_status(self._standing())
        now_s = self._clock()
        if self._period_s and now_s >= self._due_s:
            self._due_s = now_s + self._period_s / 2
            self._notifier.tell("WATCHDOG=1")

    def _tell_status(self, status: str) -> None:
        if status != self._status:
            self._status = status
            self._notifier.tell(f"STATUS={status}")

    def _say(self, stuck: Sequence[Beat]) -> None:
        if not stuck:
            self._trouble.end("the line moves again")
            return
        now_s = self._clock()
        words = (f"{beat.doing} has not moved for {now_s - beat.mono_s:.0f} s{_at(beat)}" for beat in stuck)
        consequence = "; systemd will start it again" if self._period_s else ""
        self._trouble.begin(f"stuck: {', '.join(words)}{consequence}")


def _at(beat: Beat) -> str:
    place = place_of(beat.thread)
    return f" (at {place})" if place else " (its thread has ended)"


@contextmanager
def attended(watchdog: Watchdog) -> Iterator[None]:
    """Say that the line is ready, look after it in a thread until it ends, and say that it ends."""
    ended = threading.Event()

    def look_until_ended() -> None:
        while not ended.wait(watchdog.look_s):
            watchdog.look()

    thread = threading.Thread(target=look_until_ended, name="watchdog", daemon=True)
    watchdog.ready()
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_LOOK_S)
        watchdog.stopping()
