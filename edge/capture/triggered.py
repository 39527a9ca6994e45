"""A live camera that waits to be asked: one part for each trigger."""

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial

from edge.capture.camera import Exposure, NewestFrame, shoot
from edge.capture.noise import NoiseMemory
from edge.capture.presence import Presence
from edge.capture.sources import Feed
from edge.capture.stream import Camera
from edge.capture.triggers import Missed, Trigger, Triggers
from edge.events import Events
from edge.types import Reason, Shot, Unfit, Verdict

log = logging.getLogger(__name__)


class TriggeredCameraSource:
    """The first frame that arrived after each trigger; CAMERA_LOST for each that gets none in the camera's time.

    A trigger that comes while a part is being judged has its own frame kept until that is done, so its verdict comes at most
    one inspection late, and is about its own part; LATE for one that is taken when that frame is gone. That the camera is
    lost is said when it happens, not at the next trigger.

    Args:
        camera: what is looked through.
        triggers: where they come in.
        stop: ends the iteration.
        events: who else is told what is wrong with the camera, and that it is mended.
        watch: called with the frames when they begin; for who makes triggers of them.
        noise: what is known of the camera's noise, and kept.
    """

    def __init__(
        self,
        camera: Camera,
        triggers: Triggers,
        stop: threading.Event,
        events: Events | None = None,
        watch: Callable[[NewestFrame], None] | None = None,
        noise: NoiseMemory | None = None,
    ) -> None:
        self._camera, self._triggers, self._stop, self._watch, self._noise = camera, triggers, stop, watch, noise
        self._presence = Presence(camera.traits.name, events or Events())
        self._frames: NewestFrame | None = None
        self._asking: dict[str, Trigger] = {}

    def feed(self) -> Feed:
        """Whether frames come."""
        return self._presence.feed(self._frames, self._triggers.refused)

    def __iter__(self) -> Iterator[Shot]:
        frames = self._frames = NewestFrame(self._camera, self._stop, self._triggers.show, self._noise)
        if self._watch:
            self._watch(frames)
        try:
            while not self._stop.is_set():
                trigger = self._triggers.waiting(self._stop)
                if trigger is None:
                    self._presence.look_after(frames, self._camera.traits.timeout_s)
                elif shot := self._shoot(trigger, frames):
                    yield shot
        finally:
            # Also when the line fails: whoever waits for a verdict must hear that there will be none.
            if left := self._triggers.close():
                log.error("the line ended before %s was judged", left)
        frames.join()

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """Whoever waits for the verdict has it."""
        trigger = self._asking.pop(shot.result_id, None) if shot.result_id else None
        if trigger and trigger.told:
            trigger.told(verdict)

    def _shoot(self, trigger: Trigger, frames: NewestFrame) -> Shot | None:
        """What the camera gave for this trigger; None when the line is stopped before that."""
        # From the trigger and not from now: a frame that comes much later shows another part.
        deadline_s = max(trigger.mono_s, frames.began_s) + self._camera.traits.timeout_s
        found = self._triggers.frame(deadline_s, self._stop)
        if found is None and self._stop.is_set():
            return None
        self._triggers.taken()
        shot = self._shot_of(trigger, found, frames)
        if trigger.told and trigger.result_id:
            self._asking[trigger.result_id] = trigger
        return trigger.marked(shot)

    def _shot_of(self, trigger: Trigger, found: Exposure | Missed | None, frames: NewestFrame) -> Shot:
        unfit = partial(Unfit, trigger.part_id, -1, trigger.mono_s, trigger.utc)
        match found:
            case Exposure():
                self._presence.here(found)
                return shoot(trigger.part_id, found)
            case Missed():
                # Nothing of the camera follows from it, and on a busy line nobody else looks after it.
                self._presence.look_after(frames, self._camera.traits.timeout_s)
                return unfit(Reason.LATE, str(found))
            case None:
                fault = frames.fault
                self._presence.lost(fault)
                return unfit(Reason.CAMERA_LOST, fault)
