"""A live camera that waits to be asked: one part for each trigger."""

import logging
import threading
import time
from collections.abc import Callable, Iterator

from edge.capture.camera import NewestFrame, shoot
from edge.capture.presence import Presence
from edge.capture.sources import Feed
from edge.capture.stream import Camera
from edge.capture.triggers import Trigger, Triggers
from edge.events import Events
from edge.types import Reason, Shot, Unfit, Verdict

log = logging.getLogger(__name__)


class TriggeredCameraSource:
    """The newest frame that arrived after each trigger; CAMERA_LOST for each that gets none in the camera's time.

    A trigger that comes while a part is being judged gets its frame right after that, so at most one inspection late. That
    the camera is lost is said when it happens, not when the next trigger comes.

    Args:
        camera: what is looked through.
        triggers: where they come in.
        stop: ends the iteration.
        events: who else is told what is wrong with the camera, and that it is mended.
        watch: called with the frames when they begin; for who makes triggers of them.
    """

    def __init__(
        self,
        camera: Camera,
        triggers: Triggers,
        stop: threading.Event,
        events: Events | None = None,
        watch: Callable[[NewestFrame], None] | None = None,
    ) -> None:
        self._camera, self._triggers, self._stop, self._watch = camera, triggers, stop, watch
        self._presence = Presence(camera.traits.name, events or Events())
        self._frames: NewestFrame | None = None
        self._asking: dict[str, Trigger] = {}

    def feed(self) -> Feed:
        """Whether frames come."""
        return self._presence.feed(self._frames, self._triggers.refused)

    def __iter__(self) -> Iterator[Shot]:
        began_s, timeout_s = time.monotonic(), self._camera.traits.timeout_s
        frames = self._frames = NewestFrame(self._camera, self._stop)
        if self._watch:
            self._watch(frames)
        while not self._stop.is_set():
            trigger = self._triggers.waiting(self._stop)
            if trigger is None:
                self._look_after(frames, began_s)
                continue
            exposure = frames.newer_than(trigger.mono_s, timeout_s)
            if exposure is None and self._stop.is_set():
                break
            self._triggers.taken()
            if exposure:
                self._presence.here(exposure)
                shot = shoot(trigger.part_id, exposure)
            else:
                fault = frames.fault
                self._presence.lost(fault)
                shot = Unfit(trigger.part_id, -1, trigger.mono_s, trigger.utc, Reason.CAMERA_LOST, fault)
            if trigger.told and trigger.result_id:
                self._asking[trigger.result_id] = trigger
            yield trigger.marked(shot)
        if left := self._triggers.close():
            log.error("the line ended before %s was judged", left)
        frames.join()

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """Whoever waits for the verdict has it."""
        trigger = self._asking.pop(shot.result_id, None) if shot.result_id else None
        if trigger and trigger.told:
            trigger.told(verdict)

    def _look_after(self, frames: NewestFrame, began_s: float) -> None:
        newest = frames.newest
        silent_s = time.monotonic() - (newest.mono_s if newest else began_s)
        if silent_s > self._camera.traits.timeout_s:
            self._presence.lost(frames.fault)
        elif newest:
            self._presence.seen(newest)
