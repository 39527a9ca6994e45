"""What a camera is told at each opening, what it makes of it, and who hears that."""

import itertools
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture.camera import CameraSource
from edge.capture.opencv import OpenCvKnobs, OpenCvStream
from edge.capture.settings import Deviation, SettingsConfig
from edge.config import StationConfig
from edge.errors import BadConfig
from edge.events import Events
from edge.strict import load_yaml
from edge.types import Reason, Unfit
from tests.cameras import MjpegCamera
from tests.commands import goodpart
from tests.conftest import part_picture, station_file
from tests.fake_cameras import HandedCamera, HandedStream

EXPOSURE, AUTO_EXPOSURE, GAIN = cv2.CAP_PROP_EXPOSURE, cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_GAIN


class V4l2:
    """A UVC camera as OpenCV shows it: -1 for what it does not have, whole steps, and True whatever becomes of it."""

    def __init__(self, **has: float) -> None:
        self.told: list[tuple[int, float]] = []
        self.values = {getattr(cv2, f"CAP_PROP_{name}"): value for name, value in has.items()}

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        return True, None

    def get(self, prop: int) -> float:
        return self.values.get(prop, -1.0)

    def set(self, prop: int, value: float) -> bool:
        self.told.append((prop, value))
        if prop in self.values:
            self.values[prop] = float(round(value))
        return True

    def release(self) -> None:
        """Nothing."""


def uvc() -> V4l2:
    return V4l2(
        FOURCC=cv2.VideoWriter.fourcc(*"YUYV"),
        FRAME_WIDTH=640,
        FRAME_HEIGHT=480,
        FPS=30,
        AUTO_EXPOSURE=3,
        EXPOSURE=156,
        GAIN=0,
        AUTO_WB=1,
        WB_TEMPERATURE=4600,
    )


def opened(camera: V4l2, **settings: object) -> list[str]:
    return [str(d) for d in OpenCvStream(camera, SettingsConfig.model_validate(settings)).deviations]


def test_a_camera_that_takes_everything_has_everything_in_its_own_units() -> None:
    camera = uvc()
    assert opened(camera, exposure_us=2000, gain=12, white_balance_k=5000, pixel_format="MJPG", width=1280, height=720) == []
    assert camera.values[EXPOSURE] == 20, "V4L2 counts 100 µs"
    assert camera.values[AUTO_EXPOSURE] == 1, "manual"
    assert camera.values[cv2.CAP_PROP_AUTO_WB] == 0


def test_format_and_size_are_told_first_and_automatics_before_their_values() -> None:
    camera = uvc()
    opened(camera, gain=3, exposure_us=500, height=720, width=1280, pixel_format="MJPG", fps=60)
    props = [prop for prop, _ in camera.told]
    size = [cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS]
    assert props == [*size, AUTO_EXPOSURE, EXPOSURE, GAIN]


def test_what_a_camera_rounds_away_or_does_not_know_is_said_with_both_values() -> None:
    camera = uvc()
    del camera.values[GAIN]
    assert opened(camera, exposure_us=140, gain=5) == [
        "settings.exposure_us: wished 140, the camera has 100",
        "settings.gain: wished 5, the camera does not know it",
    ]


def test_a_camera_that_stays_automatic_has_not_taken_a_value() -> None:
    class Stubborn(V4l2):
        def set(self, prop: int, value: float) -> bool:
            return prop == AUTO_EXPOSURE or super().set(prop, value)

    camera = Stubborn(AUTO_EXPOSURE=3, EXPOSURE=156)
    assert opened(camera, exposure_us=2000) == ["settings.exposure_us: wished 2000, the camera has auto"]


@pytest.mark.parametrize("mode", [0, 3], ids=["automatic", "aperture priority"])
def test_automatic_exposure_is_what_a_camera_calls_so(mode: int) -> None:
    camera = V4l2(AUTO_EXPOSURE=mode, EXPOSURE=156)
    assert OpenCvKnobs(camera).get("exposure_us") == "auto"
    assert opened(camera, exposure_us="auto") == []


def test_five_per_cent_are_rounding_and_a_pixel_of_size_is_not() -> None:
    camera = V4l2(EXPOSURE=100, FRAME_WIDTH=641)
    camera.set = lambda _prop, _value: True  # type: ignore[method-assign] # it keeps what it has
    assert opened(camera, exposure_us=10_400) == []
    assert opened(camera, exposure_us=10_600) != []
    assert opened(camera, width=640) == ["settings.width: wished 640, the camera has 641"]


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_settings_that_were_refused_are_tried_again_no_part_is_judged_meanwhile_and_each_is_said_once(
    stop: threading.Event,
) -> None:
    wrong = Deviation("exposure_us", 2000, 10_000)

    class Hesitant(HandedCamera):
        """Takes its settings at the fourth try."""

        def open(self) -> HandedStream:
            self.deviations = (wrong,) if len(self.streams) < 3 else ()
            return super().open()

    camera, events = Hesitant(frozen_frames=100_000), Events()
    said: list[str] = []
    events.listen(lambda happening: said.append(happening.code))
    source = CameraSource(camera, 0.0, stop, events)
    shots = iter(source)

    def feed() -> None:
        for number in itertools.count():
            camera.hand(part_picture(number % 7))
            if stop.wait(0.01):
                return

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    assert isinstance(next(shots), Unfit)
    fault = source.feed().fault
    assert fault
    assert fault.reason is Reason.WRONG_SETTINGS
    while isinstance(shot := next(shots), Unfit):
        assert (shot.reason, "wished 2000" in shot.detail) == (Reason.WRONG_SETTINGS, True)
    assert said == ["CAMERA_SETTINGS_REFUSED", "CAMERA_SETTINGS_TAKEN"]
    assert source.feed().fault is None
    assert (source.feed().losses, source.feed().reopenings) == (0, 3)
    first, second, third, fourth = camera.opened_s
    pauses = second - first, third - second, fourth - third
    assert all(real >= wished for real, wished in zip(pauses, (1, 2, 4), strict=True)), "the usual growing pauses"
    stop.set()
    feeder.join()


def test_check_refuses_a_camera_of_another_size_than_was_asked_for(recipe_dir: Path, tmp_path: Path) -> None:
    with MjpegCamera(part_picture(300)) as camera:
        source: dict[str, object] = {"kind": "camera", "device": camera.url, "settings": {"width": 320}, "timeout_s": 20.0}
        station = station_file(tmp_path, recipe_dir, source, results={"path": "-"})
        checked = goodpart("check", station, "--json")
    assert checked.code == 2
    found = {f["what"]: f["detail"] for f in json.loads(checked.out)}
    assert found["source"] == "source: settings.width: wished 320, the camera has 160"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{kind: camera, device: 'rtsp://cam', settings: {exposure_us: 100}}", "set it in the camera"),
        ("{kind: camera, device: 'gst://v4l2src ! appsink', settings: {gain: 1}}", "cannot be set over gst"),
        ("{kind: camera, device: 0, settings: {pixel_format: Mono8}}", "FOURCC"),
        ("{kind: camera, device: 0, settings: {exposure: 100}}", "unknown key"),
        ("{kind: camera, device: 0, settings: {exposure_us: automatic}}", "settings.exposure_us"),
        ("{kind: camera, device: 0, trigger: http}", "add http"),
        ("{kind: camera, device: 0, trigger: gpio}", "add gpio"),
        ("{kind: camera, device: 0, gpio: {chip: a, line: 1}}", "belongs to trigger: gpio"),
        ("{kind: camera, device: 0, trigger: http, http: {port: 80, host: 0.0.0.0}}", "expose: true"),
        ("{kind: camera, device: 0, trigger: http, http: {port: 80, host: 0.0.0.0, expose: true}}", "token_file"),
        ("{kind: camera, device: 0, trigger: http, http: {port: 80, host: localhost}}", "not an address"),
    ],
)
def test_a_station_file_that_cannot_mean_what_it_says_is_refused(source: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(
        f"station: {{site: a, area: b, line: c, station: d}}\nrecipe: r\nresults: {{path: o}}\nsource: {source}\n"
    )
    with pytest.raises(BadConfig, match=words):
        load_yaml(path, StationConfig)
