"""Which file of a watched folder is in work, written down before it is read: whoever is killed by it says nothing after."""

import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pydantic import Field

from edge.errors import BadConfig
from edge.host.files import DRAFT
from edge.strict import Strict, load_json

log = logging.getLogger(__name__)

MOST_TRIES = 2
"""A process may end for other reasons than the file it has in work, hardly twice with the same one."""

Stamp = tuple[int, int, int]
"""Size in bytes, time of change in nanoseconds, inode: equal means that nobody has touched the file."""


class _Try(Strict):
    """A file that was begun so often and never ended. name: percent-encoded, since a file name may hold any bytes."""

    name: str = Field(min_length=1, max_length=4096)
    size_bytes: int
    changed_ns: int
    begun: int = Field(ge=1)


class _Tries(Strict):
    format: Literal["goodpart.in-work/1"] = "goodpart.in-work/1"
    tries: tuple[_Try, ...] = Field(max_length=10_000)


class InWork:
    """The tries of files that have begun and not ended, in a file of its own.

    It outlives the process and not a power cut, of which no picture is the cause: waiting for the disk twice for each part
    would cost a slow card its takt.
    Without room for it the line goes on, and says once that a picture that ends the process will be read again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tries: dict[str, _Try] = {}
        self._unmarked = False

    def recall(self) -> None:
        """What the process before had begun and not ended, if it was killed."""
        if not self._file.exists():
            return
        try:
            self._tries = {found.name: found for found in load_json(self._file, _Tries, BadConfig).tries}
        except BadConfig as err:
            log.error("%s Which file was in work is not known; all are read.", err)

    def forget_all_but(self, there: Collection[Path]) -> None:
        """Of others than these there is nothing left to try."""
        names = {_name(path) for path in there}
        if gone := self._tries.keys() - names:
            for name in gone:
                del self._tries[name]
            self._write()

    def begun(self, path: Path, stamp: Stamp) -> int:
        """How often a process has begun with this file, untouched since, and was killed."""
        found = self._tries.get(_name(path))
        return found.begun if found and (found.size_bytes, found.changed_ns) == stamp[:2] else 0

    def begin(self, path: Path, stamp: Stamp) -> None:
        """It is read next, and that is known whatever becomes of the process."""
        # Not the inode: on a share it may be another after the next start.
        size_bytes, changed_ns, _ = stamp
        begun = self.begun(path, stamp) + 1
        self._tries[_name(path)] = _Try(name=_name(path), size_bytes=size_bytes, changed_ns=changed_ns, begun=begun)
        self._write()

    def end(self, path: Path) -> None:
        """The process has outlived it."""
        if self._tries.pop(_name(path), None):
            self._write()

    def _write(self) -> None:
        try:
            if self._tries:
                draft = self._file.with_name(self._file.name + DRAFT)
                draft.write_text(_Tries(tries=tuple(self._tries.values())).model_dump_json())
                draft.replace(self._file)
            else:
                self._file.unlink(missing_ok=True)
        except OSError as err:
            if not self._unmarked:
                log.error(
                    "%s cannot be written: %s; going on, and a picture that ends the process is read again at each start",
                    self._file,
                    err.strerror or err,
                )
            self._unmarked = True
        else:
            self._unmarked = False


def _name(path: Path) -> str:
    return quote(os.fsencode(path.name))
