"""Evidence: safe names, a ring that never grows beyond its quota, and pictures that lose nothing."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BadConfig
from edge.evidence.names import Name, name_of, stem_of
from edge.evidence.pictures import overlay_file, raw_file
from edge.evidence.ring import Ring
from edge.types import Decision, Reason, Region, Verdict
from tests.conftest import part_picture

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOM = 10_000


def name(second: int) -> Name:
    return name_of(NOON + timedelta(seconds=second), second, f"part-{second}")


def files(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


@given(st.text(), st.datetimes(min_value=datetime(2000, 1, 1)), st.integers(1, 10**12))  # noqa: DTZ001 - zone added below
def test_no_part_id_leads_out_of_the_folder_or_makes_a_file_that_is_not_ours(part: str, when: datetime, seq: int) -> None:
    found = name_of(when.replace(tzinfo=UTC), seq, part)
    root = Path("/evidence")
    for file in (found.raw, found.overlay):
        path = (root / file).resolve()
        assert path.parent == root / f"{when:%Y-%m-%d}"
        assert stem_of(path.name) == found.stem
        assert stem_of(f"{path.name}.draft") == found.stem
        assert len(path.name.encode()) <= 150


def test_names_sort_by_time_and_then_by_number() -> None:
    names = [
        name_of(NOON - timedelta(days=1), 9, "z"),
        name_of(NOON, 2, "b"),
        name_of(NOON, 10, "a"),
        name_of(NOON + timedelta(microseconds=1), 1, "a"),
    ]
    assert sorted(n.raw for n in names) == [n.raw for n in names]
    assert sorted(names) == names


def test_the_oldest_make_room_and_the_quota_is_never_exceeded(tmp_path: Path) -> None:
    ring = Ring(tmp_path, ROOM)
    for second in range(5):
        ring.add(name(second), b"r" * 2000, b"o" * 1000)
        assert ring.used_bytes == sum((tmp_path / f).stat().st_size for f in files(tmp_path)) <= ROOM
    assert files(tmp_path) == sorted(file for n in (name(2), name(3), name(4)) for file in (n.raw, n.overlay))
    ring.add(name(5), b"r" * ROOM, None)
    assert files(tmp_path) == [name(5).raw]


def test_after_a_restart_what_is_there_counts_and_goes_first(tmp_path: Path) -> None:
    before = Ring(tmp_path, ROOM)
    before.add(name_of(NOON - timedelta(days=1), 7, "yesterday"), b"r" * 4000, b"o" * 1000)
    before.add(name(1), b"r" * 4000, None)
    (tmp_path / name(2).raw).with_name(Path(name(2).raw).name + ".draft").write_bytes(b"half")
    again = Ring(tmp_path, ROOM)
    assert again.used_bytes == 9000
    assert files(tmp_path) == [f for f in files(tmp_path) if not f.endswith(".draft")]
    again.add(name(3), b"r" * 4000, None)
    assert files(tmp_path) == [name(1).raw, name(3).raw]
    assert [p.name for p in tmp_path.iterdir()] == ["2026-11-24"], "an empty day goes, too"


def test_files_of_others_are_neither_counted_nor_removed(tmp_path: Path) -> None:
    others = [
        tmp_path / "2026-11-24" / "holiday.png",
        tmp_path / "pictures" / Path(name(0).raw).name,
        tmp_path / "notes.txt",
    ]
    for other in others:
        other.parent.mkdir(exist_ok=True)
        other.write_bytes(b"x" * ROOM)
    ring = Ring(tmp_path, ROOM)
    assert ring.used_bytes == 0
    for second in range(3):
        ring.add(name(second), b"r" * 6000, None)
    assert files(tmp_path) == sorted([*(str(o.relative_to(tmp_path)) for o in others), name(2).raw])


def test_a_file_that_somebody_took_away_is_not_missed(tmp_path: Path) -> None:
    ring = Ring(tmp_path, ROOM)
    ring.add(name(0), b"r" * 6000, None)
    (tmp_path / name(0).raw).unlink()
    ring.add(name(1), b"r" * 6000, None)
    assert files(tmp_path) == [name(1).raw]


def test_pictures_go_first_when_others_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk of which others leave `free`: what the ring removes is free again."""
    free = 50_000

    def statvfs(_path: object) -> SimpleNamespace:
        ours = sum((tmp_path / file).stat().st_size for file in files(tmp_path))
        return SimpleNamespace(f_bavail=free - ours, f_frsize=1)

    monkeypatch.setattr("edge.evidence.ring.os.statvfs", statvfs)
    ring = Ring(tmp_path, 10 * ROOM, keep_free_bytes=20_000)
    for second in range(5):
        ring.add(name(second), b"r" * 6000, None)
    assert len(files(tmp_path)) == 5
    free = 38_500
    ring.give_way()
    assert files(tmp_path) == [name(second).raw for second in (2, 3, 4)], "no more than the room that is wanted"
    ring.add(name(5), b"r" * 6000, None)
    assert files(tmp_path) == [name(second).raw for second in (3, 4, 5)]
    free = 19_000
    with pytest.raises(OSError, match=r"evidence\.keep_free_mb"):
        ring.add(name(6), b"r" * 6000, None)
    assert files(tmp_path) == []


def test_a_disk_that_takes_half_a_file_is_left_with_none_of_it(tmp_path: Path) -> None:
    # The kernel's limit on a file's size behaves like a disk with that much room.
    script = """
import resource, sys
from pathlib import Path
from types import SimpleNamespace
from edge.evidence.names import Name
from edge.evidence.ring import Ring
ring = Ring(Path(sys.argv[1]), 10_000)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
try:
    ring.add(Name("2026-11-24", "part"), b"r" * 4000, b"o" * 2000)
except OSError as err:
    print(err.strerror, ring.used_bytes)
"""
    command = [sys.executable, "-W", "error", "-c", script, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout == "File too large 0\n"
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_used_is_refused_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadConfig, match=r"evidence\.path: .*file/evidence cannot be made"):
        Ring(tmp_path / "file" / "evidence", ROOM)


def test_the_picture_is_kept_to_the_last_bit_and_grey_takes_one_channel() -> None:
    grey = part_picture(1)
    colour = grey.copy()
    colour[0, 0, 0] ^= 1
    for pixels, channels in ((grey, 2), (colour, 3)):
        raw = np.frombuffer(raw_file(pixels), np.uint8)
        assert cv2.imdecode(raw, cv2.IMREAD_UNCHANGED).ndim == channels
        assert np.array_equal(cv2.imdecode(raw, cv2.IMREAD_COLOR), pixels)


def test_an_overlay_for_people_has_no_more_pixels_than_they_see_and_its_boxes_are_where_the_defect_is() -> None:
    large = np.full((1000, 2560, 3), 128, np.uint8)
    verdict = Verdict(Decision.NOK, Reason.ABOVE_THRESHOLD, regions=(Region(1000, 400, 400, 200, 9.0, 0),))
    drawn = cv2.imdecode(np.frombuffer(overlay_file(large, verdict, 2.0), np.uint8), cv2.IMREAD_COLOR)
    bar = 28
    assert drawn.shape == (500 + bar, 1280, 3)
    red = drawn[bar:, :, 2].astype(int) - drawn[bar:, :, 1] > 60
    rows, cols = np.nonzero(red)
    assert np.allclose([cols.min(), cols.max(), rows.min(), rows.max()], [500, 699, 200, 299], atol=3)
