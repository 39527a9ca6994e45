"""Results, and other messages, as lines of JSON in a file, for people and scripts beside the line."""

import logging
import os
import stat
import sys
from pathlib import Path

from edge.errors import BadConfig
from edge.host.files import give_to_owner_of
from edge.report.books import Account, Loss
from edge.report.message import Result
from edge.report.wire import Message, to_wire

log = logging.getLogger(__name__)


class JsonLines:
    """Appends one line a result; "-" is standard output. key: of the station file, where the path stands.

    A line is whole in the file, or it is not there. A disk that is full does not stop the line: the results it could not
    take are counted in `lost`, and "cannot be written" and "can be written again" are logged once each.

    Raises:
        BadConfig: the file cannot be opened for appending.
    """

    def __init__(self, path: Path, key: str = "results.path") -> None:
        self._path, self._key = path, key
        self.lost = self._delivered = 0
        self._failing = False
        try:
            self._fd = os.dup(sys.stdout.fileno()) if str(path) == "-" else _open(path)
        except OSError as err:
            raise BadConfig(f"{key}: {path} cannot be written: {err.strerror}; choose another file.") from None

    @property
    def waiting(self) -> int:
        """Nothing waits here: a line is in the file, or it is lost."""
        return 0

    def put(self, result: Result) -> None:
        """Write one line; a reader sees it at once."""
        self.write(result)

    def write(self, message: Message) -> None:
        """The same for any message."""
        try:
            _write_whole(self._fd, to_wire(message) + b"\n")
        except OSError as err:
            self.lost += 1
            if not self._failing:
                log.error("%s: %s cannot be written: %s; going on without it", self._key, self._path, err.strerror)
            self._failing = True
            return
        self._delivered += 1
        if self._failing:
            log.warning("%s: %s can be written again; %d lines are missing", self._key, self._path, self.lost)
        self._failing = False

    def counts(self) -> Account:
        """Nothing waits: a line is written, or lost."""
        return Account("results", self._delivered, 0, {Loss.UNWRITTEN: self.lost})

    def close(self) -> None:
        """Nothing waits here."""
        os.close(self._fd)


def _open(path: Path) -> int:
    fresh = not path.exists()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    if fresh:
        give_to_owner_of(path.parent, path)
    return fd


def _write_whole(fd: int, line: bytes) -> None:
    """All of `line`, or, where the file can be shortened again, nothing."""
    before = os.fstat(fd)
    left = memoryview(line)
    try:
        while left:
            left = left[os.write(fd, left) :]
    except OSError:
        if stat.S_ISREG(before.st_mode) and len(left) < len(line):
            # A disk takes as much as it has room for; the next line must not be glued to half of this one.
            os.ftruncate(fd, before.st_size)
        raise
