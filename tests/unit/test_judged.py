"""Judged files do not fill the disk, and nothing is deleted that was not put away."""

import os
import subprocess
from pathlib import Path

import pytest

from edge.capture.config import FolderConfig, WatchConfig
from edge.capture.judged import Judged, held_bytes
from edge.config import load_config
from edge.doctor.storage import claims_of, try_judged
from edge.doctor.symptom import State
from edge.errors import BadConfig
from edge.types import Decision
from tests.conftest import station_file
from tests.disks import small_disk

SIZE = 1000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "incoming").mkdir()
    return tmp_path / "incoming"


def arrive(folder: Path, name: str, size: int = SIZE) -> Path:
    path = folder / name
    path.write_bytes(b"\x00" * size)
    return path


def names(folder: Path) -> set[str]:
    return {f"{path.parent.name}/{path.name}" for place in ("processed", "failed") for path in (folder / place).iterdir()}


def test_the_oldest_of_both_folders_go_first_when_they_take_too_much(folder: Path) -> None:
    judged = Judged(folder, 3 * SIZE)
    for number, decision in enumerate((Decision.OK, Decision.NOT_DECIDABLE, Decision.NOK, Decision.OK, Decision.OK)):
        judged.put(arrive(folder, f"{number}.png"), decision)
    assert names(folder) == {"processed/2.png", "processed/3.png", "processed/4.png"}
    judged.put(arrive(folder, "large.png", 10 * SIZE), Decision.NOT_DECIDABLE)
    assert names(folder) == {"failed/large.png"}, "the newest stays, whatever its size"


def test_after_a_restart_what_is_there_counts_by_its_time(folder: Path) -> None:
    first = Judged(folder, 10 * SIZE)
    for age_s, name in enumerate(("c", "a", "b")):
        path = arrive(folder, f"{name}.png")
        os.utime(path, (1000 + age_s, 1000 + age_s))
        first.put(path, Decision.NOT_DECIDABLE if name == "a" else Decision.OK)
    second = Judged(folder, 2 * SIZE)
    second.count()
    assert len(names(folder)) == 3, "nothing goes before a part comes"
    second.put(arrive(folder, "d.png"), Decision.OK)
    assert names(folder) == {"processed/b.png", "processed/d.png"}


def test_a_line_that_finds_far_too_many_is_not_held_up_by_them(folder: Path) -> None:
    before = Judged(folder, 10**9)
    for number in range(150):
        before.put(arrive(folder, f"{number:03d}.png"), Decision.OK)
    after = Judged(folder, SIZE)
    after.count()
    left = []
    for number in range(2):
        after.put(arrive(folder, f"new-{number}.png"), Decision.OK)
        left.append(len(names(folder)))
    assert left == [51, 1]


def test_only_files_go_and_of_a_link_only_the_link(folder: Path, tmp_path: Path) -> None:
    precious = arrive(tmp_path, "precious.png")
    judged = Judged(folder, SIZE)
    (folder / "folder.png").mkdir()
    arrive(folder / "folder.png", "inside.png")
    (folder / "link.png").symlink_to(precious)
    waiting = arrive(folder, "waiting.png")
    for name in ("folder.png", "link.png"):
        judged.put(folder / name, Decision.NOT_DECIDABLE)
    for number in range(3):
        judged.put(arrive(folder, f"{number}.png"), Decision.OK)
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
    judged = Judged(folder, SIZE)
    judged.count()
    for number in range(3):
        judged.put(arrive(folder, f"{number}.png"), Decision.OK)
        judged.put(arrive(folder, f"{number}.bmp"), Decision.NOT_DECIDABLE)
    assert {path.name for path in archive.iterdir()} == {"old.png", "0.png", "1.png", "2.png"}
    assert {path.name for path in (folder / "failed").iterdir()} == {"2.bmp"}
    assert caplog.text.count("is a link; nothing is counted or removed behind it") == 1


def test_a_subfolder_that_becomes_a_link_while_the_line_runs_loses_nothing_behind_it(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    judged = Judged(folder, SIZE)
    judged.put(arrive(folder, "same.png"), Decision.OK)
    archive = (folder / "processed").rename(tmp_path / "archive")
    (folder / "processed").symlink_to(archive)
    for number in range(3):
        judged.put(arrive(folder, f"{number}.bmp"), Decision.NOT_DECIDABLE)
    assert (archive / "same.png").exists()
    assert caplog.text.count("same.png cannot be removed") == 1


def test_files_that_somebody_tidied_away_need_no_room(folder: Path) -> None:
    judged = Judged(folder, 2 * SIZE)
    for number in range(2):
        judged.put(arrive(folder, f"{number}.png"), Decision.OK)
        (folder / "processed" / f"{number}.png").unlink()
    for number in range(2, 4):
        judged.put(arrive(folder, f"{number}.png"), Decision.OK)
    assert names(folder) == {"processed/2.png", "processed/3.png"}


def test_the_doctor_says_how_much_is_kept_and_counts_what_may_come(recipe_dir: Path, folder: Path, tmp_path: Path) -> None:
    source: dict[str, object] = {"kind": "watch", "path": str(folder), "quota_mb": 3}
    config = load_config(station_file(tmp_path, recipe_dir, source, results={"path": "-"}))
    arrive(folder, "waiting.png", 5_000_000)
    Judged(folder, 10**9).put(arrive(folder, "judged.png", 2_000_000), Decision.OK)
    [claim] = claims_of(config)
    assert (claim.key, claim.folder, claim.still) == ("source.quota_mb", folder, 1_000_000)
    [found] = try_judged(config.source)
    assert (found.state, held_bytes(folder)) == (State.WELL, 2_000_000)
    assert f"processed/ and failed/ in {folder} hold 2 MB of 3 (source.quota_mb)" in found.detail
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
        Judged(tmp_path / "incoming", SIZE)
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "incoming"], check=True)
        with pytest.raises(BadConfig, match=r"source\.path: no file can be moved in .*incoming by this user"):
            Judged(tmp_path / "incoming", SIZE)
