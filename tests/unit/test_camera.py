"""A live camera, as far as a network camera on the loopback can show it."""

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from edge.capture.camera import CameraSource, NewestFrame
from edge.capture.opencv import OpenCvCamera
from edge.command.controls import Controls, PausableLiveSource
from edge.events import Events
from edge.recipe.recipe import Recipe
from edge.types import Frame, Reason, Shot, Unfit
from tests.brokers import PATIENCE_S, free_port, wait_until
from tests.cameras import MjpegCamera
from tests.conftest import part_picture
from tests.fake_cameras import HandedCamera

TIMEOUT_S = 1.0
STILL = 100_000
"""Equal frames that are not suspected: these cameras show one picture without noise."""


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    with MjpegCamera(part_picture(1)) as running:
        yield running


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


class Feeder:
    """Hands frames to a camera as long as it is switched on. said: the events of its source."""

    def __init__(self, stop: threading.Event) -> None:
        self.camera, self.events, self.on = HandedCamera(timeout_s=0.5, frozen_frames=STILL), Events(), True
        self.said: list[str] = []
        self.events.listen(lambda happening: self.said.append(happening.code))
        self._stop = stop
        threading.Thread(target=self._feed, daemon=True).start()

    def _feed(self) -> None:
        while not self._stop.wait(0.01):
            if self.on:
                self.camera.hand(part_picture(1))


def first_frame(shots: Iterator[Shot]) -> Frame:
    """A busy machine may take longer to connect than the camera is given."""
    return next(shot for shot in shots if isinstance(shot, Frame))


def test_a_frame_older_than_the_question_is_never_the_answer(camera: MjpegCamera, stop: threading.Event) -> None:
    camera.running = False
    frames = NewestFrame(OpenCvCamera(camera.url, PATIENCE_S), stop)
    camera.wait_for_viewer()
    camera.expose()
    old = frames.newer_than(0.0, PATIENCE_S)
    assert old
    asked_s = time.monotonic()
    assert frames.newer_than(asked_s, 0.05) is None
    camera.expose()
    new = frames.newer_than(asked_s, PATIENCE_S)
    assert new
    assert (new.number, new.mono_s > asked_s) == (old.number + 1, True)


def test_of_the_frames_nobody_asked_for_only_the_newest_is_kept(camera: MjpegCamera, stop: threading.Event) -> None:
    camera.running = False
    frames = NewestFrame(OpenCvCamera(camera.url, PATIENCE_S), stop)
    camera.wait_for_viewer()
    newest = None
    for _ in range(5):
        camera.expose()
        newest = frames.newer_than(newest.mono_s if newest else 0.0, PATIENCE_S)
    again = frames.newer_than(0.0, 0.0)
    assert again is newest
    assert newest
    assert newest.number == 5


def test_a_free_running_camera_gives_a_new_frame_each_interval(camera: MjpegCamera, stop: threading.Event) -> None:
    began_s, interval_s = time.monotonic(), 0.1
    shots = iter(CameraSource(OpenCvCamera(camera.url, PATIENCE_S), interval_s, stop))
    frames = [first_frame(shots) for _ in range(4)]
    assert frames[-1].taken_mono_s >= began_s + 3 * interval_s
    assert len({f.seq for f in frames}) == len({f.part_id for f in frames}) == 4
    assert all(f.pixels.shape == (120, 160, 3) for f in frames)
    assert abs(frames[0].pixels.astype(int) - part_picture(1)).mean() < 5, "the picture is the camera's, but for JPEG"


def test_a_line_slower_than_its_camera_skips_to_a_new_frame_and_counts_the_others(stop: threading.Event) -> None:
    feeder = Feeder(stop)
    source = CameraSource(feeder.camera, 0.0, stop, feeder.events)
    shots = iter(source)
    seen = [first_frame(shots)]
    for _ in range(3):
        judged = seen[-1].seq + 5
        wait_until(lambda judged=judged: source.feed().frames >= judged, "frames that come while a part is judged")
        free_s = time.monotonic()
        seen.append(first_frame(shots))
        assert seen[-1].taken_mono_s > free_s, "none of those, a new one"
    assert source.feed().dropped == seen[-1].seq - len(seen) >= 12


def test_a_camera_that_dies_is_lost_once_and_comes_back(
    camera: MjpegCamera, stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    shots = iter(CameraSource(OpenCvCamera(camera.url, TIMEOUT_S, frozen_frames=STILL), 0.0, stop))
    first_frame(shots)
    caplog.clear()
    camera.stop()
    lost = next(shot for shot in shots if isinstance(shot, Unfit))
    assert lost.reason is Reason.CAMERA_LOST
    assert lost.detail
    # Long enough for vain attempts, which the line hears nothing of.
    threading.Timer(1.2 * TIMEOUT_S, camera.start).start()
    assert isinstance(next(shots), Frame)
    assert [r.levelname for r in caplog.records] == ["ERROR", "WARNING"]


def test_a_camera_that_falls_silent_is_lost_and_comes_back(
    camera: MjpegCamera, stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    shots = iter(CameraSource(OpenCvCamera(camera.url, TIMEOUT_S, frozen_frames=STILL), 0.0, stop))
    first_frame(shots)
    caplog.clear()
    camera.running = False
    lost = next(shot for shot in shots if isinstance(shot, Unfit))
    assert lost.reason is Reason.CAMERA_LOST
    camera.running = True
    assert isinstance(next(shots), Frame)
    assert [r.levelname for r in caplog.records] == ["ERROR", "WARNING"]


def test_between_two_parts_that_are_far_apart_the_loss_of_the_camera_is_said_and_so_is_that_it_is_back(
    stop: threading.Event,
) -> None:
    feeder, got = Feeder(stop), list[Shot]()
    source = CameraSource(feeder.camera, 3600.0, stop, feeder.events)
    up: dict[str, bool] = {}
    feeder.events.listen(lambda happening: up.update({happening.code: source.feed().up}))
    line = threading.Thread(target=lambda: got.extend(source), daemon=True)
    line.start()
    wait_until(lambda: got, "the first part")
    feeder.on = False
    wait_until(lambda: feeder.said[-1:] == ["CAMERA_LOST"], "the loss")
    feeder.on = True
    wait_until(lambda: feeder.said[-1:] == ["CAMERA_BACK"], "the return")
    wait_until(lambda: up == {"CAMERA_LOST": False, "CAMERA_BACK": True}, "what the feed says when it is said")
    assert len(got) == 1
    stop.set()
    line.join(PATIENCE_S)
    assert not line.is_alive()


def test_a_camera_that_is_lost_between_two_parts_and_stays_away_costs_one_part(stop: threading.Event) -> None:
    feeder = Feeder(stop)
    shots = iter(CameraSource(feeder.camera, 1.5, stop, feeder.events))
    first_frame(shots)
    feeder.on = False
    lost = next(shot for shot in shots if isinstance(shot, Unfit))
    assert lost.reason is Reason.CAMERA_LOST
    # Long enough for vain attempts.
    threading.Timer(3.5, lambda: setattr(feeder, "on", True)).start()
    again = list(itertools.takewhile(lambda shot: isinstance(shot, Unfit), shots))
    assert 1 + len(again) <= feeder.said.count("CAMERA_LOST"), "once for each loss, however often it is tried"


def test_while_the_line_is_paused_the_loss_of_the_camera_is_said(stop: threading.Event) -> None:
    feeder, got = Feeder(stop), list[Shot]()
    recipe: Recipe = None  # type: ignore[assignment] # nothing is judged here
    controls = Controls(recipe)
    source = CameraSource(feeder.camera, 0.0, stop, feeder.events)
    paused = PausableLiveSource(source, controls, stop, live=True)

    def line() -> None:
        for shot in paused:
            got.append(shot)

    threading.Thread(target=line, daemon=True).start()
    wait_until(lambda: got, "the first part")
    controls.pause()
    wait_until(lambda: source.feed().frames > 3, "some frames")
    feeder.on = False
    wait_until(lambda: feeder.said[-1:] == ["CAMERA_LOST"], "the loss")
    feeder.on = True
    wait_until(lambda: feeder.said[-1:] == ["CAMERA_BACK"], "the return")
    judged = len(got)
    controls.resume()
    wait_until(lambda: len(got) > judged, "parts again")


def test_a_silent_camera_holds_up_neither_the_stop_nor_the_end(camera: MjpegCamera, stop: threading.Event) -> None:
    camera.running = False
    source = CameraSource(OpenCvCamera(camera.url, 120.0), 0.0, stop)
    line = threading.Thread(target=lambda: list(source), daemon=True)
    line.start()
    camera.wait_for_viewer()
    stop.set()
    line.join(PATIENCE_S)
    assert not line.is_alive()


@pytest.mark.parametrize(
    "device", ["/dev/goodpart-absent", f"http://127.0.0.1:{free_port()}/video.mjpg"], ids=["no device", "nobody at the port"]
)
def test_a_camera_that_is_not_there_is_lost_with_its_name(device: str, stop: threading.Event) -> None:
    shot = next(iter(CameraSource(OpenCvCamera(device, TIMEOUT_S), 0.0, stop)))
    assert isinstance(shot, Unfit)
    assert shot.reason is Reason.CAMERA_LOST
    assert device in shot.detail


def test_a_camera_tells_how_it_feeds_the_line(camera: MjpegCamera, stop: threading.Event) -> None:
    camera.running = False
    source = CameraSource(OpenCvCamera(camera.url, TIMEOUT_S), 0.0, stop)
    assert (source.feed().up, source.feed().frames, source.feed().newest_s) == (False, 0, None)
    shots = iter(source)
    assert isinstance(next(shots), Unfit)
    lost = source.feed()
    assert (lost.up, lost.losses) == (False, 1)
    camera.running = True
    frames = [first_frame(shots) for _ in range(3)]
    camera.running = False
    back = source.feed()
    assert back.up
    assert back.since_s > lost.since_s
    assert back.frames >= frames[-1].seq
    assert back.dropped == frames[-1].seq - len(frames)
    assert back.newest_s is not None
    assert back.newest_s >= frames[-1].taken_mono_s


def test_a_driver_that_fails_in_its_own_way_is_a_lost_camera_that_comes_back(
    stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    camera = HandedCamera()
    frames = NewestFrame(camera, stop)
    wait_until(lambda: camera.streams, "the camera to be opened")
    camera.streams[0].fails_at_release = True
    camera.hand(part_picture(1), None)
    wait_until(lambda: len(camera.streams) == 2, "the camera to be opened again")
    assert frames.fault == "its driver failed: RuntimeError: the device has gone"
    assert "the camera's driver failed" in caplog.text
    camera.hand(part_picture(2))
    wait_until(lambda: frames.newest and frames.newest.number == 2, "a frame of the camera that is back")
    stop.set()
    camera.hand(None)
