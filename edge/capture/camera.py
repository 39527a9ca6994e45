"""A live camera. A thread of its own keeps only the newest frame, so that none is ever stale."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import cv2
from numpy.typing import NDArray

from edge.capture.frozen import Stillness
from edge.capture.noise import NoiseMemory
from edge.capture.pictures import to_bgr
from edge.capture.presence import Presence, fault_of
from edge.capture.settings import Deviation
from edge.capture.sources import Feed
from edge.capture.stream import Camera
from edge.errors import BadPicture, CameraLost
from edge.events import Events
from edge.host.clock import utc_now
from edge.host.ending import abandon
from edge.types import Frame, Reason, Shot, Unfit, Verdict

log = logging.getLogger(__name__)

_FIRST_BACKOFF_S, _LAST_BACKOFF_S = 1.0, 30.0
_STOP_POLL_S = 0.1
_GOODBYE_S = 1.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the camera gave, as it is; `number` counts the frames of this reader, times are those of its arrival.

    opening: how often the camera had been opened then. deviations: settings it was taken without. frozen: why the camera
    counts as frozen, in words; else None. freeze_told: whether one that froze now would be found.
    """

    pixels: NDArray[Any]
    number: int
    mono_s: float
    utc: datetime
    opening: int = 1
    deviations: tuple[Deviation, ...] = ()
    frozen: str | None = None
    freeze_told: bool = False


class NewestFrame:
    """Reads a camera for ever in a thread and keeps the newest frame; opens the camera again with growing pauses.

    It does so also to try settings again that the camera refused. A camera's read can block for ever and its release then
    would too, so only this thread calls them. It is a daemon: a camera that hangs does not keep the process from ending.

    shown: called with each frame in that thread, for who must not miss one; must not block. noise: see `Stillness`.
    began_s: since when, monotonic.
    """

    def __init__(
        self,
        camera: Camera,
        stop: threading.Event,
        shown: Callable[[Exposure], None] = lambda _exposure: None,
        noise: NoiseMemory | None = None,
    ) -> None:
        self._camera, self._stop, self._shown = camera, stop, shown
        self.began_s = time.monotonic()
        self._changed = threading.Condition()
        self._newest: Exposure | None = None
        self._fault = ""
        self._openings = self._number = 0
        self._settings_pause_s = _FIRST_BACKOFF_S
        self._stillness = Stillness(camera.traits, noise)
        self._reader = threading.Thread(target=self._read_for_ever, name="camera", daemon=True)
        self._reader.start()

    @property
    def fault(self) -> str:
        """Why there is no newer frame, as far as is known."""
        return self._fault or f"no frame within {self._camera.traits.timeout_s:g} s"

    @property
    def newest(self) -> Exposure | None:
        """The newest frame there is, however old."""
        return self._newest

    @property
    def openings(self) -> int:
        """How often the camera was opened."""
        return self._openings

    def newer_than(self, mono_s: float, timeout_s: float) -> Exposure | None:
        """Wait for a frame that arrived after `mono_s`; None when none comes in time or the line is stopped."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while (newest := self._newest) is None or newest.mono_s <= mono_s:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0 or self._stop.is_set():
                    return None
                # In slices, because stopping is an event of its own.
                self._changed.wait(min(left_s, _STOP_POLL_S))
        return newest

    def join(self) -> None:
        """After stop: let the reader give the camera back, but not for ever."""
        self._reader.join(_GOODBYE_S)
        abandon(self._reader)

    def _read_for_ever(self) -> None:
        pause_s = _FIRST_BACKOFF_S
        while not self._stop.is_set():
            before = self._number
            try:
                self._look_through()
                continue
            except (CameraLost, cv2.error) as err:
                self._fault = str(err)
            except Exception as err:
                # A driver may raise anything, and once this thread has ended no camera ever comes back.
                fault = f"its driver failed: {type(err).__name__}: {err}"
                if fault != self._fault:
                    log.exception("the camera's driver failed")
                self._fault = fault
            # A camera that gave frames is tried again soon; one that does not, with growing pauses.
            pause_s = _FIRST_BACKOFF_S if self._number > before else min(pause_s * 2, _LAST_BACKOFF_S)
            self._stop.wait(pause_s)

    def _look_through(self) -> None:
        """Open the camera and keep frame after frame, until the settings that it refused are to be tried again.

        Raises:
            CameraLost: it cannot be opened, or gives no more frames.
        """
        stream = self._camera.open()
        self._openings += 1
        # It gives frames meanwhile, so that it counts as there; only opening it again sets everything again.
        again_s = time.monotonic() + self._settings_pause_s
        self._settings_pause_s = min(self._settings_pause_s * 2, _LAST_BACKOFF_S) if stream.deviations else _FIRST_BACKOFF_S
        try:
            while not self._stop.is_set():
                pixels = stream.read()
                if pixels is None:
                    raise CameraLost("the camera gives no more frames")
                self._number += 1
                mono_s = time.monotonic()
                frozen, told = self._stillness.look(pixels, mono_s), self._stillness.told
                self._keep(
                    Exposure(pixels, self._number, mono_s, utc_now(), self._openings, stream.deviations, frozen, told)
                )
                if stream.deviations and mono_s >= again_s:
                    return
        finally:
            stream.release()

    def _keep(self, exposure: Exposure) -> None:
        with self._changed:
            self._newest, self._fault = exposure, ""
            self._changed.notify_all()
        self._shown(exposure)


class CameraSource:
    """One frame every `interval_s`, arrived after the moment it was asked for.

    The line says CAMERA_LOST once when no frame comes in the camera's time, and goes on when the camera is back. Events and
    feed say so also between two parts.

    Args:
        camera: what is looked through.
        interval_s: free-running interval between two parts.
        stop: ends the iteration.
        events: who else is told what is wrong with the camera, and that it is mended.
        noise: what is known of the camera's noise, and kept.
    """

    def __init__(
        self,
        camera: Camera,
        interval_s: float,
        stop: threading.Event,
        events: Events | None = None,
        noise: NoiseMemory | None = None,
    ) -> None:
        self._camera, self._interval_s, self._stop, self._noise = camera, interval_s, stop, noise
        self._presence = Presence(camera.traits.name, events or Events())
        self._frames: NewestFrame | None = None

    def feed(self) -> Feed:
        """Whether frames come."""
        return self._presence.feed(self._frames)

    def __iter__(self) -> Iterator[Shot]:
        frames = self._frames = NewestFrame(self._camera, self._stop, noise=self._noise)
        told = 0
        while not self._stop.is_set():
            asked_s, asked_utc = time.monotonic(), utc_now()
            part_id = f"{asked_utc:%Y%m%dT%H%M%S.%f}"
            exposure = frames.newer_than(asked_s, self._camera.traits.timeout_s)
            if exposure:
                self._presence.here(exposure)
                yield shoot(part_id, exposure)
            elif not self._stop.is_set():
                fault = frames.fault
                self._presence.lost(fault)
                # It may have been noticed between two parts.
                if self._presence.losses > told:
                    told = self._presence.losses
                    yield Unfit(part_id, -1, asked_s, asked_utc, Reason.CAMERA_LOST, fault)
            self.rest(partial(self._is_due, asked_s + self._interval_s))
        frames.join()

    def rest(self, over: Callable[[float], bool]) -> None:
        """Look after the camera until `over`, so that its loss is said also while the line asks for nothing."""
        while not over(_STOP_POLL_S):
            if self._frames:
                self._presence.look_after(self._frames, self._camera.traits.timeout_s)

    def _is_due(self, due_s: float, most_s: float) -> bool:
        left_s = due_s - time.monotonic()
        return left_s <= 0 or self._stop.wait(min(left_s, most_s))

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """Nothing to tidy up."""


def shoot(part_id: str, exposure: Exposure) -> Shot:
    """What a camera gave as a shot; what cannot be judged becomes an `Unfit` with its reason."""
    times = exposure.number, exposure.mono_s, exposure.utc
    if fault := fault_of(exposure):
        return Unfit(part_id, *times, fault.reason, fault.detail)
    try:
        return Frame(part_id, *times, to_bgr(exposure.pixels, "the camera's picture"))
    except BadPicture as err:
        return Unfit(part_id, *times, err.reason, str(err))
