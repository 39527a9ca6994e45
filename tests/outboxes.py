"""Entries for outboxes, and a look into their files from outside."""

import sqlite3
from pathlib import Path

from edge.report.outbox.outbox import Entry
from edge.types import Decision

QUOTA = 2**22


def entry(seq: int, verdict: Decision = Decision.OK, *, boot_id: str = "boot", size: int = 200) -> Entry:
    return Entry(verdict, boot_id, seq, b"%08d" % seq + b"x" * (size - 8), float(seq))


def inside(path: Path, query: str) -> list[tuple[object, ...]]:
    """What a query finds in a file that nobody has open."""
    db = sqlite3.connect(path)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def damage(path: Path, offset: int = 0) -> None:
    raw = bytearray(path.read_bytes())
    raw[offset : offset + 512] = b"\xa5" * 512
    path.write_bytes(raw)
