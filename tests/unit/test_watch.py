"""A watched folder over many starts: what kills the process is given up, and what was judged does not fill the disk."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from edge.capture.watch import WatchSource
from edge.events import EventCode, Events, Happening
from edge.loop import in_time
from edge.types import Frame, Reason, Shot, Unfit
from tests.brokers import PATIENCE_S, wait_until
from tests.conftest import station_file
from tests.unit.test_run import lines
from tests.unit.test_sources import OK, POLL_S, finish, png, put

DEADLY_DECODER = """
import os, signal, sys
import cv2
decode = cv2.imdecode
def die(raw, flags):
    if b"deadly" in raw.tobytes():
        os.kill(os.getpid(), signal.SIGKILL)
    return decode(raw, flags)
cv2.imdecode = die
from edge.cli import main
sys.argv[1:] = ["run", sys.argv[1]]
main()
"""
"""As the kernel ends a process that has no memory left, or a crash of the decoder does."""


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


def start(folder: Path, events: Events | None = None) -> tuple[WatchSource, Generator[Shot, None, None], threading.Event]:
    """A line's source after a restart. Its shots, closed, end as by an exception of the line."""
    stop = threading.Event()
    source = WatchSource(folder, POLL_S, stop, 0.0, events)
    return source, source.__iter__(), stop


@pytest.mark.parametrize("has_state_folder", [False, True])
def test_a_picture_that_kills_the_process_twice_is_given_up_and_the_next_part_is_judged(
    recipe_dir: Path, incoming: Path, tmp_path: Path, *, has_state_folder: bool
) -> None:
    for age_s, (name, content) in enumerate((("deadly", png(1) + b"deadly"), ("next", png(300)))):
        os.utime(put(incoming, f"{name}.png", content), (1000 + age_s, 1000 + age_s))
    results, err = tmp_path / "results.jsonl", tmp_path / "err"
    config = station_file(
        tmp_path,
        recipe_dir,
        {"kind": "watch", "path": str(incoming), "poll_s": POLL_S},
        results={"path": str(results)},
    )
    (tmp_path / "state").mkdir()
    command = [sys.executable, "-c", DEADLY_DECODER, str(config)]
    environment = {**os.environ, **({"STATE_DIRECTORY": str(tmp_path / "state")} if has_state_folder else {})}
    for _ in range(2):
        died = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert (lines(results), (incoming / "deadly.png").exists()) == ([], True)
    marked = (tmp_path / "state" if has_state_folder else tmp_path) / "station.in-work"
    assert b"deadly.png" in marked.read_bytes()
    with err.open("wb") as said:
        third = subprocess.Popen(command, env=environment, stderr=said)
    try:
        wait_until(lambda: len(lines(results)) == 2, "both verdicts")
        third.send_signal(signal.SIGTERM)
        assert third.wait(PATIENCE_S) == 0, err.read_text()
    finally:
        third.kill()
        third.wait()
    given_up, judged = lines(results)
    assert (given_up["part_id"], given_up["verdict"], given_up["reason"]) == ("deadly", "NOT_DECIDABLE", "UNREADABLE")
    assert "the process ended 2 times with this file in work" in given_up["detail"]
    assert (judged["part_id"], judged["verdict"]) == ("next", "OK")
    assert (incoming / "failed" / "deadly.png").exists()
    assert err.read_text().count("the process ended 2 times") == 1
    assert not marked.exists()


def test_a_file_given_up_is_an_event_once(incoming: Path) -> None:
    heard: list[Happening] = []
    events = Events()
    events.listen(heard.append)
    put(incoming, "deadly.png", png(1))
    for _ in range(2):
        _, shots, _ = start(incoming, events)
        assert isinstance(next(shots), Frame)
        shots.close()
    source, shots, _ = start(incoming, events)
    shot = next(shots)
    assert isinstance(shot, Unfit)
    assert (shot.part_id, shot.reason) == ("deadly", Reason.UNREADABLE)
    finish(source, shot)
    assert [(h.code, h.severity) for h in heard] == [(EventCode.FILE_GIVEN_UP, "error")]
    # Copied there again, it is tried again.
    put(incoming, "deadly.png", png(1))
    assert isinstance(next(shots), Frame)


def test_a_line_that_was_told_to_stop_holds_nothing_against_the_shot_it_let_go_of(incoming: Path) -> None:
    put(incoming, "part.png", png(1))
    for _ in range(3):
        _, shots, stop = start(incoming)
        assert isinstance(next(shots), Frame)
        stop.set()
        shots.close()
        assert not (incoming / ".in-work").exists()


def test_another_file_under_the_name_of_a_deadly_one_is_not_the_deadly_one(incoming: Path) -> None:
    for seed in (1, 2, 3):
        put(incoming, "part.png", png(seed))
        _, shots, _ = start(incoming)
        assert isinstance(next(shots), Frame)
        shots.close()


def test_a_deadly_file_that_was_taken_away_leaves_no_mark(incoming: Path) -> None:
    put(incoming, "deadly.png", png(1))
    _, shots, _ = start(incoming)
    next(shots)
    shots.close()
    (incoming / "deadly.png").unlink()
    source, shots, _ = start(incoming)
    put(incoming, "part.png", png(2))
    finish(source, next(shots))
    assert {p.name for p in incoming.iterdir()} == {"processed", "failed"}


def test_a_file_given_up_that_cannot_be_moved_is_not_read_at_the_next_start_either(incoming: Path) -> None:
    put(incoming, "deadly.png", png(1))
    for _ in range(2):
        _, shots, _ = start(incoming)
        next(shots)
        shots.close()
    for _ in range(2):
        source, shots, _ = start(incoming)
        # A file where the folder should be stops even root.
        (incoming / "failed").rmdir()
        (incoming / "failed").touch()
        shot = next(shot for shot in shots if shot.part_id == "deadly")
        assert isinstance(shot, Unfit)
        finish(source, shot)
        (incoming / "failed").unlink()


def test_without_room_for_its_mark_the_line_goes_on_and_says_so_once(
    incoming: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (incoming / ".in-work").mkdir()
    (incoming / ".in-work" / "kept").touch()
    source, shots, _ = start(incoming)
    for seed in (1, 2):
        put(incoming, f"part-{seed}.png", png(seed))
        source.done(next(shots), OK)
    assert sum(".in-work cannot be written" in r.getMessage() for r in caplog.records) == 1


def test_a_mark_that_is_damaged_is_said_and_every_file_is_read(incoming: Path, caplog: pytest.LogCaptureFixture) -> None:
    (incoming / ".in-work").write_bytes(b"\x00" * 99)
    put(incoming, "part.png", png(1))
    source, shots, _ = start(incoming)
    shot = next(shots)
    assert isinstance(shot, Frame)
    finish(source, shot)
    assert [r.levelname for r in caplog.records] == ["ERROR"]
    assert "all are read" in caplog.text


def test_a_name_that_is_no_unicode_is_remembered_too(incoming: Path) -> None:
    name = os.fsdecode(b"part-\xff.png")
    for verdict in (Frame, Frame, Unfit):
        if not (incoming / name).exists():
            put(incoming, name, png(1))
        _, shots, _ = start(incoming)
        assert isinstance(next(shots), verdict)
        shots.close()


def test_a_file_that_waited_while_others_were_judged_came_before_it_was_read(incoming: Path) -> None:
    put(incoming, "there.png", png(1))
    source, shots, _ = start(incoming)
    there = next(shots)
    assert there.arrived_mono_s is None, "nobody knows how long it has lain there"
    put(incoming, "waits.png", png(2))
    put_s = time.monotonic()
    finish(source, there)
    waited = next(shots)
    assert waited.arrived_mono_s is not None
    assert waited.arrived_mono_s < put_s < waited.taken_mono_s
    waited_s = waited.taken_mono_s - waited.arrived_mono_s
    assert in_time(OK, waited, waited.taken_mono_s, waited_s / 2).reason is Reason.LATE
    assert in_time(OK, waited, waited.taken_mono_s, waited_s * 2) is OK


def test_a_file_that_grows_has_come_after_it_was_last_seen_smaller(incoming: Path) -> None:
    source, shots, _ = start(incoming)
    put(incoming, "first.png", png(1))
    finish(source, next(shots))
    slow = incoming / "slow.png"
    slow.write_bytes(png(2)[:500])
    put(incoming, "second.png", png(3))
    second = next(shot for shot in shots if shot.part_id == "second")
    before_s = time.monotonic()
    finish(source, second)
    with slow.open("ab") as file:
        file.write(png(2)[500:])
    whole = next(shot for shot in shots if isinstance(shot, Frame))
    assert whole.arrived_mono_s is not None
    assert second.arrived_mono_s is not None
    assert whole.arrived_mono_s > second.arrived_mono_s, "that look has seen it half"
    assert whole.taken_mono_s > before_s


class Pause:
    """One that ends after a few slices. during: what happens in it."""

    def __init__(self, during: Callable[[], object] = lambda: None) -> None:
        self._during, self._slices = during, 0
        self.slept_s = self.ended_s = 0.0

    def __call__(self, most_s: float) -> bool:
        self._slices += 1
        if self._slices == 2:
            self._during()
        time.sleep(most_s)
        self.slept_s += most_s
        self.ended_s = time.monotonic()
        return self._slices == 6


def test_a_file_that_came_in_a_pause_has_come_at_its_end(incoming: Path) -> None:
    source, shots, _ = start(incoming)
    put(incoming, "before.png", png(1))
    finish(source, next(shots))
    pause = Pause(lambda: put(incoming, "during.png", png(2)))
    source.rest(pause)
    during = next(shots)
    assert during.arrived_mono_s is not None
    assert pause.ended_s <= during.arrived_mono_s < during.taken_mono_s


def test_a_file_that_waits_for_the_end_of_a_pause_is_not_late_for_it(incoming: Path) -> None:
    began_s = time.monotonic()
    source, shots, _ = start(incoming)
    put(incoming, "first.png", png(1))
    finish(source, next(shots))
    for age_s, name in enumerate(("in work", "listed")):
        os.utime(put(incoming, f"{name}.png", png(age_s)), (1000 + age_s, 1000 + age_s))
    in_work = next(shots)
    put(incoming, "not listed.png", png(3))
    put_s, pause = time.monotonic(), Pause()
    source.rest(pause)
    rested_s = time.monotonic() - put_s
    finish(source, in_work)
    for name in ("listed", "not listed"):
        waited = next(shots)
        assert waited.part_id == name
        assert waited.arrived_mono_s is not None
        assert began_s + pause.slept_s <= waited.arrived_mono_s <= put_s + rested_s, "only what was no pause counts"
        finish(source, waited)


def test_after_one_file_was_given_up_no_second_one_is_before_some_file_was_judged(
    incoming: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(incoming, "a.png", png(1))
    for _ in range(2):
        _, shots, _ = start(incoming)
        next(shots)
        shots.close()
    source, shots, _ = start(incoming)
    given_up = next(shots)
    assert isinstance(given_up, Unfit)
    assert "the cause may be another" in given_up.detail
    finish(source, given_up)
    shots.close()
    put(incoming, "b.png", png(2))
    for _ in range(3):
        _, shots, _ = start(incoming)
        assert isinstance(next(shots), Frame), "two in a row may have another cause"
        shots.close()
    assert caplog.text.count("b.png in work, and with another file before") == 1
    put(incoming, "c.png", png(3))
    source, shots, _ = start(incoming)
    judged = next(shots)
    assert (judged.part_id, type(judged)) == ("c", Frame), "others go first"
    finish(source, judged)
    assert isinstance(second := next(shots), Unfit)
    assert second.part_id == "b"
