"""Each trigger gets the picture of its own part, however long the part before takes. The line below is the test itself."""

import threading
import time
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from edge.capture.triggered import TriggeredCameraSource
from edge.capture.triggers import Offered, Trigger, Triggers
from edge.host.clock import utc_now
from edge.types import Frame, Reason, Shot, Unfit
from tests.brokers import wait_until
from tests.fake_cameras import HandedCamera


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


class Belt:
    """A triggered camera before which parts pass; a part of number n is n grey levels bright."""

    def __init__(self, stop: threading.Event, **traits: float) -> None:
        self.camera, self.triggers = HandedCamera(**traits), Triggers()
        self.source = TriggeredCameraSource(self.camera, self.triggers, stop)
        self.shots = iter(self.source)

    def trigger(self, part: int, mono_s: float | None = None) -> Trigger:
        trigger = Trigger(str(part), None, time.monotonic() if mono_s is None else mono_s, utc_now())
        assert self.triggers.offer(trigger) is Offered.TAKEN
        return trigger

    def pass_by(self, *parts: int) -> None:
        """One frame of each, which the reader has when this returns."""
        before = self.source.feed().frames
        self.camera.hand(*(np.full((8, 8, 3), part, np.uint8) for part in parts))
        wait_until(lambda: self.source.feed().frames == before + len(parts), "the frames to be read")

    def begin(self) -> None:
        """Part 1 is in work."""
        self.trigger(1)
        self.camera.hand(np.full((8, 8, 3), 1, np.uint8))
        assert shown(next(self.shots)) == ("1", 1)


def shown(shot: Shot) -> tuple[str, int]:
    """The part that was asked for, and the one in the picture."""
    assert isinstance(shot, Frame)
    return shot.part_id, int(shot.pixels[0, 0, 0])


def test_parts_that_change_faster_than_they_are_judged_get_their_own_pictures(stop: threading.Event) -> None:
    belt = Belt(stop)
    belt.begin()
    for part in (2, 3, 4):
        trigger = belt.trigger(part)
        belt.pass_by(part, part, part + 100, part + 101)
        shot = next(belt.shots)
        assert shown(shot) == (str(part), part)
        assert isinstance(shot, Frame)
        assert shot.taken_mono_s > trigger.mono_s
        assert shot.asked_mono_s == trigger.mono_s, "the takt runs from the trigger"


def test_a_frame_that_came_between_a_trigger_and_its_arrival_here_is_the_first_one(stop: threading.Event) -> None:
    belt = Belt(stop)
    belt.begin()
    asked_s = time.monotonic()
    belt.pass_by(2)
    belt.trigger(2, asked_s)
    belt.pass_by(3)
    assert shown(next(belt.shots)) == ("2", 2)


def test_one_frame_serves_one_trigger(stop: threading.Event) -> None:
    belt = Belt(stop)
    belt.begin()
    belt.trigger(2, 0.0)
    belt.pass_by(2)
    assert shown(next(belt.shots)) == ("2", 2)


def test_a_frame_that_comes_after_the_camera_s_time_shows_another_part(stop: threading.Event) -> None:
    belt = Belt(stop, timeout_s=0.2)
    while True:
        belt.trigger(1)
        belt.camera.hand(np.full((8, 8, 3), 1, np.uint8))
        # A busy computer may have missed the camera's short time.
        if isinstance(next(belt.shots), Frame):
            break
    trigger = belt.trigger(2)
    while time.monotonic() <= trigger.mono_s + 0.2:
        stop.wait(0.05)
    belt.pass_by(3)
    shot = next(belt.shots)
    assert isinstance(shot, Unfit)
    assert (shot.part_id, shot.reason) == ("2", Reason.CAMERA_LOST)


def test_while_a_trigger_waits_no_more_frames_are_kept_than_its_own_and_the_newest(stop: threading.Event) -> None:
    belt = Belt(stop)
    belt.begin()
    belt.trigger(2)
    alive: list[weakref.ref[np.ndarray]] = []
    for part in range(2, 40):
        pixels = np.full((8, 8, 3), part, np.uint8)
        alive.append(weakref.ref(pixels))
        belt.camera.hand(pixels)
    del pixels
    wait_until(lambda: belt.source.feed().frames == 39, "the frames to be read")
    wait_until(lambda: [at for at, frame in enumerate(alive) if frame() is not None] == [0, 37], "the others to be let go")


def test_whoever_waits_for_the_verdict_of_a_part_that_nobody_will_see_hears_so(stop: threading.Event) -> None:
    belt, heard = Belt(stop), []
    belt.begin()
    trigger = Trigger("2", None, time.monotonic(), utc_now(), "result-2", heard.append)
    assert belt.triggers.offer(trigger) is Offered.TAKEN
    stop.set()
    assert next(belt.shots, None) is None
    assert heard == [None]
    assert belt.triggers.offer(trigger) is Offered.ENDED
