"""The number of births and deaths, which outlives the process.

A will that the broker delivers late must not end the session that came after it; hosts compare bdSeq to tell them apart.
"""

import logging
import os
from pathlib import Path

from edge.errors import BadConfig
from edge.host.files import may_be_there, write_through
from edge.report.sparkplug.session import COUNT_TO
from edge.strict import read_limited

log = logging.getLogger(__name__)

_MOST_BYTES = 1024
"""A file that holds one number is smaller."""


class BirthCounter:
    """Counts connections from 0 to 255 and again, in a file of one number.

    A disk that refuses later does not stop the line: it is logged once, and the count goes on in memory.

    Raises:
        BadConfig: the file holds something else, or its folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failing = False
        self._last = _read(path)
        # Asked, not tried: `goodpart check` may come while a run counts in the same file.
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise BadConfig(
                f"sparkplug.bdseq_file: {path} cannot be kept: no folder that this user may write to; choose another place."
            )

    def next(self) -> int:
        """The bdSeq of another connection."""
        self._last = (self._last + 1) % COUNT_TO
        try:
            self._write()
        except OSError as err:
            if not self._failing:
                log.error("sparkplug.bdseq_file: %s cannot be written: %s; going on without it", self._path, err.strerror)
            self._failing = True
        return self._last

    def _write(self) -> None:
        new = self._path.with_name(self._path.name + ".new")
        write_through(new, f"{self._last}\n".encode())
        os.replace(new, self._path)  # noqa: PTH105 - says what it does: the old number or the new one, never half of it


def _read(path: Path) -> int:
    """The number that was used last; one before 0 when there was none yet."""
    if not may_be_there(path):
        return COUNT_TO - 1
    text = read_limited(path, _MOST_BYTES, BadConfig).strip()
    if not (text.isdigit() and int(text) < COUNT_TO):
        raise BadConfig(f"sparkplug.bdseq_file: {path} does not hold a number from 0 to 255; remove it, or choose another.")
    return int(text)
