"""The outbox's file: how it is laid out, opened and found to be sound.

Why these settings: with a write-ahead log and `synchronous=FULL`, SQLite waits for the disk in every commit
(https://www.sqlite.org/pragma.html#pragma_synchronous); with NORMAL a power cut takes the last commits back. One connection
in exclusive mode shuts every other process out, needs no shared memory, and has no part in the faults that two
connections can cause while the log starts over (https://www.sqlite.org/wal.html).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edge.errors import BadOutbox, DiskFailed, InUse

VERSION = 1

PAGE_BYTES = 4096

_LAYOUT = f"""
BEGIN IMMEDIATE;
CREATE TABLE waiting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    verdict TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    queued_mono_s REAL NOT NULL,
    size INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX waiting_by_verdict ON waiting (verdict);
CREATE TABLE dead (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    died_utc TEXT NOT NULL,
    reason TEXT NOT NULL,
    size INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
COMMIT;
"""

_ODD_ROWS = """
SELECT
    (SELECT count(*) FROM waiting WHERE verdict NOT IN ('OK', 'NOK', 'NOT_DECIDABLE') OR typeof(boot_id) <> 'text'
        OR typeof(seq) <> 'integer' OR typeof(queued_mono_s) <> 'real' OR typeof(payload) <> 'blob')
    + (SELECT count(*) FROM counter WHERE typeof(value) <> 'integer')
    + (SELECT count(*) FROM sqlite_sequence WHERE typeof(seq) <> 'integer')
"""
"""Rows that hold what nobody has put into them; SQLite itself minds neither types nor words."""

_IN_USE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
}


@dataclass(frozen=True, slots=True)
class Room:
    """How many pages the parts of a quota have.

    The log is emptied into the file at `log` pages and may exceed that by one change; as much again is kept for a row that
    is inserted before others make room for it.
    """

    soft: int  # the file's pages beyond which rows are evicted
    log: int

    @classmethod
    def of(cls, quota_bytes: int) -> "Room":
        """Share out a quota; the log has an eighth of it, at most 4 MB."""
        pages = quota_bytes // PAGE_BYTES
        log = max(16, min(1000, pages // 8))
        return cls(soft=max(16, pages - 3 * log), log=log)

    @property
    def hard(self) -> int:
        """Pages SQLite itself will not pass."""
        return self.soft + self.log


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors become ours.

    Raises:
        InUse: another process has the file.
        DiskFailed: the disk is full, faulty or read-only.
        BadOutbox: anything else; the file is not what it should be.
    """
    try:
        yield
    except (TypeError, ValueError) as err:
        # A column holds another type or an unknown word since it was looked at.
        raise BadOutbox(f"mqtt.outbox.path: {path} is damaged ({err}).") from err
    except sqlite3.Error as err:
        kind = (getattr(err, "sqlite_errorcode", None) or 0) & 0xFF
        if kind in _IN_USE:
            raise InUse(
                f"mqtt.outbox.path: {path} is in use by another process; stop it, or give each station file its own outbox."
            ) from None
        if kind in _DISK:
            raise DiskFailed(f"{err}") from err
        raise BadOutbox(f"mqtt.outbox.path: {path} is damaged or no outbox of this version ({err}).") from err


def connect(path: Path, room: Room) -> sqlite3.Connection:
    """Open the file, or make it; it is locked until the connection is closed.

    Raises:
        InUse, DiskFailed, BadOutbox: as in `translated`.
    """
    with translated(path):
        db = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        with translated(path):
            for setting in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY"):
                db.execute(f"PRAGMA {setting}")
            db.execute(f"PRAGMA wal_autocheckpoint = {room.log}")
            db.execute(f"PRAGMA journal_size_limit = {room.log * PAGE_BYTES}")
            db.execute(f"PRAGMA max_page_count = {room.hard}")
            _verify(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _verify(db: sqlite3.Connection, path: Path) -> None:
    """Lay out a file that is empty; refuse one that is not ours or not sound."""
    version = one(db, "PRAGMA user_version")
    if version == 0 and one(db, "SELECT count(*) FROM sqlite_schema") == 0:
        db.executescript(_LAYOUT)
    elif version != VERSION:
        raise BadOutbox(f"mqtt.outbox.path: {path} has version {version} and this goodpart writes {VERSION}.")
    elif (fault := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise BadOutbox(f"mqtt.outbox.path: {path} is damaged ({fault}).")
    elif _parts_of(db) != _parts_as_made():
        raise BadOutbox(f"mqtt.outbox.path: {path} is damaged: its tables are not those of an outbox.")
    elif odd := one(db, _ODD_ROWS):
        raise BadOutbox(f"mqtt.outbox.path: {path} is damaged: {odd} of its rows hold what no outbox holds.")


def _parts_of(db: sqlite3.Connection) -> list[tuple[str, list[str]]]:
    """Every table and index, and the words that made it."""
    found = db.execute("SELECT name, sql FROM sqlite_schema ORDER BY name")
    return [(name, sql.split() if isinstance(sql, str) else []) for name, sql in found]


@cache
def _parts_as_made() -> list[tuple[str, list[str]]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(_LAYOUT)
        return _parts_of(db)


def one(db: sqlite3.Connection, query: str) -> int:
    """The one number a query gives."""
    return int(db.execute(query).fetchone()[0])
