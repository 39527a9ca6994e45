"""Judged files do not fill the disk, and nothing is deleted that was not put away."""

import errno
import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.capture.config import FolderConfig, WatchConfig
from edge.capture.judged import Judged, held_bytes
from edge.capture.plain_files import files_in, remove
from edge.config import load_config
from edge.doctor.storage import claims_of, try_judged
from edge.doctor.symptom import State
from edge.errors import BadConfig
from edge.types import Decision
from tests.brokers import PATIENCE_S
from tests.conftest import station_file
from tests.disks import small_disk

SIZE = 1000

_SECONDS = itertools.count(1_000_000)
"""Each file is newer than the one before, however fast they are made."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "incoming").mkdir()
    yield tmp_path / "incoming"
    settle()


def arrive(folder: Path, name: str, size: int = SIZE) -> Path:
    path = folder / name
    path.write_bytes(b"\x00" * size)
    return newest(path)


def newest(path: Path) -> Path:
    second = next(_SECONDS)
    os.utime(path, (second, second), follow_symlinks=False)
    return path


def line_on(folder: Path, quota_bytes: int) -> Judged:
    """As after a start."""
    judged = Judged(folder, quota_bytes, threading.Event(), pause_s=0.0)
    judged.look_after()
    settle()
    return judged


def lookers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "judged files"]


def settle() -> None:
    """Wait until nobody looks for files to remove."""
    for thread in lookers():
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def put(judged: Judged, path: Path, decision: Decision = Decision.OK) -> None:
    judged.put(path, decision)
    settle()


def names(folder: Path) -> set[str]:
    places = [folder / place for place in ("processed", "failed") if (folder / place).is_dir()]
    return {f"{path.parent.name}/{path.name}" for place in places for path in place.iterdir()}


def test_the_oldest_of_both_folders_go_first_when_they_take_too_much(folder: Path) -> None:
    judged = line_on(folder, 3 * SIZE)
    for number, decision in enumerate((Decision.OK, Decision.NOT_DECIDABLE, Decision.NOK, Decision.OK, Decision.OK)):
        put(judged, arrive(folder, f"{number}.png"), decision)
    assert names(folder) == {"processed/2.png", "processed/3.png", "processed/4.png"}
    put(judged, arrive(folder, "large.png", 10 * SIZE), Decision.NOT_DECIDABLE)
    assert names(folder) == {"failed/large.png"}, "the newest stays, whatever its size"


def test_what_came_last_stays_however_old_its_time_is(folder: Path) -> None:
    judged = line_on(folder, 4 * SIZE)
    for number in range(3):
        put(judged, arrive(folder, f"{number}.png"))
    for number in range(2):
        old = arrive(folder, f"old-{number}.png")
        os.utime(old, (number, number))
        put(judged, old)
    assert names(folder) == {"processed/2.png", "processed/old-0.png", "processed/old-1.png"}


def test_after_a_restart_what_is_there_counts_by_its_time(folder: Path) -> None:
    first = line_on(folder, 10 * SIZE)
    for name in "cab":
        put(first, arrive(folder, f"{name}.png"), Decision.NOT_DECIDABLE if name == "a" else Decision.OK)
    second = line_on(folder, 3 * SIZE)
    assert len(names(folder)) == 3, "that is no more than it may be"
    put(second, arrive(folder, "d.png"))
    assert names(folder) == {"processed/b.png", "processed/d.png"}


def test_what_is_too_much_at_the_start_is_said_before_it_goes(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = line_on(folder, 10**9)
    for number in range(5):
        put(before, arrive(folder, f"{number}.png", 1_000_000))
    line_on(folder, 3_000_000)
    [said] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "hold 5 MB from before, and the quota is 3 MB: about 3 MB of the oldest go now" in said.getMessage()
    assert names(folder) == {"processed/3.png", "processed/4.png"}


def test_far_more_files_than_one_look_remembers_go_in_several(folder: Path) -> None:
    Judged(folder, 10**9, threading.Event())
    for number in range(10_050):
        (folder / "processed" / f"{number:05d}.png").write_bytes(b"\x00")
        os.utime(folder / "processed" / f"{number:05d}.png", (number, number))
    line_on(folder, 10)
    assert names(folder) == {f"processed/{number:05d}.png" for number in range(10_041, 10_050)}


def test_the_line_waits_for_nobody_who_looks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, scandir = threading.Event(), os.scandir

    def slow(path: int) -> object:
        assert go_on.wait(PATIENCE_S)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", slow)
    judged = Judged(folder, SIZE, threading.Event(), pause_s=0.0)
    judged.look_after()
    for number in range(3):
        judged.put(arrive(folder, f"{number}.png"), Decision.OK)
    assert (len(names(folder)), len(lookers())) == (3, 1), "one looks, and nothing has gone yet"
    go_on.set()
    settle()
    put(judged, arrive(folder, "3.png"))
    assert names(folder) == {"processed/3.png"}


def test_looking_ends_with_the_line(folder: Path) -> None:
    before = line_on(folder, 10**9)
    for number in range(3):
        put(before, arrive(folder, f"{number}.png"))
    stop = threading.Event()
    stop.set()
    Judged(folder, SIZE, stop).look_after()
    settle()
    assert len(names(folder)) == 3


def test_only_files_go_and_of_a_link_only_the_link(folder: Path, tmp_path: Path) -> None:
    precious = arrive(tmp_path, "precious.png")
    judged = line_on(folder, SIZE)
    (folder / "folder.png").mkdir()
    arrive(folder / "folder.png", "inside.png")
    (folder / "link.png").symlink_to(precious)
    newest(folder / "link.png")
    waiting = arrive(folder, "waiting.png")
    for name in ("folder.png", "link.png"):
        put(judged, folder / name, Decision.NOT_DECIDABLE)
    for number in range(3):
        put(judged, arrive(folder, f"{number}.png"))
    assert names(folder) == {"failed/folder.png", "processed/2.png"}
    assert (folder / "failed" / "folder.png" / "inside.png").exists()
    assert precious.exists()
    assert waiting.exists()


def test_a_subfolder_that_leads_elsewhere_is_somebody_elses(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    arrive(archive, "old.png", 10 * SIZE)
    (folder / "processed").symlink_to(archive)
    judged = line_on(folder, SIZE)
    for number in range(3):
        put(judged, arrive(folder, f"{number}.png"))
        put(judged, arrive(folder, f"{number}.bmp"), Decision.NOT_DECIDABLE)
    assert {path.name for path in archive.iterdir()} == {"old.png", "0.png", "1.png", "2.png"}
    assert {path.name for path in (folder / "failed").iterdir()} == {"2.bmp"}
    assert caplog.text.count("is a link; nothing is counted or removed behind it") == 1


def test_a_subfolder_that_becomes_a_link_while_the_line_runs_loses_nothing_behind_it(folder: Path, tmp_path: Path) -> None:
    judged = line_on(folder, SIZE)
    put(judged, arrive(folder, "same.png"))
    archive = (folder / "processed").rename(tmp_path / "archive")
    (folder / "processed").symlink_to(archive)
    for number in range(3):
        put(judged, arrive(folder, f"{number}.bmp"), Decision.NOT_DECIDABLE)
    assert names(folder) == {"processed/same.png", "failed/2.bmp"}


def test_what_has_changed_since_it_was_seen_stays(tmp_path: Path) -> None:
    place = tmp_path / "processed"
    place.mkdir()
    arrive(place, "touched.png")
    [seen] = files_in(place)
    newest(place / "touched.png")
    assert not remove(seen)
    [seen] = files_in(place)
    archive = place.rename(tmp_path / "archive")
    place.symlink_to(archive)
    remove(seen)
    assert (archive / "touched.png").exists(), "that is another folder now"


def test_files_that_somebody_tidied_away_need_no_room(folder: Path) -> None:
    judged = line_on(folder, 2 * SIZE)
    for number in range(2):
        put(judged, arrive(folder, f"{number}.png"))
        (folder / "processed" / f"{number}.png").unlink()
    for number in range(2, 4):
        put(judged, arrive(folder, f"{number}.png"))
    assert names(folder) == {"processed/2.png", "processed/3.png"}


def test_who_takes_files_away_and_uses_their_names_again_loses_none(folder: Path) -> None:
    judged = line_on(folder, 3 * SIZE)
    for _ in range(20):
        put(judged, arrive(folder, "same.png"))
        assert names(folder) == {"processed/same.png"}
        (folder / "processed" / "same.png").unlink()
    for number in range(3):
        put(judged, arrive(folder, f"{number}.png"))
    assert len(names(folder)) == 3


def test_who_takes_a_whole_folder_away_leaves_room_for_the_other(folder: Path) -> None:
    judged = line_on(folder, 3 * SIZE)
    for number in range(2):
        put(judged, arrive(folder, f"{number}.bmp"), Decision.NOT_DECIDABLE)
    shutil.rmtree(folder / "failed")
    for number in range(5):
        put(judged, arrive(folder, f"{number}.png"))
    assert names(folder) == {"processed/2.png", "processed/3.png", "processed/4.png"}


def test_a_file_that_cannot_be_removed_is_said_once_and_others_go(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = os.unlink

    def refuse(path: str, *, dir_fd: int | None = None) -> None:
        if path == "0.png":
            raise PermissionError(errno.EPERM, "Operation not permitted", path)
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    judged = line_on(folder, 3 * SIZE)
    for number in range(7):
        put(judged, arrive(folder, f"{number}.png"))
    assert names(folder) == {"processed/0.png", "processed/5.png", "processed/6.png"}
    assert caplog.text.count("0.png cannot be removed: Operation not permitted") == 1


def test_a_folder_that_cannot_be_looked_through_is_said_once_and_looked_at_again(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "scandir", fail)
        judged = line_on(folder, SIZE)
        for number in range(3):
            put(judged, arrive(folder, f"{number}.png"))
    assert caplog.text.count("cannot be looked through: Input/output error") == 1
    assert len(names(folder)) == 3
    put(judged, arrive(folder, "3.png"))
    assert names(folder) == {"processed/3.png"}


def test_the_doctor_says_how_much_is_kept_and_counts_what_may_come(recipe_dir: Path, folder: Path, tmp_path: Path) -> None:
    source: dict[str, object] = {"kind": "watch", "path": str(folder), "quota_mb": 3}
    config = load_config(station_file(tmp_path, recipe_dir, source, results={"path": "-"}))
    arrive(folder, "waiting.png", 5_000_000)
    kept = line_on(folder, 10**9)
    put(kept, arrive(folder, "judged.png", 2_000_000))
    [claim] = claims_of(config)
    assert (claim.key, claim.folder, claim.still) == ("source.quota_mb", folder, 1_000_000)
    [found] = try_judged(config.source)
    assert (found.state, held_bytes(folder)) == (State.WELL, 2_000_000)
    assert f"processed/ and failed/ in {folder} hold 2 MB of 3 (source.quota_mb)" in found.detail
    put(kept, arrive(folder, "more.png", 3_000_000))
    [found] = try_judged(config.source)
    assert found.state is State.WORRY
    assert "hold 5 MB of 3 (source.quota_mb); the line removes about 3 MB, the oldest first" in found.detail
    (folder / "failed").rmdir()
    (folder / "failed").symlink_to(tmp_path)
    assert isinstance(config.source, WatchConfig)
    assert [(s.state, "failed is a link" in s.detail) for s in try_judged(config.source)] == [(State.WORRY, True)]
    assert try_judged(FolderConfig(kind="folder", path=str(folder))) == []


def test_a_folder_in_which_no_file_can_be_moved_is_refused_at_the_start(tmp_path: Path) -> None:
    """As the sandbox of the service leaves it where nobody has opened it."""
    with small_disk(tmp_path / "incoming", "256k") as mounted:
        if not mounted:
            pytest.skip("only who may mount can make a folder read-only for root")
        Judged(tmp_path / "incoming", SIZE, threading.Event())
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "incoming"], check=True)
        with pytest.raises(BadConfig, match=r"source\.path: no file can be moved in .*incoming by this user"):
            Judged(tmp_path / "incoming", SIZE, threading.Event())
