"""Results, and other messages, as lines of JSON in a file, for people and scripts beside the line."""

import logging
import os
import sys
from pathlib import Path

from edge.errors import BadConfig
from edge.host.files import append_whole, open_kept
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
            self._fd = os.dup(sys.stdout.fileno()) if str(path) == "-" else open_kept(path, os.O_WRONLY | os.O_APPEND, 0o644)
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
            append_whole(self._fd, to_wire(message) + b"\n")
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
