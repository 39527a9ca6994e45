"""A GenICam camera, as far as the simulated one of the package genicam shows it: real producer, node map and buffers."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import genicam
import numpy as np
import pytest

from edge.capture.camera import CameraSource, NewestFrame
from edge.capture.genicam import GenicamCamera, picture
from edge.capture.pictures import to_bgr
from edge.capture.settings import SettingsConfig
from edge.errors import BadConfig, BadPicture, CameraLost
from edge.types import Frame, Reason
from tests.brokers import PATIENCE_S

PRODUCER = Path(genicam.__file__).parent / "viky.cti"


def camera(serial: str | None = "1", **settings: object) -> GenicamCamera:
    return GenicamCamera(PRODUCER, serial, PATIENCE_S, SettingsConfig.model_validate({"pixel_format": "Mono8"} | settings))


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_camera_is_found_by_its_serial_set_read_back_and_seen(stop: threading.Event) -> None:
    shots = iter(CameraSource(camera(width=320, height=240, fps=50), 0.0, stop))
    frames = [next(shots) for _ in range(3)]
    assert all(isinstance(f, Frame) and f.pixels.shape == (240, 320, 3) for f in frames)
    assert len({f.seq for f in frames}) == 3
    stop.set()
    assert list(shots) == []


def test_settings_that_the_camera_does_not_know_are_said() -> None:
    stream = camera(exposure_us=100, gain="auto", white_balance_k=4000).open()
    assert [str(d) for d in stream.deviations] == [
        "settings.exposure_us: wished 100, the camera does not know it",
        "settings.gain: wished auto, the camera does not know it",
        "settings.white_balance_k: wished 4000, the camera does not know it",
    ]
    stream.release()


def test_it_can_be_opened_again_and_again() -> None:
    for _ in range(3):
        stream = camera().open()
        pixels = stream.read()
        assert pixels is not None
        assert pixels.shape == (400, 400)
        stream.release()


def test_a_frame_is_ours_when_its_buffer_is_the_producers_again() -> None:
    stream = camera(fps=100).open()
    frames = [stream.read() for _ in range(12)]
    assert all(frame is not None and frame.flags.owndata for frame in frames)
    assert len({frame.tobytes() for frame in frames if frame is not None}) > 1, "the ball has moved"
    stream.release()


@pytest.mark.parametrize(
    ("serial", "pixel_format", "words"),
    [
        (None, "Mono8", "sees cameras 0, 1, 2; name one with source.serial"),
        ("9", "Mono8", "sees no camera 9, but 0, 1, 2"),
        ("1", "RGBa8", "pixel format is RGBa8; set settings.pixel_format to one of Mono8"),
    ],
)
def test_a_camera_that_cannot_be_meant_or_judged_is_not_opened(serial: str | None, pixel_format: str, words: str) -> None:
    with pytest.raises(CameraLost, match=words):
        camera(serial, pixel_format=pixel_format).open()


def test_the_same_camera_is_not_had_twice_and_the_reader_says_why(stop: threading.Event) -> None:
    first = camera().open()
    try:
        with pytest.raises(CameraLost, match="another program"):
            camera().open()
    finally:
        first.release()
    assert NewestFrame(camera(), stop).newer_than(0.0, PATIENCE_S)


def test_a_producer_that_is_not_there_or_is_none_is_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent.cti"
    with pytest.raises(BadConfig, match="install the camera maker's GenTL producer"):
        GenicamCamera(absent, None, 1.0)
    absent.write_text("no library")
    with pytest.raises(CameraLost, match=r"absent\.cti"):
        GenicamCamera(absent, None, 1.0).open()


@dataclass(frozen=True)
class Component:
    data_format: str
    width: int
    height: int
    data: np.ndarray


SCENE = np.zeros((8, 8, 3), np.uint8)
SCENE[:] = (200, 100, 50)  # blue, green, red


def mosaic(order: str) -> np.ndarray:
    """What a sensor with this colour filter gives of the scene."""
    raw = np.zeros((8, 8), np.uint8)
    for place, colour in enumerate(order):
        raw[place // 2 :: 2, place % 2 :: 2] = SCENE[0, 0, "BGR".index(colour)]
    return raw


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("BGR8", SCENE),
        ("RGB8", SCENE[..., ::-1]),
        ("BayerRG8", mosaic("RGGB")),
        ("BayerGR8", mosaic("GRBG")),
        ("BayerGB8", mosaic("GBRG")),
        ("BayerBG8", mosaic("BGGR")),
    ],
)
def test_every_pixel_format_gives_the_colours_of_the_scene(name: str, raw: np.ndarray) -> None:
    pixels = picture(Component(name, 8, 8, np.ascontiguousarray(raw).ravel()))
    assert np.array_equal(pixels[2:-2, 2:-2], SCENE[2:-2, 2:-2])


def test_deeper_pixels_keep_their_depth_and_are_not_judged() -> None:
    deep = picture(Component("Mono12", 8, 4, np.full(32, 4095, np.uint16)))
    with pytest.raises(BadPicture) as err:
        to_bgr(deep, "the camera's picture")
    assert err.value.reason is Reason.WRONG_DEPTH
    with pytest.raises(CameraLost, match="YUV422_8"):
        picture(Component("YUV422_8", 8, 4, np.zeros(64, np.uint8)))
    assert cv2.COLOR_BayerRGGB2BGR == cv2.COLOR_BayerBG2BGR, "OpenCV's other names read the second row"
