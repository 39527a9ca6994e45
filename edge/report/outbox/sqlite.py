"""Results that wait on disk, in one SQLite file."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from edge.events import Events
from edge.report.books import Account
from edge.report.outbox.memory import MOST_DEAD
from edge.report.outbox.outbox import (
    EVICTED_FIRST,
    Answer,
    Counts,
    DeadLetter,
    Entry,
    Fate,
    Row,
    account_since,
    evicted_name,
)
from edge.report.outbox.room import RoomWatch
from edge.report.outbox.schema import PAGE_BYTES, Room, connect, one, translated
from edge.types import Decision

_INSERT = "INSERT INTO waiting (id, verdict, boot_id, seq, queued_mono_s, size, payload) VALUES (?, ?, ?, ?, ?, ?, ?)"
_COLUMNS = "id, verdict, boot_id, seq, queued_mono_s, payload"
_NOT_THESE = "id NOT IN (SELECT value FROM json_each(?))"


class SqliteOutbox:
    """An outbox that survives its process and the power: what `put` has returned for is on the disk.

    Rows and books change together, in one transaction for each call. Whatever raises `DiskFailed` has changed nothing and
    may be tried again.

    quota_bytes: most that file and log together take up. first_id: the lowest id a new row may get. moved_aside: damaged
    files that were found in this one's place before it was made. events: who is told when rows must make room.

    Raises:
        InUse, DiskFailed, BadOutbox: as `edge.report.outbox.schema.translated` says; the last two by every method.
    """

    def __init__(
        self, path: Path, quota_bytes: int, first_id: int = 1, moved_aside: int = 0, events: Events | None = None
    ) -> None:
        self._path = path
        self._room = Room.of(quota_bytes)
        self._held: set[int] = set()
        self._db = connect(path, self._room)
        try:
            with translated(path):
                self._counts = self._read_counts()
                sequence = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'waiting'").fetchone()
            self._watch = RoomWatch(path, self._room, self._counts.evicted, events or Events())
            self._next_id = max(first_id, sequence[0] + 1 if sequence else 1)
            if moved_aside:
                self.add(Counts(moved_aside=moved_aside), ())
        except BaseException:
            self._db.close()
            raise
        self._counts_before = self._counts

    @property
    def counts(self) -> Counts:
        """The books as the disk has them."""
        return self._counts

    @property
    def account(self) -> Account:
        """The books since this file was opened."""
        return account_since(self._counts_before, self._counts)

    @property
    def next_id(self) -> int:
        """The id of the next new row."""
        return self._next_id

    def put(self, entries: Sequence[Entry], overflowed: int = 0) -> None:
        """Commit these, and evict what must make room for them."""
        if not entries and not overflowed:
            return
        rows = [Row(self._next_id + place, entry) for place, entry in enumerate(entries)]
        with self._change() as change:
            change["inspected"] += len(rows) + overflowed
            change["overflowed"] += overflowed
            self._insert(rows, change)
        self._next_id += len(rows)

    def take(self, most: int, but_not: Collection[int] = ()) -> list[Row]:
        """The oldest rows that are not taken yet."""
        query = f"SELECT {_COLUMNS} FROM waiting WHERE {_NOT_THESE} ORDER BY id LIMIT ?"  # noqa: S608 - only a constant
        with translated(self._path):
            found = self._db.execute(query, (json.dumps([*self._held, *but_not]), most)).fetchall()
            rows = [_row(each) for each in found]
        self._held |= {row.id for row in rows}
        return rows

    def oldest(self) -> Entry | None:
        """The row with the lowest id."""
        with translated(self._path):
            found = self._db.execute(f"SELECT {_COLUMNS} FROM waiting ORDER BY id LIMIT 1").fetchone()  # noqa: S608 - only a constant
            return _row(found).entry if found else None

    def settle(self, answers: Sequence[Answer]) -> None:
        """Delete what was delivered, bury the dead, release the rest."""
        if ended := [answer for answer in answers if answer.fate is not Fate.LATER]:
            with self._change() as change:
                for answer in ended:
                    change[answer.fate.lower()] += self._end(answer)
                change["waiting"] = -change.total()
        self._held -= {answer.id for answer in answers}

    def restore(self, rows: Sequence[Row], held: Collection[int]) -> None:
        """Commit rows that waited in memory under the ids they have; of those, `held` are taken."""
        self._held |= {row.id for row in rows if row.id in held}
        with self._change() as change:
            change["inspected"] += len(rows)
            self._insert(rows, change)
        self._next_id = max([self._next_id, *(row.id + 1 for row in rows)])

    def add(self, counts: Counts, dead: Sequence[DeadLetter]) -> None:
        """Take over the books and the dead letters of an outbox in memory that has no rows left."""
        with self._change() as change:
            change.update(counts.as_dict())
            for letter in dead:
                self._bury(letter)

    def close(self) -> None:
        """Let go of the file; what waits stays in it."""
        self._db.close()

    @contextmanager
    def _change(self) -> Iterator[Counter[str]]:
        """One transaction, in which the counts named in the counter grow by it."""
        change: Counter[str] = Counter()
        with translated(self._path):
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield change
                self._db.executemany(
                    "INSERT INTO counter VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                    [(name, grown) for name, grown in change.items() if name != "waiting"],
                )
                used_pages = self._used_pages()
                self._db.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself after some failures of the disk.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._counts = self._counts.plus(change)
            self._watch.look(used_pages, self._counts)

    def _insert(self, rows: Sequence[Row], change: Counter[str]) -> None:
        for row in rows:
            entry = row.entry
            change["committed"] += 1
            if len(entry.payload) > self._room.log * PAGE_BYTES // 2:
                change[evicted_name(entry.verdict)] += 1
                continue
            size = len(entry.payload)
            self._db.execute(
                _INSERT, (row.id, entry.verdict, entry.boot_id, entry.seq, entry.queued_mono_s, size, entry.payload)
            )
            change["waiting"] += 1
            while self._used_pages() > self._room.soft and self._evict(change):
                pass

    def _evict(self, change: Counter[str]) -> bool:
        """Remove the row that is first to go; whether there was one. Its page is free when all rows of it have gone."""
        query = f"SELECT id FROM waiting WHERE verdict = ? AND {_NOT_THESE} ORDER BY id LIMIT 1"  # noqa: S608 - only a constant
        held = json.dumps(list(self._held))
        for verdict in EVICTED_FIRST:
            if victim := self._db.execute(query, (verdict, held)).fetchone():
                self._db.execute("DELETE FROM waiting WHERE id = ?", victim)
                change[evicted_name(verdict)] += 1
                change["waiting"] -= 1
                return True
        return False

    def _end(self, answer: Answer) -> int:
        """Take one row out; how many that were."""
        if answer.fate is Fate.DEAD:
            found = self._db.execute("SELECT payload FROM waiting WHERE id = ?", (answer.id,)).fetchone()
            if found:
                self._bury(DeadLetter(found[0], answer.reason))
        return self._db.execute("DELETE FROM waiting WHERE id = ?", (answer.id,)).rowcount

    def _bury(self, letter: DeadLetter) -> None:
        """Keep a dead letter; the oldest go beyond a number, and beyond a sixteenth of the room."""
        self._db.execute(
            "INSERT INTO dead (died_utc, reason, size, payload) VALUES (?, ?, ?, ?)",
            (datetime.now(UTC).isoformat(), letter.reason, len(letter.payload), letter.payload),
        )
        self._db.execute(
            "DELETE FROM dead WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER newest AS number, sum(size) OVER "
            "newest AS sum FROM dead WINDOW newest AS (ORDER BY id DESC)) WHERE number > ? OR sum > ?)",
            (MOST_DEAD, self._room.soft * PAGE_BYTES // 16),
        )

    def _used_pages(self) -> int:
        return one(self._db, "PRAGMA page_count") - one(self._db, "PRAGMA freelist_count")

    def _read_counts(self) -> Counts:
        books: list[tuple[str, int]] = self._db.execute("SELECT name, value FROM counter").fetchall()
        return Counts(**dict(books), waiting=one(self._db, "SELECT count(*) FROM waiting"))


def _row(columns: tuple[int, str, str, int, float, bytes]) -> Row:
    row_id, verdict, boot_id, seq, queued_mono_s, payload = columns
    return Row(row_id, Entry(Decision(verdict), boot_id, seq, payload, queued_mono_s))
