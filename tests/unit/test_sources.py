"""Pictures from files: each is judged once and whole, and what is no picture is said to be none."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture.sources import FolderSource, Source
from edge.capture.video import VideoSource
from edge.capture.watch import WatchSource
from edge.errors import BadConfig
from edge.types import Decision, Frame, Reason, Shot, Unfit, Verdict
from tests.brokers import wait_until
from tests.conftest import part_picture, write_parts

OK = Verdict(Decision.OK, Reason.WITHIN_THRESHOLD)
POLL_S = 0.01
NEVER_S = 3600.0


def png(seed: int) -> bytes:
    return cv2.imencode(".png", part_picture(seed))[1].tobytes()


def put(folder: Path, name: str, content: bytes) -> Path:
    """Arrival in one step, as the documentation advises."""
    (folder / ".arriving").write_bytes(content)
    return (folder / ".arriving").rename(folder / name)


def finish(source: Source, shot: Shot) -> None:
    source.done(shot, Verdict.not_decidable(shot.reason, shot.detail) if isinstance(shot, Unfit) else OK)


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


def watching(folder: Path, grace_s: float = 0.0) -> tuple[WatchSource, Iterator[Shot]]:
    source = WatchSource(folder, POLL_S, threading.Event(), grace_s)
    return source, iter(source)


@contextmanager
def line_on(source: Source, stop: threading.Event) -> Iterator[list[Shot]]:
    """A line that judges in a thread of its own; yields what it has judged so far."""
    judged: list[Shot] = []

    def run() -> None:
        for shot in source:
            finish(source, shot)
            judged.append(shot)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield judged
    finally:
        stop.set()
        thread.join()


def no_pictures(folder: Path) -> set[str]:
    """Writes what is named like a picture and is none; returns the names without suffix."""
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("hello")
    (folder / "cut.png").write_bytes(png(1)[:500])
    (folder / "folder.png").mkdir()
    (folder / "nowhere.png").symlink_to("absent.png")
    os.mkfifo(folder / "pipe.png")
    return {"empty", "text", "cut", "folder", "nowhere", "pipe"}


def test_a_folder_gives_every_picture_once_by_name(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", range(3))
    shots = list(FolderSource(folder, threading.Event()))
    assert [s.part_id for s in shots] == ["part-000", "part-001", "part-002"]
    assert all(isinstance(s, Frame) for s in shots)
    assert len(list(folder.iterdir())) == 3


def test_a_folder_leaves_out_nothing_that_is_named_like_a_picture(incoming: Path) -> None:
    names = no_pictures(incoming)
    shots = list(FolderSource(incoming, threading.Event()))
    assert {s.part_id for s in shots} == names
    assert all(isinstance(s, Unfit) and s.reason is Reason.UNREADABLE and s.detail for s in shots)


def test_a_file_name_that_is_no_unicode_still_names_its_part(incoming: Path) -> None:
    Path(os.fsdecode(os.fsencode(incoming) + b"/part-\xff.png")).write_bytes(b"")
    [shot] = FolderSource(incoming, threading.Event())
    assert isinstance(shot, Unfit)
    assert shot.part_id == "part-\N{REPLACEMENT CHARACTER}"
    shot.detail.encode()


def test_a_stopped_folder_gives_no_more(tmp_path: Path) -> None:
    stop = threading.Event()
    shots = iter(FolderSource(write_parts(tmp_path / "parts", range(3)), stop))
    next(shots)
    stop.set()
    assert list(shots) == []


def test_watched_files_come_oldest_first_and_are_put_away(incoming: Path) -> None:
    source, shots = watching(incoming)
    for age_s, name in enumerate(("b.png", "a.png")):
        os.utime(put(incoming, name, png(age_s)), (1000 + age_s, 1000 + age_s))
    for name in ("b", "a"):
        shot = next(shots)
        assert shot.part_id == name
        finish(source, shot)
    assert sorted(p.name for p in (incoming / "processed").iterdir()) == ["a.png", "b.png"]
    assert list(incoming.glob("*.png")) == []


def test_what_is_no_picture_goes_to_failed_with_a_reason(incoming: Path) -> None:
    source, shots = watching(incoming)
    names = no_pictures(incoming) | {"notes"}
    (incoming / "notes.txt").write_text("hello")
    (incoming / ".hidden.png").touch()
    judged = set()
    for _ in names:
        shot = next(shots)
        assert isinstance(shot, Unfit)
        assert shot.reason is Reason.UNREADABLE
        judged.add(shot.part_id)
        finish(source, shot)
    assert judged == names
    assert {p.stem for p in (incoming / "failed").iterdir()} == names
    assert {p.name for p in incoming.iterdir()} == {".hidden.png", "processed", "failed"}


def test_a_copy_that_pauses_is_not_read_half(incoming: Path) -> None:
    source, shots = watching(incoming, grace_s=NEVER_S)
    slow = incoming / "slow.png"
    slow.write_bytes(png(1)[:500])
    os.utime(slow, (1000, 1000))
    put(incoming, "quick.png", png(2))
    quick = next(shots)
    assert quick.part_id == "quick", "the slow one is older, and has been seen as often"
    finish(source, quick)
    with slow.open("ab") as file:
        file.write(png(1)[500:])
    whole = next(shots)
    assert isinstance(whole, Frame)
    assert (whole.pixels == part_picture(1)).all()


def test_a_name_that_was_there_before_keeps_both_files(incoming: Path) -> None:
    source, shots = watching(incoming)
    for seed in (1, 2):
        put(incoming, "part.png", png(seed))
        finish(source, next(shots))
    kept = {p.read_bytes() for p in (incoming / "processed").iterdir()}
    assert kept == {png(1), png(2)}


def test_a_part_that_comes_under_the_name_of_the_one_in_work_gets_its_own_verdict(incoming: Path) -> None:
    source, shots = watching(incoming)
    put(incoming, "part.png", png(1))
    first = next(shots)
    put(incoming, "part.png", png(2))
    finish(source, first)
    second = next(shots)
    assert isinstance(second, Frame)
    assert (second.pixels == part_picture(2)).all()


def test_a_file_that_vanishes_while_it_is_judged_is_no_trouble(incoming: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, shots = watching(incoming)
    put(incoming, "a.png", png(1)).with_name("a.png")
    shot = next(shots)
    (incoming / "a.png").unlink()
    finish(source, shot)
    put(incoming, "b.png", png(2))
    assert next(shots).part_id == "b"
    assert caplog.records == []


def test_a_file_that_cannot_be_moved_is_judged_once_and_said_once(incoming: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, shots = watching(incoming)
    # A file where the folder should be stops even root.
    (incoming / "processed").rmdir()
    (incoming / "processed").touch()
    os.utime(incoming / "processed", (2**31, 2**31))
    put(incoming, "stuck.png", png(1))
    finish(source, next(shots))
    put(incoming, "next.png", b"")
    assert next(shots).part_id in {"next", "processed"}
    assert sum("stuck.png cannot be moved" in r.getMessage() for r in caplog.records) == 1


def test_subfolders_that_were_tidied_away_are_made_again(incoming: Path) -> None:
    source, shots = watching(incoming)
    (incoming / "processed").rmdir()
    put(incoming, "part.png", png(1))
    finish(source, next(shots))
    assert (incoming / "processed" / "part.png").exists()


def test_a_folder_that_vanishes_and_returns_is_said_once_each(incoming: Path, caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    away = incoming.with_name("away")
    source = WatchSource(incoming, POLL_S, stop, 0.0)
    with line_on(source, stop) as judged:
        put(incoming, "before.png", png(1))
        wait_until(lambda: len(judged) == 1, "the first part")
        assert (source.feed().up, source.feed().frames, source.feed().losses) == (True, 1, 0)
        incoming.rename(away)
        wait_until(lambda: "is lost" in caplog.text, "the loss to be said")
        wait_until(lambda: not source.feed().up, "the loss to be told")
        away.rename(incoming)
        put(incoming, "after.png", png(2))
        wait_until(lambda: len(judged) == 2, "the second part")
    assert (source.feed().up, source.feed().frames, source.feed().losses) == (True, 2, 1)
    assert [s.part_id for s in judged] == ["before", "after"]
    assert [r.levelname for r in caplog.records] == ["ERROR", "WARNING"]


def test_a_folder_to_watch_must_be_there_and_writable(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"source\.path: .* is not a folder"):
        WatchSource(tmp_path / "absent", POLL_S, threading.Event())
    (tmp_path / "processed").touch()
    with pytest.raises(BadConfig, match=r"no file can be moved in .*processed by this user: Not a directory"):
        WatchSource(tmp_path, POLL_S, threading.Event())
    with pytest.raises(BadConfig, match="cannot be listed"):
        FolderSource(tmp_path / "absent", threading.Event())


def test_watching_stops_when_told(incoming: Path) -> None:
    stop = threading.Event()
    with line_on(WatchSource(incoming, NEVER_S, stop), stop) as judged:
        pass
    assert judged == []


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Twelve frames, each of one grey tone: ten times its number."""
    path = tmp_path / "line.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
    for number in range(12):
        writer.write(np.full((120, 160, 3), 10 * number, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize("every", [1, 5, 12, 100])
def test_a_video_gives_every_nth_frame(video: Path, every: int, caplog: pytest.LogCaptureFixture) -> None:
    shots = list(VideoSource(video, every, threading.Event()))
    wanted = list(range(0, 12, every))
    assert [s.part_id for s in shots] == [f"line-{n:06d}" for n in wanted]
    assert [round(float(s.pixels.mean()) / 10) for s in shots if isinstance(s, Frame)] == wanted
    assert caplog.records == []


def test_a_cut_off_video_gives_what_is_there_and_says_that_more_was_promised(
    video: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raw = video.read_bytes()
    sixth = [at for at in range(len(raw)) if raw.startswith(b"00dc", at)][5]
    video.write_bytes(raw[:sixth])
    shots = list(VideoSource(video, 1, threading.Event()))
    assert 0 < len(shots) <= 5
    assert f"ends after {len(shots)} of about 12 frames" in caplog.text


@pytest.mark.parametrize("content", [b"", b"no video", None])
def test_what_is_no_video_is_refused_with_its_key(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "line.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadConfig, match=r"source\.path: .* is not a video"):
        VideoSource(path, 1, threading.Event())
