"""A disk that is really full: results are delivered from memory, and committed when there is room again."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.report.outbox import lasting
from edge.report.outbox.lasting import LastingOutbox
from edge.report.outbox.outbox import Answer, Fate, in_parts
from tests.disks import FILLER, fill, full_disk, small_disk
from tests.outboxes import QUOTA, entry, inside


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KB where tests may mount; else a folder."""
    with small_disk(tmp_path / "disk", "256k"):
        yield tmp_path / "disk"


def test_a_full_disk_keeps_results_in_memory_and_gets_them_when_it_has_room(
    disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    path = disk / "waiting.outbox"
    outbox = LastingOutbox(path, QUOTA, clock)
    outbox.put([entry(seq) for seq in range(10)])
    old = outbox.take(2)
    real = fill(disk)
    seq = 10
    with full_disk(full=not real):
        while not outbox.failing:
            outbox.put([entry(seq, size=900)])
            seq += 1
        on_disk = [row.id for row in outbox.take(1000)]
        outbox.put([entry(seq), entry(seq + 1)])
        fresh = outbox.take(10)
        assert [row.entry.seq for row in fresh] == [seq, seq + 1], "delivered from memory"
        outbox.settle([Answer(row.id, Fate.DELIVERED) for row in [*old, fresh[0]]])
        outbox.settle([Answer(row_id, Fate.LATER) for row_id in on_disk])
        before = outbox.counts
        assert before.balanced
        assert (before.delivered, before.waiting) == (3, seq + 2 - 3)
        clock.now_s += 1000
        outbox.put([])
    (disk / FILLER).unlink(missing_ok=True)
    clock.now_s += 1000
    outbox.put([])
    assert not outbox.failing
    assert outbox.counts == before
    outbox.close()
    assert inside(path, "SELECT count(*) FROM waiting") == [(before.waiting,)]
    assert inside(path, "SELECT value FROM counter WHERE name = 'delivered'") == [(3,)]
    assert [r.levelno for r in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "cannot be written" in caplog.records[0].getMessage()
    assert "can be written again; 0 results are lost" in caplog.records[1].getMessage()


def test_a_disk_that_is_full_at_the_start_does_not_stop_the_line(disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    path = disk / "waiting.outbox"
    with full_disk(full=not fill(disk)):
        outbox = LastingOutbox(path, QUOTA, clock)
        outbox.put([entry(1), entry(2)])
        (row, *_) = outbox.take(1)
        assert outbox.failing
    (disk / FILLER).unlink(missing_ok=True)
    clock.now_s += 1000
    outbox.put([entry(3)])
    outbox.settle([Answer(row.id, Fate.DELIVERED)])
    assert [r.entry.seq for r in outbox.take(9)] == [2, 3]
    assert outbox.counts.balanced
    outbox.close()
    assert inside(path, "SELECT seq FROM waiting ORDER BY id") == [(2,), (3,)]
    assert len(caplog.records) == 2


def test_the_disk_is_not_tried_without_a_pause(tmp_path: Path) -> None:
    clock = Clock()
    outbox = LastingOutbox(tmp_path / "waiting.outbox", QUOTA, clock)
    with full_disk():
        outbox.put([entry(1)])
    for seq in range(2, 10):
        outbox.put([entry(seq)])
    assert outbox.failing, "it has room again, but nobody looked"
    clock.now_s += 1.0
    outbox.put([entry(10)])
    assert not outbox.failing
    assert outbox.counts.waiting == 10
    outbox.close()


def test_what_memory_cannot_hold_is_counted_as_overflowed_in_the_file(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "waiting.outbox"
    outbox = LastingOutbox(path, 2**26, clock)
    many = lasting.MOST_IN_MEMORY + 7
    with full_disk():
        outbox.put([entry(seq, size=8) for seq in range(many)])
    assert outbox.account.lost == 7
    clock.now_s += 1.0
    outbox.put([])
    assert (outbox.account.lost, outbox.counts.overflowed, outbox.counts.inspected) == (7, 7, many)
    assert outbox.counts.balanced
    outbox.close()
    assert inside(path, "SELECT value FROM counter WHERE name = 'overflowed'") == [(7,)]


def test_a_disk_that_stays_full_to_the_end_is_a_counted_loss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    outbox = LastingOutbox(tmp_path / "waiting.outbox", QUOTA)
    outbox.put([entry(1)])
    with full_disk():
        outbox.put([entry(2), entry(3)])
        outbox.close()
    assert (outbox.counts.waiting, outbox.account.lost) == (1, 2)
    assert "2 results are lost" in caplog.text


def test_a_file_that_is_damaged_while_it_is_used_is_put_aside_and_a_fresh_one_takes_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    path = tmp_path / "waiting.outbox"
    outbox = LastingOutbox(path, 2**26, clock)
    for part in in_parts([entry(seq, size=4000) for seq in range(2000)], lambda each: each.payload):
        outbox.put(part)
    sent = outbox.take(2)
    with path.open("r+b") as file:
        file.write(b"\xa5" * path.stat().st_size)
    while not outbox.failing:
        outbox.take(100)
    outbox.put([entry(2000), entry(2001)])
    assert not outbox.failing
    outbox.settle([Answer(row.id, Fate.DELIVERED) for row in sent])
    assert [row.entry.seq for row in outbox.take(9)] == [2000, 2001], "an old answer meets no new row"
    assert outbox.counts.balanced
    assert (outbox.counts.waiting, outbox.counts.moved_aside) == (2, 1)
    assert outbox.account.lost == 2000
    outbox.close()
    assert len([p for p in tmp_path.iterdir() if ".corrupt-" in p.name]) >= 1
    assert sum("is kept as" in r.getMessage() for r in caplog.records) == 1
