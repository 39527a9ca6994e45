"""A thread that watches a camera's frames for parts that come and stop, and triggers."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from edge.capture.camera import Exposure, NewestFrame
from edge.capture.motion import Motion, reduced
from edge.capture.pictures import read_picture, to_bgr
from edge.capture.trigger_config import MotionConfig
from edge.capture.triggers import Offered, Trigger, Triggers
from edge.errors import BadConfig, BadPicture
from edge.host.clock import utc_now

_LOOK_S = 1.0


def make_motion(config: MotionConfig) -> Motion:
    """What the station file asks for.

    Raises:
        BadConfig: the picture of the empty station cannot be read.
    """
    try:
        empty = reduced(read_picture(Path(config.empty))) if config.empty else None
    except BadPicture as err:
        raise BadConfig(f"source.motion.empty: {err}") from None
    return Motion(config.settle_s, config.limit, empty, config.learn_s)


class MotionWatch:
    """Looks at each newest frame, also while a part is being judged.

    paused: whether parts are left alone. A part that comes while the one before still waits to be served is offered again
    as long as it lies there.
    """

    def __init__(self, motion: Motion, triggers: Triggers, paused: Callable[[], bool], stop: threading.Event) -> None:
        self._motion, self._triggers, self._paused, self._stop = motion, triggers, paused, stop

    def __call__(self, frames: NewestFrame) -> None:
        """Begin."""
        threading.Thread(target=self._run, args=(frames,), name="motion", daemon=True).start()

    def _run(self, frames: NewestFrame) -> None:
        seen_s = time.monotonic()
        while not self._stop.is_set():
            exposure = frames.newer_than(seen_s, _LOOK_S)
            if exposure:
                seen_s = exposure.mono_s
                self.look(exposure)

    def look(self, exposure: Exposure) -> None:
        """One frame; what is no picture is not looked at, its own trigger would say so."""
        try:
            small = reduced(to_bgr(exposure.pixels, "the camera's picture"))
        except BadPicture:
            return
        if not self._motion.look(small, exposure.mono_s) or self._paused() or not self._triggers.free:
            return
        now = utc_now()
        trigger = Trigger(f"{now:%Y%m%dT%H%M%S.%f}", None, exposure.mono_s, now)
        if self._triggers.offer(trigger) is Offered.TAKEN:
            self._motion.shot()
