"""A camera that repeats itself is found out, and a scene that stands still is not."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.app.sources import open_source
from edge.capture.camera import CameraSource
from edge.capture.frozen import Stillness
from edge.capture.noise import NoiseMemory
from edge.capture.stream import Traits
from edge.capture.triggered import TriggeredCameraSource
from edge.capture.triggers import Triggers
from edge.command.controls import Controls
from edge.config import load_config
from edge.events import Events
from edge.recipe.recipe import Recipe
from edge.types import Frame, Reason, Shot, Unfit
from tests.brokers import wait_until
from tests.cameras import MjpegCamera
from tests.conftest import part_picture, station_file
from tests.fake_cameras import HandedCamera, noisy

PART = part_picture(1)
CLOTH = np.clip(
    cv2.GaussianBlur(np.random.default_rng(1).normal(110, 250, (120, 160)).astype(np.float32), (0, 0), 3), 0, 255
).astype(np.uint8)
"""Texture as a lens shows it: neighbours are alike."""


def stillness(
    frames: int | None = None, *, compresses: bool = False, noise: NoiseMemory | None = None, name: str = "cam"
) -> Stillness:
    return Stillness(Traits(name, 1.0, frames, compresses), noise)


def verdicts(one: Stillness, frames: list[np.ndarray], step_s: float = 0.04) -> list[bool]:
    return [one.look(frame, number * step_s) is not None for number, frame in enumerate(frames)]


def test_a_camera_with_noise_that_repeats_a_frame_twenty_times_is_frozen_and_wakes_up_with_the_first_other_one() -> None:
    live = [noisy(PART, seed) for seed in range(5)]
    found = verdicts(stillness(), [*live, *[live[-1]] * 25, noisy(PART, 99)])
    assert found == [*[False] * 23, *[True] * 7, False]


@pytest.mark.parametrize("axis", [0, 1])
def test_a_parked_line_before_a_camera_without_noise_is_not_frozen(axis: int) -> None:
    belt = [np.roll(CLOTH, shift, axis=axis) for shift in range(80)]
    assert not any(verdicts(stillness(), [*belt, *[belt[-1]] * 200]))


def test_a_parked_line_before_a_camera_with_noise_is_not_frozen() -> None:
    assert not any(verdicts(stillness(), [noisy(PART, seed, 0.5) for seed in range(60)]))


def on_background(level: int, part: np.ndarray, shift: float = 0.0) -> np.ndarray:
    """A small part, a tenth of the picture, before a background that the sensor shows as `level`, however noisy it is."""
    scene = np.full((480, 640, 3), float(level), np.float32)
    scene[160:340, 240:400] = cv2.resize(part, (160, 180))
    moved = cv2.warpAffine(scene, np.array([[1, 0, shift], [0, 1, shift / 2]]), (640, 480), borderValue=(level,) * 3)
    return np.asarray(np.clip(moved, 0, 255))


@pytest.mark.parametrize("level", [-40, 300], ids=["black", "white"])
def test_the_noise_of_a_part_before_a_clipped_background_is_noise(level: int) -> None:
    live = [noisy(on_background(level, PART), seed) for seed in range(3)]
    for frame in live:
        frame[np.all(on_background(level, PART) == np.clip(level, 0, 255), axis=2)] = np.clip(level, 0, 255)
    one = stillness()
    found = verdicts(one, [*live, *[live[-1]] * 25])
    assert (one.told, found.index(True)) == (True, 2 + 19)


@pytest.mark.parametrize("level", [-40, 300], ids=["black", "white"])
@pytest.mark.parametrize("step", [1.0, 2.5, 7.0])
def test_a_part_that_moves_before_a_clipped_background_and_a_camera_without_noise_is_none(level: int, step: float) -> None:
    one = stillness()
    cloth = cv2.cvtColor(CLOTH, cv2.COLOR_GRAY2BGR)
    verdicts(one, [on_background(level, cloth, step * n).astype(np.uint8) for n in range(40)])
    assert not one.told


def test_light_that_flickers_before_a_camera_without_noise_is_no_noise() -> None:
    flicker = [np.clip(PART * gain, 0, 255).astype(np.uint8) for gain in (1.0, 1.02, 0.98, 1.01) * 5]
    assert not any(verdicts(stillness(), [*flicker, *[PART] * 100]))


def test_a_codec_may_repeat_a_still_scene_for_a_while_but_not_for_ever() -> None:
    live = [noisy(PART, seed) for seed in range(5)]
    found = verdicts(stillness(compresses=True), [*live, *[live[-1]] * 300])
    assert found.index(True) == 4 + 250, "10 s at 25 frames a second"


def test_a_number_given_by_hand_needs_no_noise() -> None:
    assert verdicts(stillness(3), [PART] * 4) == [False, False, True, True]


@pytest.mark.parametrize("convert", [lambda p: p[..., 0], lambda p: p.astype(np.uint16) * 256], ids=["grey", "16 bits"])
def test_every_kind_of_frame_can_freeze(convert) -> None:
    live = [convert(noisy(PART, seed)) for seed in range(3)]
    assert verdicts(stillness(), [*live, *[live[-1]] * 20])[-1]


def test_a_change_of_size_is_no_noise_and_no_repetition() -> None:
    assert verdicts(stillness(2), [PART, PART[:-1], PART]) == [False] * 3


def test_a_camera_that_is_frozen_at_the_start_is_found_where_it_has_shown_noise_before(tmp_path: Path) -> None:
    path, frozen = tmp_path / "station.noise", [PART] * 20
    assert not any(verdicts(stillness(noise=NoiseMemory(path)), frozen)), "nobody knows this camera yet"
    verdicts(stillness(noise=NoiseMemory(path)), [noisy(PART, seed) for seed in range(3)])
    wait_until(path.exists, "the file")
    found = verdicts(stillness(noise=NoiseMemory(path)), frozen)
    assert found == [*[False] * 19, True]
    assert not any(verdicts(stillness(noise=NoiseMemory(path), name="other"), frozen))
    assert not any(verdicts(stillness(noise=NoiseMemory(path)), [PART[:-8]] * 20)), "another size"


def test_a_camera_that_is_frozen_by_what_another_one_may_have_shown_says_how_to_end_that(tmp_path: Path) -> None:
    path = tmp_path / "station.noise"
    verdicts(stillness(noise=NoiseMemory(path)), [noisy(PART, seed) for seed in range(3)])
    wait_until(path.exists, "the file")
    one, hint = stillness(noise=NoiseMemory(path)), f"if this is another camera, remove {path} or set source.frozen_frames"
    frozen = [one.look(PART, 0.0) for _ in range(20)][-1]
    assert frozen
    assert hint in frozen
    shown = [one.look(noisy(PART, seed), 0.0) for seed in (4, 5, *[5] * 19)]
    assert shown[-1]
    assert hint not in shown[-1], "it has shown noise itself"
    path.unlink()
    assert not any(verdicts(stillness(noise=NoiseMemory(path)), [PART] * 100)), "what was said helps"


def test_what_is_only_looked_at_is_not_kept(tmp_path: Path) -> None:
    memory = NoiseMemory(tmp_path / "station.noise", keeps=False)
    verdicts(stillness(noise=memory), [noisy(PART, seed) for seed in range(3)])
    assert memory.knows(f"cam {'x'.join(map(str, PART.shape))} uint8")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_of_noise_is_said_and_written_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "station.noise"
    path.write_text("{")
    memory = NoiseMemory(path)
    assert "source.noise_file: " in caplog.text
    memory.note("cam 4x4 uint8")
    wait_until(lambda: "cam 4x4 uint8" in path.read_text(), "the file")


def test_a_file_of_noise_that_cannot_be_written_is_said_and_nothing_else_happens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory = NoiseMemory(tmp_path / "absent" / "station.noise")
    memory.note("cam 4x4 uint8")
    wait_until(lambda: "cannot be written: No such file" in caplog.text, "the words")
    assert memory.knows("cam 4x4 uint8")


def test_a_run_keeps_what_it_has_seen_beside_its_station_file(
    stop: threading.Event, recipe_dir: Path, tmp_path: Path
) -> None:
    with MjpegCamera(PART) as camera:
        station = load_config(
            station_file(tmp_path, recipe_dir, {"kind": "camera", "device": camera.url}, results={"path": "-"})
        )
        kept = tmp_path / "station.noise"
        recipe: Recipe = None  # type: ignore[assignment] # nothing is judged here
        shots = iter(open_source(station, stop, Triggers(), Controls(recipe), Events()))
        seeds = iter(range(10_000))

        def look() -> bool:
            camera.point_at(noisy(PART, next(seeds)))
            next(shots)
            return kept.exists()

        wait_until(look, "noise to be noted")
        stop.set()
        list(shots)
    assert camera.url in kept.read_text()


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
    source = CameraSource(camera, 0.0, stop, events)
    shots = iter(source)

    def until(kind: type[Shot]) -> Shot:
        return next(shot for shot in shots if isinstance(shot, kind))

    frozen = until(Unfit)
    assert isinstance(frozen, Unfit)
    assert frozen.reason is Reason.FROZEN
    fault = source.feed().fault
    assert fault
    assert fault.reason is Reason.FROZEN
    assert "equal byte by byte" in frozen.detail
    until(Unfit)
    camera.hand(*[noisy(PART, seed) for seed in range(3)])
    picture.append(noisy(PART, 7))
    until(Frame)
    assert source.feed().fault is None
    assert said[:2] == [("CAMERA_FROZEN", "error"), ("CAMERA_MOVES", "info")]


def test_that_a_frozen_picture_cannot_be_told_yet_is_said_once_and_so_is_that_it_can(stop: threading.Event) -> None:
    camera, events, said = HandedCamera(), Events(), []
    events.listen(lambda happening: said.append((happening.code, happening.severity)))
    source = CameraSource(camera, 0.0, stop, events)
    assert source.feed().freeze_told is False
    picture = [PART]
    fed(camera, stop, picture)
    shots = iter(source)
    while (shot := next(shots)).seq < 60:
        assert isinstance(shot, Frame)
    assert source.feed().freeze_told is False
    assert said == [("CAMERA_NOISE_UNSEEN", "warning")]
    for seed in itertools.count():
        picture.append(noisy(PART, seed))
        next(shots)
        if len(said) > 1:
            break
    assert source.feed().freeze_told is True
    assert said[1:] == [("CAMERA_NOISE_SEEN", "info")]


def test_a_frozen_camera_is_told_while_nothing_asks_for_a_part(stop: threading.Event) -> None:
    camera, events, said = HandedCamera(frozen_frames=3), Events(), []
    events.listen(lambda happening: said.append(happening.code))
    fed(camera, stop, [PART])
    source = TriggeredCameraSource(camera, Triggers(), stop, events)
    threading.Thread(target=lambda: list(source), daemon=True).start()
    wait_until(lambda: said, "an event")
    assert said == ["CAMERA_FROZEN"]
