"""Timeouts of a network camera hold, whatever the other side does, and the camera is opened again."""

import os
import threading
from collections.abc import Iterator
from typing import Literal

import pytest

from edge.capture.camera import CameraSource
from edge.capture.opencv import OpenCvCamera
from edge.errors import BadConfig, CameraLost
from edge.types import Frame, Reason, Shot, Unfit
from tests.brokers import HOST, free_port, wait_until
from tests.conftest import part_picture
from tests.rude_cameras import RtspDoor, RudeCamera, resets, silent, stalls

TIMEOUT_S = 0.5


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def lost(shots: Iterator[Shot]) -> Unfit:
    return next(shot for shot in shots if isinstance(shot, Unfit))


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_camera_that_accepts_and_never_answers_is_lost_and_tried_again(scheme: str, stop: threading.Event) -> None:
    with RudeCamera(silent) as camera:
        source = CameraSource(OpenCvCamera(f"{scheme}://{HOST}:{camera.port}/cam", TIMEOUT_S), 0.0, stop)
        assert lost(iter(source)).reason is Reason.CAMERA_LOST
        wait_until(lambda: camera.viewers >= 2, "another try, which only the end of the first one allows")
        stop.set()


@pytest.mark.parametrize("treat", [stalls, resets])
def test_a_camera_that_stops_in_the_middle_is_lost_and_opened_again(treat, stop: threading.Event) -> None:
    with RudeCamera(treat(part_picture(1))) as camera:
        source = CameraSource(OpenCvCamera(camera.url, TIMEOUT_S), 0.0, stop)
        shots = iter(source)
        seen = {type(shot) for shot in (next(shots) for _ in range(2))}
        assert Frame in seen
        while source.feed().reopenings < 1:
            seen.add(type(next(shots)))
        assert seen == {Frame, Unfit}
        assert source.feed().losses >= 1
        stop.set()


def test_opening_a_camera_again_and_again_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is opened in a thread of its own; to change the environment there while another one reads it ends the process."""
    camera = OpenCvCamera(f"rtsp://{HOST}:{free_port()}/cam", TIMEOUT_S)
    changed: list[object] = []
    monkeypatch.setattr(os, "putenv", lambda *said: changed.append(said))
    with pytest.raises(CameraLost):
        camera.open()
    assert changed == []


@pytest.mark.parametrize(("transport", "asked"), [("tcp", "RTP/AVP/TCP"), ("udp", "RTP/AVP/UDP")])
def test_rtsp_pictures_travel_as_the_station_file_says(transport: Literal["tcp", "udp"], asked: str) -> None:
    door = RtspDoor()
    with RudeCamera(door) as camera:
        url = f"rtsp://operator:secret@{HOST}:{camera.port}/cam"
        with pytest.raises(CameraLost) as err:
            OpenCvCamera(url, TIMEOUT_S, rtsp_transport=transport).open()
        wait_until(lambda: door.transport, "SETUP")
    assert asked in door.transport
    assert "secret" not in str(err.value), "journals and events go to everybody"


def test_a_pipeline_is_refused_where_opencv_has_no_gstreamer() -> None:
    with pytest.raises(BadConfig, match=r"source\.device: gst:// needs an OpenCV that was built with GStreamer"):
        OpenCvCamera("gst://v4l2src ! videoconvert ! appsink", TIMEOUT_S)
