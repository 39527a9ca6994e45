"""The ledger of what was taught: lines are only added, each sealed with the one before, on the disk before it counts."""

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from edge.errors import BadConfig, BadLedger, InUse
from edge.host.files import append_whole, may_be_there, open_kept, put_in_place, sync_folder
from edge.strict import read_limited
from edge.teach.entry import FIRST, Entry, TaughtEntry, from_line, to_line

_LARGEST_BYTES = 256 * 2**20
_DAY = timedelta(hours=24)
TORN = ".torn"
"""Ends the name of the file that keeps what a power cut left of an entry."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a ledger says. good_bytes: up to where it is whole; digest: of its last line; torn: what follows."""

    entries: tuple[Entry, ...]
    good_bytes: int
    digest: str
    torn: bytes


class Ledger:
    """The file, which one process has for itself.

    An entry that was not written whole was never in force: it is kept beside the file and left out.

    Attributes:
        torn: the file in which a torn entry was put aside; None where there was none.

    Raises:
        InUse: another process has it.
        BadConfig: it cannot be made, read or written.
        BadLedger: a line in it is damaged or was altered.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.torn: Path | None = None
        try:
            is_new = not path.exists()
            self._fd = open_kept(path, os.O_RDWR | os.O_APPEND, 0o644)
            if is_new:
                sync_folder(path.parent)
        except OSError as err:
            raise BadConfig(f"teach.file: {path} cannot be written: {err.strerror}; choose another file.") from None
        try:
            self._lock()
            account = read_account(path)
            if account.torn:
                self._put_aside(account)
        except BaseException:
            os.close(self._fd)
            raise
        self._entries, self._digest = account.entries, account.digest

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them, the oldest first."""
        return self._entries

    def append(self, entry: Entry) -> None:
        """Add an entry; when this returns it is on the disk.

        Raises:
            OSError: it is not, and the ledger is as it was.
        """
        line, digest = to_line(entry, self._digest)
        append_whole(self._fd, line, sync=True)
        self._entries, self._digest = (*self._entries, entry), digest

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._fd)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InUse(
                f"teach.file: {self._path} is in use by a running station; send it the command teach or unteach, or stop it."
            ) from None

    def _put_aside(self, account: Account) -> None:
        """The torn end stays readable for people, and the next entry follows the last whole one."""
        aside = self._path.with_name(self._path.name + TORN)
        try:
            put_in_place(aside, account.torn)
            os.ftruncate(self._fd, account.good_bytes)
            os.fsync(self._fd)
        except OSError as err:
            raise BadConfig(f"teach.file: {self._path} cannot be mended: {err.strerror}; make room for it.") from None
        self.torn = aside


def read_account(path: Path) -> Account:
    """What the file says, nothing where it is not there yet; only looks.

    Raises:
        BadConfig: it cannot be read.
        BadLedger: a whole line is damaged or was altered; a power cut tears the last one: it has no end, or holes.
    """
    raw = read_limited(path, _LARGEST_BYTES, BadConfig) if may_be_there(path) else b""
    *lines, torn = raw.split(b"\n")
    entries: list[Entry] = []
    digest, good_bytes = FIRST, 0
    for number, line in enumerate(lines, start=1):
        found = from_line(line + b"\n", digest)
        if found is None and number == len(lines) and not torn and b"\0" in line:
            # Blocks of it were never written, though the last one was.
            return Account(tuple(entries), good_bytes, digest, raw[good_bytes:])
        if found is None:
            raise BadLedger(
                f"{path}: line {number} is damaged or was altered, and so nobody can say what was taught; look at it, "
                f"move it away and teach anew."
            )
        entries.append(found[0])
        digest = found[1]
        good_bytes += len(line) + 1
    return Account(tuple(entries), good_bytes, digest, torn)


def in_force(entries: Sequence[Entry], recipe_id: str) -> tuple[TaughtEntry, ...]:
    """Parts that count as good for this recipe, in the order in which they were taught."""
    found: list[TaughtEntry] = []
    for entry in entries:
        if entry.recipe_id != recipe_id:
            continue
        if isinstance(entry, TaughtEntry):
            found.append(entry)
        else:
            found = [taught for taught in found if taught.evidence != entry.evidence]
    return tuple(found)


def taught_lately(entries: Sequence[Entry], now: datetime) -> int:
    """Parts taught in the last 24 hours, taken back or not; one of a time to come, by a clock that was wrong, counts."""
    return sum(isinstance(entry, TaughtEntry) and entry.time_utc > now - _DAY for entry in entries)
