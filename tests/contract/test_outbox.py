"""What every outbox promises, whichever it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from edge.report.outbox.lasting import LastingOutbox
from edge.report.outbox.memory import MemoryOutbox
from edge.report.outbox.outbox import Answer, Fate, Outbox, Row
from edge.report.outbox.sqlite import SqliteOutbox
from edge.types import Decision
from tests.outboxes import QUOTA, entry

Make = Callable[[], Outbox]


@pytest.fixture(params=["memory", "sqlite", "lasting", "lasting without its disk"])
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Outbox:
    path = tmp_path / "waiting.outbox"
    match request.param:
        case "memory":
            return MemoryOutbox()
        case "sqlite":
            return SqliteOutbox(path, QUOTA)
        case "lasting":
            return LastingOutbox(path, QUOTA)
        case _:
            # The kernel's always-full device stands where the file should.
            path.symlink_to("/dev/full")
            return LastingOutbox(path, QUOTA, clock=lambda: 0.0)


def seqs(rows: list[Row]) -> list[int]:
    return [row.entry.seq for row in rows]


def test_rows_come_out_in_the_order_they_went_in_and_as_they_went_in(outbox: Outbox) -> None:
    entries = [entry(seq, verdict, boot_id=f"boot-{seq % 2}") for seq, verdict in enumerate(Decision, 1)]
    outbox.put(entries[:2])
    outbox.put(entries[2:])
    rows = outbox.take(10)
    assert [row.entry for row in rows] == entries
    assert [row.id for row in rows] == sorted({row.id for row in rows})


def test_a_row_is_taken_once_until_it_is_answered(outbox: Outbox) -> None:
    outbox.put([entry(seq) for seq in range(5)])
    first = outbox.take(2)
    assert seqs(first) == [0, 1]
    assert seqs(outbox.take(10, but_not=[first[1].id + 1])) == [3, 4]
    outbox.settle([Answer(row.id, Fate.LATER) for row in first])
    assert seqs(outbox.take(10)) == [0, 1, 2]
    assert outbox.counts.waiting == 5


def test_each_fate_is_booked_where_it_belongs(outbox: Outbox) -> None:
    outbox.put([entry(seq) for seq in range(6)], overflowed=2)
    rows = outbox.take(4)
    fates = (Fate.DELIVERED, Fate.DELIVERED, Fate.DEAD, Fate.LATER)
    outbox.settle([Answer(row.id, fate, "why") for row, fate in zip(rows, fates, strict=True)])
    counts = outbox.counts
    assert (counts.inspected, counts.committed, counts.overflowed) == (8, 6, 2)
    assert (counts.delivered, counts.dead, counts.waiting, counts.evicted) == (2, 1, 3, 0)
    assert counts.balanced
    assert outbox.account.lost == 3


def test_an_answer_for_a_row_that_is_not_there_counts_nothing(outbox: Outbox) -> None:
    outbox.put([entry(1)])
    (row,) = outbox.take(1)
    for _ in range(2):
        outbox.settle([Answer(row.id, Fate.DELIVERED)])
    outbox.settle([Answer(row.id + 99, fate, "why") for fate in Fate])
    assert (outbox.counts.delivered, outbox.counts.dead, outbox.counts.waiting) == (1, 0, 0)
    assert outbox.counts.balanced


def test_nothing_comes_out_of_an_empty_one(outbox: Outbox) -> None:
    outbox.put([])
    outbox.settle([])
    assert outbox.take(16) == []
    assert outbox.counts.as_dict() == dict.fromkeys(outbox.counts.as_dict(), 0)


def test_the_books_can_be_read_after_it_is_closed(outbox: Outbox) -> None:
    outbox.put([entry(1), entry(2)])
    (row,) = outbox.take(1)
    outbox.settle([Answer(row.id, Fate.DELIVERED)])
    outbox.close()
    counts = outbox.counts
    assert counts.balanced
    assert counts.delivered == 1
    assert counts.waiting + outbox.account.lost == 1
