"""A belt on which parts pass and stop: each part is one trigger, whatever the light and the sensor do."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture.camera import Exposure
from edge.capture.motion import Motion, change, reduced
from edge.capture.motion_watch import MotionWatch, make_motion
from edge.capture.trigger_config import MotionConfig
from edge.capture.triggered import TriggeredCameraSource
from edge.capture.triggers import Triggers
from edge.errors import BadConfig
from edge.types import Frame
from tests.brokers import wait_until
from tests.conftest import part_picture
from tests.fake_cameras import HandedCamera

FPS = 25
HEIGHT, WIDTH = 120, 320
BELT = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
MIDDLE = 80


def scene(part: np.ndarray | None, x: int) -> np.ndarray:
    """The belt with a part whose left edge is at `x`."""
    seen = BELT.copy()
    if part is not None and -part.shape[1] < x < WIDTH:
        left, right = max(0, x), min(WIDTH, x + part.shape[1])
        seen[:, left:right] = part[:, left - x : right - x]
    return seen


def passing(parts: int, stop_frames: int = 15, step: int = 16, gap_frames: int = 5) -> Iterator[tuple[np.ndarray, int]]:
    """Parts that come in, stop in the middle and leave, one after the other; with each frame the part that stands, or 0."""
    for _ in range(60):
        yield scene(None, 0), 0
    for number in range(1, parts + 1):
        part = part_picture(number)
        for x in range(-160, MIDDLE, step):
            yield scene(part, x), 0
        for _ in range(stop_frames):
            yield scene(part, MIDDLE), number
        for x in range(MIDDLE, WIDTH, step):
            yield scene(part, x), 0
        for _ in range(gap_frames):
            yield scene(None, 0), 0


def shots(motion: Motion, frames: Iterator[tuple[np.ndarray, int]], sigma: float = 2.0, flicker: float = 0.0) -> list[int]:
    """The part that stood there at each trigger, seen by a sensor with noise under light that flickers with 100 Hz."""
    found = []
    noise = [np.random.default_rng(seed).normal(0, sigma, BELT.shape).astype(np.float32) for seed in range(7)]
    for number, (pixels, standing) in enumerate(frames):
        light = 1 + flicker * np.sin(2 * np.pi * 100.7 * number / FPS)
        seen = np.clip(pixels * np.float32(light) + noise[number % 7], 0, 255).astype(np.uint8)
        if motion.look(reduced(seen), number / FPS):
            motion.shot()
            found.append(standing)
    return found


EMPTY = reduced(BELT)


@pytest.mark.parametrize(("sigma", "flicker"), [(0.0, 0.0), (2.0, 0.0), (8.0, 0.0), (2.0, 0.1), (4.0, 0.25)])
def test_each_part_that_stops_is_shot_once_while_it_stands(sigma: float, flicker: float) -> None:
    assert shots(Motion(0.2, empty=EMPTY), passing(6), sigma, flicker) == list(range(1, 7))


def test_without_a_picture_of_the_empty_station_an_empty_view_that_stays_is_a_part_too() -> None:
    found = shots(Motion(0.2), passing(4, gap_frames=20))
    assert [standing for standing in found if standing] == [1, 2, 3, 4]
    assert found.count(0) == 4


def test_parts_that_do_not_stop_are_not_shot() -> None:
    assert shots(Motion(0.2, empty=EMPTY), passing(6, stop_frames=0)) == []


def test_a_part_that_creeps_is_shot_when_it_has_stopped() -> None:
    assert shots(Motion(0.3, empty=EMPTY), passing(1, step=2)) == [1]


def test_equal_parts_one_right_behind_the_other_are_two_parts() -> None:
    def equal() -> Iterator[tuple[np.ndarray, int]]:
        for _ in range(60):
            yield scene(None, 0), 0
        for number in (1, 2, 3):
            for x in range(-160, MIDDLE, 16):
                seen = scene(part_picture(1), x)
                yield np.maximum(seen, scene(part_picture(1), x + 240)) if number > 1 else seen, 0
            for _ in range(15):
                yield scene(part_picture(1), MIDDLE), number

    assert shots(Motion(0.2, empty=EMPTY), equal()) == [1, 2, 3]


def test_something_small_that_passes_over_a_part_is_not_another_part() -> None:
    def disturbed() -> Iterator[tuple[np.ndarray, int]]:
        yield from list(passing(1, stop_frames=20))[:-25]
        for x in range(90, 230, 10):
            seen = scene(part_picture(1), MIDDLE)
            cv2.circle(seen, (x, 60), 6, (0, 0, 0), -1)
            yield seen, 1
        for _ in range(30):
            yield scene(part_picture(1), MIDDLE), 1

    assert shots(Motion(0.2, empty=EMPTY), disturbed()) == [1]


def test_the_limit_is_learned_from_the_noise_even_while_parts_move() -> None:
    calm, busy = Motion(0.2, empty=EMPTY), Motion(0.2, empty=EMPTY)
    shots(calm, passing(0), sigma=8.0)
    shots(busy, ((scene(part_picture(1), (n * 8) % 480 - 160 if n % 50 < 35 else -160), 0) for n in range(60)), sigma=8.0)
    assert calm.limit
    assert busy.limit
    assert busy.limit < 2 * calm.limit


def test_change_is_zero_where_only_the_light_has_changed() -> None:
    one = reduced(part_picture(1))
    assert change(one, one * 1.2 + 0.8).max() < 0.5
    assert change(one, reduced(part_picture(2))).max() > 5


def exposure(pixels: np.ndarray, mono_s: float) -> Exposure:
    return Exposure(pixels, 1, mono_s, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_part_that_comes_while_the_one_before_waits_is_offered_until_it_is_taken() -> None:
    motion, triggers = Motion(0.0, limit=4.0, empty=EMPTY), Triggers()
    watch = MotionWatch(motion, triggers, lambda: False, threading.Event())
    for number, part in enumerate((part_picture(1), part_picture(2))):
        for again in range(2):
            watch.look(exposure(scene(part, MIDDLE), 2.0 * number + again))
    assert not triggers.free
    assert triggers.waiting(threading.Event()).mono_s == 1.0  # type: ignore[union-attr] # it waits
    triggers.taken()
    watch.look(exposure(scene(part_picture(2), MIDDLE), 4.0))
    assert triggers.waiting(threading.Event()).mono_s == 4.0  # type: ignore[union-attr] # it waits
    assert triggers.refused == 0
    triggers.taken()
    watch.look(exposure(scene(part_picture(2), MIDDLE), 5.0))
    assert triggers.free, "once is enough"


def test_while_the_line_is_paused_nothing_is_asked_for_and_what_lies_there_at_its_end_is() -> None:
    paused, triggers = [True], Triggers()
    watch = MotionWatch(Motion(0.0, limit=4.0, empty=EMPTY), triggers, lambda: paused[0], threading.Event())
    for second in range(3):
        watch.look(exposure(scene(part_picture(1), MIDDLE), second))
    assert triggers.free
    paused[0] = False
    watch.look(exposure(scene(part_picture(1), MIDDLE), 3))
    assert not triggers.free


def test_a_frame_that_is_no_picture_is_passed_over() -> None:
    triggers = Triggers()
    watch = MotionWatch(Motion(0.0, limit=4.0), triggers, lambda: False, threading.Event())
    watch.look(exposure(BELT.astype(np.uint16), 1.0))
    assert triggers.free


def test_the_line_gets_the_frame_after_the_one_that_showed_the_part_at_rest() -> None:
    stop, camera, triggers = threading.Event(), HandedCamera(), Triggers()
    watch = MotionWatch(Motion(0.0, limit=4.0, empty=EMPTY), triggers, lambda: False, stop)
    line = iter(TriggeredCameraSource(camera, triggers, stop, watch=watch))
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.append(next(line)), daemon=True)
    thread.start()
    part = scene(part_picture(1), MIDDLE)

    def show_until_shot() -> bool:
        camera.hand(part)
        return bool(got)

    wait_until(show_until_shot, "a shot")
    stop.set()
    assert isinstance(got[0], Frame)
    assert got[0].asked_mono_s is not None
    assert got[0].taken_mono_s > got[0].asked_mono_s


def test_a_picture_of_the_empty_station_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.write_text("no picture")
    with pytest.raises(BadConfig, match=r"source\.motion\.empty"):
        make_motion(MotionConfig(empty=str(path)))
