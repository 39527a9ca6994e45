"""Pause and trigger, where the line and its source meet them."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.app.sources import open_source
from edge.capture.opencv import OpenCvCamera
from edge.capture.triggered import TriggeredCameraSource
from edge.capture.triggers import Offered, Trigger, Triggers
from edge.command.controls import Controls, PausableSource
from edge.config import load_config
from edge.events import Events
from edge.host.clock import utc_now
from edge.recipe.recipe import Recipe
from edge.types import Frame, Order, Reason, Shot, Unfit, Verdict
from tests.brokers import HOST, PATIENCE_S, free_port, wait_until
from tests.cameras import MjpegCamera
from tests.conftest import part_picture, station_file


class Handed:
    """A source that gives what the test hands it."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop, self._there = stop, threading.Condition()
        self.waiting: list[Shot] = []
        self.asked = 0

    def hand(self, name: str) -> None:
        with self._there:
            self.waiting.append(Frame(name, 0, 0.0, utc_now(), part_picture(1)))
            self._there.notify_all()

    def __iter__(self) -> Iterator[Shot]:
        while not self._stop.is_set():
            self.asked += 1
            with self._there:
                while not self.waiting and not self._stop.is_set():
                    self._there.wait(0.02)
                if self._stop.is_set():
                    return
                shot = self.waiting.pop(0)
            yield shot

    def done(self, shot: Shot, verdict: Verdict) -> None:
        pass


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def controls() -> Controls:
    recipe: Recipe = None  # type: ignore[assignment] # nothing is judged here
    return Controls(recipe)


@pytest.mark.parametrize(("live", "seen"), [(False, ["a", "b", "c"]), (True, ["a", "c"])])
def test_files_wait_for_the_end_of_a_pause_and_a_live_frame_of_before_is_dropped(
    controls: Controls, stop: threading.Event, *, live: bool, seen: list[str]
) -> None:
    source, got = Handed(stop), []
    shots = PausableSource(source, controls, stop, live=live)

    def line() -> None:
        for shot in shots:
            got.append(shot.part_id)  # noqa: PERF401 - the test looks on meanwhile

    threading.Thread(target=line, daemon=True).start()
    source.hand("a")
    wait_until(lambda: got == ["a"] and source.asked == 2, "the first part")
    controls.pause()
    source.hand("b")
    wait_until(lambda: not source.waiting, "the source to give the second")
    source.hand("c")
    time.sleep(0.05)
    assert (got, source.asked) == (["a"], 2), "nothing is judged or even looked at"
    controls.resume()
    wait_until(lambda: got == seen, "the parts of after the pause")


def test_a_file_that_was_read_when_a_pause_came_is_not_late_for_it(controls: Controls, stop: threading.Event) -> None:
    source = Handed(stop)
    got: list[Shot] = []

    def line() -> None:
        for shot in PausableSource(source, controls, stop, live=False):
            got.append(shot)  # noqa: PERF402 - the test looks on meanwhile

    threading.Thread(target=line, daemon=True).start()
    wait_until(lambda: source.asked == 1, "the line to wait for a file")
    controls.pause()
    source.hand("a")
    wait_until(lambda: not source.waiting, "the source to give it")
    time.sleep(0.05)
    assert not got
    controls.resume()
    wait_until(lambda: got, "the part of after the pause")
    assert got[0].arrived_mono_s is not None
    assert got[0].arrived_mono_s > got[0].taken_mono_s, "the pause is left out"


def test_a_paused_line_ends_when_it_is_told_to_without_judging_what_waits(controls: Controls, stop: threading.Event) -> None:
    source = Handed(stop)
    shots = iter(PausableSource(source, controls, stop, live=False))
    controls.pause()
    source.hand("a")
    threading.Timer(0.05, stop.set).start()
    assert next(shots, None) is None


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    with MjpegCamera(part_picture(1), running=False) as still:
        yield still


def trigger(part: str) -> Trigger:
    return Trigger(part, Order("job-7", f"command-{part}"), time.monotonic(), utc_now())


def test_each_trigger_gets_one_frame_that_is_not_older_and_carries_what_was_asked(
    camera: MjpegCamera, stop: threading.Event
) -> None:
    triggers = Triggers()
    shots = iter(TriggeredCameraSource(OpenCvCamera(camera.url, PATIENCE_S), triggers, stop))
    got: list[Shot] = []
    line = threading.Thread(target=lambda: got.extend(next(shots) for _ in range(2)), daemon=True)
    line.start()
    camera.wait_for_viewer()
    camera.expose()
    first = trigger("a")
    assert triggers.offer(first) is Offered.TAKEN
    assert triggers.offer(trigger("too soon")) is Offered.BUSY
    assert got == []
    wait_until(lambda: camera.expose() or triggers.free, "a frame of after the trigger")
    second = trigger("b")
    assert triggers.offer(second) is Offered.TAKEN
    wait_until(lambda: camera.expose() or len(got) == 2, "the second part")
    line.join()
    assert [(s.part_id, s.order) for s in got] == [(t.part_id, t.order) for t in (first, second)]
    assert all(isinstance(s, Frame) for s in got)
    assert got[0].taken_mono_s > first.mono_s
    assert got[1].taken_mono_s > second.mono_s


def test_each_trigger_without_a_picture_is_answered_and_the_loss_is_logged_once(
    camera: MjpegCamera, stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    triggers = Triggers()
    shots = iter(TriggeredCameraSource(OpenCvCamera(camera.url, 0.2), triggers, stop))
    lost = []
    for part in "ab":
        assert triggers.offer(trigger(part)) is Offered.TAKEN
        lost.append(next(shots))
    assert [(s.part_id, s.reason) for s in lost if isinstance(s, Unfit)] == [(p, Reason.CAMERA_LOST) for p in "ab"]
    assert lost[1].order
    assert lost[1].order.command_id == "command-b"
    assert [r.levelname for r in caplog.records] == ["ERROR"]


def test_a_trigger_that_nobody_serves_any_more_is_named(
    camera: MjpegCamera, stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    triggers = Triggers()
    assert triggers.offer(trigger("a")) is Offered.TAKEN
    stop.set()
    assert list(TriggeredCameraSource(OpenCvCamera(camera.url, PATIENCE_S), triggers, stop)) == []
    assert "part a of trigger command-a" in caplog.text
    assert triggers.offer(trigger("b")) is Offered.ENDED


def test_a_trigger_that_was_accepted_before_a_pause_gets_its_frame_then_and_not_after_the_pause(
    camera: MjpegCamera, stop: threading.Event, controls: Controls, tmp_path: Path
) -> None:
    triggers, source = Triggers(), {"kind": "camera", "device": camera.url, "trigger": "http", "http": {"port": free_port()}}
    commands = {"allow": ["resume"], "memory_file": "memory.json"}
    station = load_config(station_file(tmp_path, tmp_path, source, commands=commands, mqtt={"host": HOST}))
    shots = iter(open_source(station, stop, triggers, controls, Events()))
    assert triggers.offer(Trigger("accepted", None, time.monotonic(), utc_now())) is Offered.TAKEN
    controls.pause()
    got: list[Shot] = []
    threading.Thread(target=lambda: got.append(next(shots)), daemon=True).start()
    camera.running = True
    wait_until(lambda: got, "the part of before the pause")
    assert isinstance(got[0], Frame)
    assert got[0].part_id == "accepted"


def test_a_part_that_was_asked_for_before_the_job_is_of_the_job_before(controls: Controls) -> None:
    controls.set_job(old := Order("old", None), 1.0)
    controls.set_job(new := Order("new", None), 5.0)
    seen = Frame("a", 0, 5.1, utc_now(), part_picture(1))
    assert controls.ordered(seen).order == new
    assert controls.ordered(replace(seen, asked_mono_s=4.9)).order == old
    assert controls.ordered(replace(seen, asked_mono_s=5.0)).order == new
    assert controls.ordered(replace(seen, asked_mono_s=0.9)).order is None, "of before any job"


def test_a_part_that_comes_after_several_changes_of_job_is_of_its_own_or_of_none(controls: Controls) -> None:
    for number in range(20):
        controls.set_job(Order(f"job-{number}", None), 10.0 * number)
    seen = Frame("a", 0, 1000.0, utc_now(), part_picture(1))
    late = [controls.ordered(replace(seen, asked_mono_s=asked_s)).order for asked_s in (195, 189, 175, 45, 35)]
    assert [order and order.job_id for order in late] == ["job-19", "job-18", "job-17", "job-4", None]
    assert controls.job == Order("job-19", None)
