"""Where commands and the line meet: what a command sets here, the line reads before its next part."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from edge.capture.sources import LiveSource, LookedAfter, Source
from edge.recipe.recipe import Recipe
from edge.types import Frame, Order, Shot, Verdict

_STOP_POLL_S = 0.1

_MOST_JOBS = 16
"""Kept for parts that were asked for or taken before the last one was set and come later, all of them within a few takts."""


class Controls:
    """The recipe in use, the job, and whether parts are judged. Any thread may call any of it."""

    def __init__(self, recipe: Recipe) -> None:
        self._changed = threading.Condition()
        self._recipe = recipe
        self._dress: Callable[[Recipe], Recipe] = lambda recipe: recipe
        self._paused = False
        self._jobs: deque[tuple[float, Order]] = deque(maxlen=_MOST_JOBS)  # from when, monotonic seconds; the last is set

    @property
    def recipe(self) -> Recipe:
        """What the next part is judged with."""
        with self._changed:
            return self._recipe

    @property
    def paused(self) -> bool:
        """Whether parts are left alone."""
        with self._changed:
            return self._paused

    def change_recipe(self, make: Callable[[Recipe], Recipe]) -> None:
        """Put what `make` gives in the place of the recipe it is given; nothing comes between. Errors of `make` pass."""
        with self._changed:
            self._recipe = self._dress(make(self._recipe))

    def dress_with(self, dress: Callable[[Recipe], Recipe]) -> None:
        """What the recipe in use goes through, and each that comes into use: it adds what was taught here."""
        with self._changed:
            self._dress = dress
            self._recipe = dress(self._recipe)

    def pause(self) -> None:
        """After the part in work."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        """Go on with the next part."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    @property
    def job(self) -> Order | None:
        """What parts belong to that come without a trigger of their own."""
        with self._changed:
            return self._jobs[-1][1] if self._jobs else None

    def set_job(self, job: Order, mono_s: float) -> None:
        """Parts that are asked for or taken from now on belong to it. mono_s: now, monotonic seconds."""
        with self._changed:
            self._jobs.append((mono_s, job))

    def ordered(self, shot: Shot) -> Shot:
        """The shot with the job that was set when it was asked for, else taken; one that has an order keeps it.

        One from before all jobs that are remembered gets none: nobody knows, and another's would be wrong.
        """
        meant_s = shot.taken_mono_s if shot.asked_mono_s is None else shot.asked_mono_s
        with self._changed:
            job = next((job for from_s, job in reversed(self._jobs) if meant_s >= from_s), None)
        return shot if shot.order or job is None else replace(shot, order=job)

    def goes_on(self, stop: threading.Event, most_s: float) -> bool:
        """Wait for so many seconds at most; whether parts are judged then, or `stop` is set."""
        with self._changed:
            if self._paused and not stop.is_set():
                self._changed.wait(most_s)
            return not self._paused or stop.is_set()


class PausableSource:
    """A source that rests while the line is paused, and whose shots belong to the job that is set.

    Files wait, and that time does not count as theirs. live: what a camera saw when the pause began is not what it will see
    at its end, so that frame is dropped; its reader goes on by itself, so the first frame after the pause is a new one.
    """

    def __init__(self, source: Source, controls: Controls, stop: threading.Event, *, live: bool) -> None:
        self._source, self._controls, self._stop, self._live = source, controls, stop, live

    def __iter__(self) -> Iterator[Shot]:
        shots = iter(self._source)
        while True:
            self._wait_while_paused()
            shot = next(shots, None)
            if shot is None:
                return
            if self._controls.paused:
                # The pause came while the source waited for this one.
                if self._live and isinstance(shot, Frame):
                    continue
                shot = _came_later(shot, self._wait_while_paused())
                if self._controls.paused:
                    return
            yield self._controls.ordered(shot)

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """As the source says."""
        self._source.done(shot, verdict)

    def _wait_while_paused(self) -> float:
        """Returns for how many seconds."""
        began_s, over = time.monotonic(), partial(self._controls.goes_on, self._stop)
        if isinstance(self._source, LookedAfter):
            self._source.rest(over)
        else:
            # In slices, because stopping is an event of its own.
            while not over(_STOP_POLL_S):
                pass
        return time.monotonic() - began_s


class PausableLiveSource(PausableSource):
    """The same around a source that may be lost and come back."""

    def __init__(self, source: LiveSource, controls: Controls, stop: threading.Event, *, live: bool) -> None:
        super().__init__(source, controls, stop, live=live)
        self.feed = source.feed


class OrderedLiveSource:
    """A source whose shots belong to the job that is set, around a camera that is triggered.

    It does not rest while the line is paused: triggers are refused then, and one that was accepted before means the part
    that lies there now, not the one that will lie there after the pause.
    """

    def __init__(self, source: LiveSource, controls: Controls) -> None:
        self._source, self._controls = source, controls
        self.feed, self.done = source.feed, source.done

    def __iter__(self) -> Iterator[Shot]:
        return map(self._controls.ordered, self._source)


def _came_later(shot: Shot, paused_s: float) -> Shot:
    """The shot of a file that waited so long for the end of a pause: it is not late for that."""
    came_s = shot.taken_mono_s if shot.arrived_mono_s is None else shot.arrived_mono_s
    return replace(shot, arrived_mono_s=came_s + paused_s)
