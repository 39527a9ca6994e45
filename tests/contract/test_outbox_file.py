"""The outbox's file: what stays in it, what must make room, and what is no outbox."""

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import BadConfig
from edge.report.outbox.aside import open_outbox
from edge.report.outbox.lasting import LastingOutbox
from edge.report.outbox.memory import MOST_DEAD
from edge.report.outbox.outbox import Answer, Fate, in_parts
from edge.report.outbox.sqlite import SqliteOutbox
from edge.types import Decision
from tests.outboxes import QUOTA, damage, entry, inside

OK, NOK, NOT_DECIDABLE = Decision.OK, Decision.NOK, Decision.NOT_DECIDABLE
SMALL = 2**20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "waiting.outbox"


def on_disk(path: Path) -> int:
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))


def test_what_waits_and_the_books_are_there_after_the_process(path: Path) -> None:
    outbox = SqliteOutbox(path, QUOTA)
    outbox.put([entry(seq) for seq in range(5)])
    first, second, _ = outbox.take(3)
    outbox.settle([Answer(first.id, Fate.DELIVERED), Answer(second.id, Fate.DEAD, "too large")])
    before = outbox.counts
    outbox.close()
    again = SqliteOutbox(path, QUOTA)
    assert again.counts == before
    assert again.account.lost == 0, "lost is told of this start alone"
    assert [row.entry for row in again.take(9)] == [entry(seq) for seq in (2, 3, 4)]
    again.put([entry(9)])
    assert again.take(9)[0].id == 6, "an id is never used twice"
    again.close()
    assert inside(path, "SELECT reason, payload FROM dead") == [("too large", entry(1).payload)]


def test_rows_are_evicted_oldest_ok_first_and_nok_last_and_never_while_they_are_taken(path: Path) -> None:
    outbox = SqliteOutbox(path, SMALL)
    outbox.put([entry(seq, OK, size=4000) for seq in range(4)])
    taken = outbox.take(2)
    outbox.put([entry(seq, (OK, NOK, NOT_DECIDABLE)[seq % 3], size=4000) for seq in range(4, 1000)])
    counts = outbox.counts
    assert counts.balanced
    assert counts.evicted_ok == 332 + 4 - 2, "every OK but those taken"
    assert counts.evicted_not_decidable == 332
    rows = outbox.take(1000)
    assert [row.entry.seq for row in rows] == [s for s in range(4, 1000) if s % 3 == 1][counts.evicted_nok :], "oldest first"
    assert 0 < len(rows) < 332
    outbox.settle([Answer(row.id, Fate.DELIVERED) for row in taken])
    assert outbox.counts.delivered == 2
    outbox.close()


@pytest.mark.parametrize("size", [100, 900, 2100, 20_000])
def test_file_and_log_never_take_more_than_the_quota(path: Path, size: int) -> None:
    outbox = SqliteOutbox(path, QUOTA)
    most = 0
    entries = [entry(seq, size=size) for seq in range(3 * QUOTA // 2 // (size + 100))]
    for part in in_parts(entries, lambda each: each.payload):
        outbox.put(part)
        most = max(most, on_disk(path))
    assert outbox.counts.evicted_ok > 0
    assert outbox.counts.balanced
    assert QUOTA / 2 < most <= QUOTA
    outbox.close()


def test_a_row_that_never_fits_is_counted_and_the_others_stay(path: Path) -> None:
    outbox = SqliteOutbox(path, SMALL)
    outbox.put([entry(1), entry(2, NOK, size=SMALL), entry(3)])
    assert outbox.counts.evicted_nok == 1
    assert outbox.counts.balanced
    assert [row.entry.seq for row in outbox.take(9)] == [1, 3]
    outbox.close()


def test_eviction_is_said_at_its_beginning_and_its_end(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    outbox = SqliteOutbox(path, SMALL)
    for seq in range(1000):
        outbox.put([entry(seq, size=2000)])
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert "quota_mb" in caplog.text
    while rows := outbox.take(16):
        outbox.settle([Answer(row.id, Fate.DELIVERED) for row in rows])
    assert [r.levelno for r in caplog.records] == [logging.ERROR, logging.WARNING]
    assert f"{outbox.counts.evicted} results were dropped" in caplog.text
    outbox.close()


def test_dead_letters_are_capped_and_all_are_counted(path: Path) -> None:
    outbox = SqliteOutbox(path, QUOTA)
    outbox.put([entry(seq) for seq in range(MOST_DEAD + 50)])
    outbox.settle([Answer(row.id, Fate.DEAD, "why") for row in outbox.take(MOST_DEAD + 50)])
    assert outbox.counts.dead == MOST_DEAD + 50
    outbox.close()
    kept = inside(path, "SELECT payload FROM dead ORDER BY id")
    assert kept == [(entry(seq).payload,) for seq in range(50, MOST_DEAD + 50)]


def test_a_second_process_is_refused_with_the_files_name(path: Path) -> None:
    outbox = SqliteOutbox(path, QUOTA)
    script = """
import sys
from pathlib import Path
from edge.report.outbox.lasting import LastingOutbox
from edge.errors import BadConfig
try:
    LastingOutbox(Path(sys.argv[1]), 2**22)
except BadConfig as err:
    print(err)
"""
    command = [sys.executable, "-c", script, path]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]).stdout
    assert f"{path} is in use by another process" in said
    outbox.put([entry(1)])
    outbox.close()


@pytest.mark.parametrize("name", [".", "absent/waiting.outbox", "/proc/waiting.outbox"])
def test_a_place_that_cannot_be_written_is_refused_with_the_key(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadConfig, match=r"mqtt\.outbox\.path: "):
        open_outbox(tmp_path / name, QUOTA)


def _not_a_database(path: Path) -> None:
    damage(path)


def _malformed(path: Path) -> None:
    damage(path, 2 * 4096)


def _other_version(path: Path) -> None:
    inside(path, "PRAGMA user_version = 7")


def _another_program(path: Path) -> None:
    inside(path, "DROP TABLE waiting")


@pytest.mark.parametrize("spoil", [_not_a_database, _malformed, _other_version, _another_program])
def test_what_is_no_sound_outbox_is_put_aside_whole_and_said(
    path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], None]
) -> None:
    outbox = SqliteOutbox(path, QUOTA)
    outbox.put([entry(seq) for seq in range(100)])
    outbox.close()
    spoil(path)
    spoiled = path.read_bytes()
    fresh = open_outbox(path, QUOTA)
    assert fresh.counts.as_dict() | {"moved_aside": 0} == dict.fromkeys(fresh.counts.as_dict(), 0)
    assert fresh.counts.moved_aside == 1
    fresh.put([entry(1)])
    fresh.close()
    (aside,) = path.parent.glob("waiting.outbox.corrupt-*")
    assert aside.read_bytes() == spoiled
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert aside.name in caplog.text
    damage(path)
    assert open_outbox(path, QUOTA).counts.moved_aside == 2


def test_an_empty_file_is_a_fresh_outbox(path: Path) -> None:
    path.touch()
    outbox = open_outbox(path, QUOTA)
    outbox.put([entry(1)])
    assert outbox.counts.waiting == 1
    outbox.close()
    assert not list(path.parent.glob("*.corrupt-*"))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE waiting SET verdict = 'PERHAPS'",
        "UPDATE waiting SET payload = 'text'",
        "UPDATE waiting SET seq = 'first'",
        "UPDATE counter SET name = 'surprise' WHERE name = 'inspected'",
        "UPDATE counter SET value = 'many'",
        "UPDATE sqlite_sequence SET seq = 'last'",
        "DROP TABLE dead",
        "CREATE TRIGGER greedy AFTER INSERT ON waiting BEGIN DELETE FROM waiting; END",
    ],
)
def test_a_file_whose_rows_or_tables_are_not_an_outboxs_is_put_aside_and_delivery_goes_on(path: Path, change: str) -> None:
    first = SqliteOutbox(path, QUOTA)
    first.put([entry(1)])
    first.close()
    inside_out = sqlite3.connect(path)
    inside_out.execute(change)
    inside_out.commit()
    inside_out.close()
    outbox = LastingOutbox(path, QUOTA)
    outbox.put([entry(2)])
    assert [row.entry.seq for row in outbox.take(9)] == [2]
    assert outbox.counts.moved_aside == 1
    outbox.close()
