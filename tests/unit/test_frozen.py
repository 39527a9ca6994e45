"""A camera that repeats itself is found out, and a scene that stands still is not."""

import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from edge.capture.camera import CameraSource
from edge.capture.frozen import Stillness
from edge.capture.triggered import TriggeredCameraSource
from edge.capture.triggers import Triggers
from edge.events import Events
from edge.types import Frame, Reason, Shot, Unfit
from tests.brokers import wait_until
from tests.conftest import part_picture
from tests.fake_cameras import HandedCamera, noisy

PART = part_picture(1)


def verdicts(stillness: Stillness, frames: list[np.ndarray], step_s: float = 0.04) -> list[bool]:
    return [stillness.look(frame, number * step_s) is not None for number, frame in enumerate(frames)]


def test_a_camera_with_noise_that_repeats_a_frame_twenty_times_is_frozen_and_wakes_up_with_the_first_other_one() -> None:
    live = [noisy(PART, seed) for seed in range(5)]
    found = verdicts(Stillness(None, compresses=False), [*live, *[live[-1]] * 25, noisy(PART, 99)])
    assert found == [*[False] * 23, *[True] * 7, False]


@pytest.mark.parametrize("axis", [0, 1])
def test_a_parked_line_before_a_camera_without_noise_is_not_frozen(axis: int) -> None:
    rng = np.random.default_rng(1)
    cloth = cv2.GaussianBlur(rng.normal(110, 250, (120, 160)).astype(np.float32), (0, 0), 3)
    scene = np.clip(cloth, 0, 255).astype(np.uint8)
    belt = [np.roll(scene, shift, axis=axis) for shift in range(80)]
    assert not any(verdicts(Stillness(None, compresses=False), [*belt, *[belt[-1]] * 200]))


def test_a_parked_line_before_a_camera_with_noise_is_not_frozen() -> None:
    assert not any(verdicts(Stillness(None, compresses=False), [noisy(PART, seed, 0.5) for seed in range(60)]))


def test_light_that_flickers_before_a_camera_without_noise_is_no_noise() -> None:
    flicker = [np.clip(PART * gain, 0, 255).astype(np.uint8) for gain in (1.0, 1.02, 0.98, 1.01) * 5]
    assert not any(verdicts(Stillness(None, compresses=False), [*flicker, *[PART] * 100]))


def test_a_codec_may_repeat_a_still_scene_for_a_while_but_not_for_ever() -> None:
    live = [noisy(PART, seed) for seed in range(5)]
    found = verdicts(Stillness(None, compresses=True), [*live, *[live[-1]] * 300])
    assert found.index(True) == 4 + 250, "10 s at 25 frames a second"


def test_a_number_given_by_hand_needs_no_noise() -> None:
    assert verdicts(Stillness(3, compresses=False), [PART] * 4) == [False, False, True, True]


@pytest.mark.parametrize("convert", [lambda p: p[..., 0], lambda p: p.astype(np.uint16) * 256], ids=["grey", "16 bits"])
def test_every_kind_of_frame_can_freeze(convert) -> None:
    live = [convert(noisy(PART, seed)) for seed in range(3)]
    assert verdicts(Stillness(None, compresses=False), [*live, *[live[-1]] * 20])[-1]


def test_a_change_of_size_is_no_noise_and_no_repetition() -> None:
    assert verdicts(Stillness(2, compresses=False), [PART, PART[:-1], PART]) == [False] * 3


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def fed(camera: HandedCamera, stop: threading.Event, picture: list[np.ndarray]) -> None:
    """Hand out the last of `picture`, again and again."""

    def feed() -> None:
        while not stop.wait(0.002):
            camera.hand(picture[-1])

    threading.Thread(target=feed, daemon=True).start()


def test_parts_before_a_frozen_camera_are_not_decidable_and_it_is_said_once_and_taken_back_once(
    stop: threading.Event,
) -> None:
    camera, events, said = HandedCamera(frozen_frames=3), Events(), []
    events.listen(lambda happening: said.append((happening.code, happening.severity)))
    picture = [PART]
    fed(camera, stop, picture)
    shots = iter(CameraSource(camera, 0.0, stop, events))

    def until(kind: type[Shot]) -> Shot:
        return next(shot for shot in shots if isinstance(shot, kind))

    frozen = until(Unfit)
    assert isinstance(frozen, Unfit)
    assert frozen.reason is Reason.FROZEN
    assert "equal byte by byte" in frozen.detail
    until(Unfit)
    camera.hand(*[noisy(PART, seed) for seed in range(3)])
    picture.append(noisy(PART, 7))
    until(Frame)
    assert said[:2] == [("CAMERA_FROZEN", "error"), ("CAMERA_MOVES", "info")]


def test_a_frozen_camera_is_told_while_nothing_asks_for_a_part(stop: threading.Event) -> None:
    camera, events, said = HandedCamera(frozen_frames=3), Events(), []
    events.listen(lambda happening: said.append(happening.code))
    fed(camera, stop, [PART])
    source = TriggeredCameraSource(camera, Triggers(), stop, events)
    threading.Thread(target=lambda: list(source), daemon=True).start()
    wait_until(lambda: said, "an event")
    assert said == ["CAMERA_FROZEN"]
