"""What was taught is on the disk before it counts, whole or not there, and nobody can change it unnoticed."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.errors import BadConfig, BadLedger, InUse
from edge.teach.entry import TaughtEntry, UndoneEntry, packed
from edge.teach.ledger import Ledger, in_force, read_account, taught_lately

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
RECIPE, OTHER = "a" * 64, "b" * 64
PATCHES = np.arange(6, dtype=np.float32).reshape(2, 3) / 7


def taught(name: str, recipe_id: str = RECIPE, time_utc: datetime = NOW) -> TaughtEntry:
    return TaughtEntry(
        time_utc=time_utc,
        recipe_id=recipe_id,
        recipe_name="plate",
        result_id=f"result of {name}",
        part_id=name,
        evidence=f"day/{name}.png",
        evidence_sha256="c" * 64,
        who="Ada",
        reason="a new supplier's stamp",
        threshold=2.0,
        score_before=2.5,
        score_after=1.5,
        places=(7, 9),
        patches=packed(PATCHES),
    )


def undone(name: str, recipe_id: str = RECIPE) -> UndoneEntry:
    return UndoneEntry(time_utc=NOW, recipe_id=recipe_id, evidence=f"day/{name}.png", who="Ada", reason="it was a crack")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "station.taught"


def written(path: Path, *entries: TaughtEntry | UndoneEntry) -> bytes:
    ledger = Ledger(path)
    for entry in entries:
        ledger.append(entry)
    ledger.close()
    return path.read_bytes()


def names(path: Path, recipe_id: str = RECIPE) -> list[str]:
    return [entry.part_id for entry in in_force(read_account(path).entries, recipe_id)]


def test_entries_come_back_as_they_were_written_and_patches_to_the_last_bit(path: Path) -> None:
    written(path, taught("a"), undone("a"))
    assert read_account(path).entries == (taught("a"), undone("a"))
    part = taught("a").part()
    assert (part.patches == PATCHES).all()
    assert part.places.tolist() == [7, 9]
    assert taught("a").called("result of a")
    assert taught("a").called("day/a.png")
    assert not taught("a").called("a")


def test_what_was_taken_back_is_not_in_force_until_it_is_taught_again(path: Path) -> None:
    written(path, taught("a"), taught("b"), undone("a"), taught("c", OTHER))
    assert (names(path), names(path, OTHER), names(path, "d" * 64)) == (["b"], ["c"], [])
    written(path, taught("a"))
    assert names(path) == ["b", "a"]


def test_a_day_counts_every_part_also_those_taken_back_and_those_of_a_clock_that_was_ahead() -> None:
    old, ahead = NOW - timedelta(hours=25), NOW + timedelta(days=400)
    entries = [taught("old", time_utc=old), taught("a"), undone("a"), taught("b", OTHER), taught("c", time_utc=ahead)]
    assert taught_lately(entries, NOW) == 3


@pytest.mark.parametrize("whole", [0, 1, 2])
def test_an_entry_torn_at_any_byte_is_put_aside_and_those_before_it_stay(path: Path, whole: int) -> None:
    lines = written(path, taught("a"), taught("b"), undone("a")).splitlines(keepends=True)
    good, torn = b"".join(lines[:whole]), lines[whole]
    for cut in (*range(1, len(torn), 97), len(torn) - 1):
        path.write_bytes(good + torn[:cut])
        ledger = Ledger(path)
        assert len(ledger.entries) == whole
        assert ledger.torn
        assert ledger.torn.read_bytes() == torn[:cut]
        assert path.read_bytes() == good
        ledger.append(taught("d"))
        ledger.close()
        assert read_account(path).entries[-1] == taught("d")


def test_a_last_entry_with_holes_is_put_aside_as_one_without_an_end(path: Path) -> None:
    """A card may have written the last block of it and not one before."""
    first, second = written(path, taught("a"), taught("b")).splitlines(keepends=True)
    holed = second[:40] + b"\0" * 60 + second[100:]
    path.write_bytes(first + holed)
    ledger = Ledger(path)
    assert len(ledger.entries) == 1
    assert ledger.torn
    assert ledger.torn.read_bytes() == holed
    ledger.close()
    assert path.read_bytes() == first


def test_a_line_that_was_changed_removed_or_moved_is_found_out(path: Path) -> None:
    first, second, third = written(path, taught("a"), undone("a"), taught("b")).splitlines(keepends=True)
    for damaged in (
        first + second.replace(b"crack", b"stain") + third,
        first + third,
        first + second + third.replace(b"Ada", b"Bob"),
        first + second + third.replace(b"stamp", b"sta\rp"),
        second + first + third,
        first + b"\n" + second + third,
        first.replace(b"2.5", b"2.6") + second + third,
        b"\0" * len(first) + b"\n" + second + third,
    ):
        path.write_bytes(damaged)
        with pytest.raises(BadLedger, match=r"line \d is damaged or was altered"):
            Ledger(path)
        assert path.read_bytes() == damaged, "nothing is dropped from what nobody understands"


def test_only_one_process_has_the_ledger_and_the_other_learns_what_to_do(path: Path) -> None:
    ledger = Ledger(path)
    with pytest.raises(InUse, match="send it the command"):
        Ledger(path)
    ledger.close()
    Ledger(path).close()


def test_a_disk_that_refuses_leaves_the_ledger_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = written(path, taught("a"))
    ledger = Ledger(path)

    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            ledger.append(taught("b"))
    assert (len(ledger.entries), path.read_bytes()) == (1, before)
    ledger.append(taught("c"))
    ledger.close()
    assert names(path) == ["a", "c"]


def test_a_file_at_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "such" / "folder"):
        with pytest.raises(BadConfig, match=r"teach\.file"):
            Ledger(path)
