"""Each trigger gets the picture of its own part, however long the part before takes. The line below is the test itself."""

import threading
import time
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from edge.capture.camera import Exposure
from edge.capture.triggered import TriggeredCameraSource
from edge.capture.triggers import Missed, Offered, Trigger, Triggers
from edge.host.clock import utc_now
from edge.types import Frame, Reason, Shot, Unfit
from tests.brokers import PATIENCE_S, wait_until
from tests.fake_cameras import HandedCamera

TIMEOUT_S = 1.0
"""The time of a camera that is not waited for long."""


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
        self.shots, self.handed = iter(self.source), 0

    def trigger(self, part: int, mono_s: float | None = None) -> Trigger:
        trigger = Trigger(str(part), None, time.monotonic() if mono_s is None else mono_s, utc_now())
        assert self.triggers.offer(trigger) is Offered.TAKEN
        return trigger

    def pass_by(self, *parts: int) -> None:
        """One frame of each, which the reader has when this returns."""
        self.hand(*parts)
        wait_until(lambda: self.source.feed().frames == self.handed, "the frames to be read")

    def hand(self, *parts: int) -> None:
        """One frame of each, for the reader to take."""
        self.handed += len(parts)
        self.camera.hand(*(np.full((8, 8, 3), part, np.uint8) for part in parts))

    def begin(self) -> None:
        """Part 1 is in work."""
        self.trigger(1)
        self.hand(1)
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
    belt = briefly_patient(stop)
    trigger = belt.trigger(2)
    wait_until(lambda: time.monotonic() > trigger.mono_s + TIMEOUT_S, "the camera's time to be over")
    belt.pass_by(3)
    shot = next(belt.shots)
    assert isinstance(shot, Unfit)
    assert (shot.part_id, shot.reason) == ("2", Reason.CAMERA_LOST)


def briefly_patient(stop: threading.Event) -> Belt:
    """Part 1 has been judged, and all frames are read."""
    belt = Belt(stop, timeout_s=TIMEOUT_S)
    while True:
        belt.trigger(1)
        belt.hand(1)
        # A busy computer may have missed the camera's short time.
        if isinstance(next(belt.shots), Frame):
            belt.pass_by()
            return belt


def test_a_trigger_that_is_offered_when_the_frame_of_its_part_is_gone_is_late_and_the_camera_is_not_lost(
    stop: threading.Event,
) -> None:
    belt = Belt(stop)
    belt.begin()
    asked_s = time.monotonic()
    belt.pass_by(2)
    came_s = time.monotonic()
    wait_until(lambda: time.monotonic() > came_s + 0.5, "the time for which frames are kept to be over")
    # The reader has kept the one before the last, whatever it is at.
    belt.pass_by(3, 4)
    belt.trigger(2, asked_s)
    assert_late(next(belt.shots), "2")
    assert (belt.source.feed().up, belt.source.feed().losses) == (True, 0)
    belt.trigger(5)
    belt.pass_by(5)
    assert shown(next(belt.shots)) == ("5", 5)


def test_a_trigger_that_is_offered_after_the_camera_s_time_does_not_make_it_lost(stop: threading.Event) -> None:
    belt = briefly_patient(stop)
    losses, asked_s = belt.source.feed().losses, time.monotonic()
    wait_until(lambda: time.monotonic() > asked_s + TIMEOUT_S, "the camera's time to be over")
    belt.pass_by(3, 4)
    belt.trigger(2, asked_s)
    assert_late(next(belt.shots), "2")
    assert belt.source.feed().losses == losses


def assert_late(shot: Shot, part_id: str) -> None:
    assert isinstance(shot, Unfit)
    assert (shot.part_id, shot.reason) == (part_id, Reason.LATE)
    assert "ms after it came, too late for the picture of its part" in shot.detail


class Moment:
    """Triggers and frames, told in seconds before and after a moment that is now."""

    def __init__(self) -> None:
        self.triggers, self.now_s, self.frames = Triggers(), time.monotonic(), 0

    def show(self, at_s: float, pixels: np.ndarray | None = None) -> None:
        self.frames += 1
        pixels = np.zeros((8, 8), np.uint8) if pixels is None else pixels
        self.triggers.show(Exposure(pixels, self.frames, self.now_s + at_s, utc_now()))

    def ask(self, at_s: float) -> None:
        assert self.triggers.offer(Trigger("1", None, self.now_s + at_s, utc_now())) is Offered.TAKEN

    def got(self) -> float | Missed | None:
        """When the frame came that this trigger got."""
        found = self.triggers.frame(self.now_s + PATIENCE_S, threading.Event())
        self.triggers.taken()
        return round(found.mono_s - self.now_s, 3) if isinstance(found, Exposure) else found


@pytest.mark.parametrize("late_s", [0.01, 0.05, 0.3])
def test_of_a_fast_camera_a_trigger_that_is_offered_late_gets_the_first_frame_after_it_and_not_the_newest(
    late_s: float,
) -> None:
    belt = Moment()
    for number in range(100):
        belt.show((number - 100) / 100)
    belt.ask(-late_s - 0.001)
    assert belt.got() == -late_s


def test_of_a_slow_camera_a_trigger_that_is_offered_late_gets_its_frame_while_it_is_the_newest_and_none_after_that() -> None:
    belt = Moment()
    belt.show(-3.0)
    belt.show(-2.0)
    belt.ask(-2.5)
    assert belt.got() == -2.0
    belt.show(-1.0)
    belt.show(0.0)
    belt.ask(-1.5)
    belt.show(0.1)
    missed = belt.got()
    assert isinstance(missed, Missed)
    assert missed.late_s >= 1.5


def test_triggers_that_are_offered_in_another_order_than_they_came_get_each_its_own_frame() -> None:
    belt = Moment()
    for at_s in (-0.4, -0.3, -0.2):
        belt.show(at_s)
    belt.ask(-0.25)
    assert belt.got() == -0.2
    belt.ask(-0.35)
    assert belt.got() == -0.3


def test_the_frames_that_are_kept_are_few_however_large_and_however_long_a_trigger_waits() -> None:
    belt, alive = Moment(), list[weakref.ref[np.ndarray]]()
    belt.show(-2.0)
    belt.ask(-2.0)
    for number in range(20):
        # Never written to, so it takes no memory here.
        pixels = np.zeros((1000, 15_000), np.uint8)
        alive.append(weakref.ref(pixels))
        belt.show(number / 100, pixels)
    del pixels
    own_and_64_mb = [0, 16, 17, 18, 19]
    assert [place for place, frame in enumerate(alive) if frame() is not None] == own_and_64_mb
    assert belt.got() == 0.0
    belt.show(1.0)
    assert [frame() for frame in alive] == [None] * 20, "half a second later"


def test_whoever_waits_for_the_verdict_of_a_part_that_nobody_will_see_hears_so(stop: threading.Event) -> None:
    belt, heard = Belt(stop), []
    belt.begin()
    trigger = Trigger("2", None, time.monotonic(), utc_now(), "result-2", heard.append)
    assert belt.triggers.offer(trigger) is Offered.TAKEN
    stop.set()
    assert next(belt.shots, None) is None
    assert heard == [None]
    assert belt.triggers.offer(trigger) is Offered.ENDED
