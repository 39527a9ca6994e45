"""Which file of a watched folder is in work, written down before it is read: whoever is killed by it says nothing after."""

import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pydantic import Field

from edge.errors import BadConfig
from edge.host.files import may_be_there, put_in_place
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
    """given_up: the file that was given up, if none has been judged to its end since."""

    format: Literal["goodpart.in-work/1"] = "goodpart.in-work/1"
    given_up: _Try | None = None
    tries: tuple[_Try, ...] = Field(max_length=10_000)


class InWork:
    """The tries of files that have begun and not ended, in a file of its own.

    It outlives the process and not a power cut, of which no picture is the cause: waiting for the disk twice for each part
    would cost a slow card its takt. After one file was given up, no second one is before some file was judged to its end: a
    disk that hangs ends the process with any file, and all that wait would be given up one after the other.
    Without room for it the line goes on, and says once that a picture that ends the process will be read again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tries: dict[str, _Try] = {}
        self._given_up: _Try | None = None
        self._unmarked = False

    def recall(self) -> None:
        """What the process before had begun and not ended, if it was killed."""
        if not may_be_there(self._file):
            return
        try:
            found = load_json(self._file, _Tries, BadConfig)
        except BadConfig as err:
            log.error("%s Which file was in work is not known; all are read.", err)
            return
        self._tries, self._given_up = {each.name: each for each in found.tries}, found.given_up

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
        return found.begun if found and _is(found, path, stamp) else 0

    def gives_up(self, path: Path, stamp: Stamp) -> bool:
        """Whether it is not read again."""
        return self.begun(path, stamp) >= MOST_TRIES and (self._given_up is None or _is(self._given_up, path, stamp))

    def put_off(self, path: Path, stamp: Stamp) -> int:
        """0: it is read in its turn; more: after others, the more the later, since it cannot be given up yet."""
        begun = self.begun(path, stamp)
        return 0 if begun < MOST_TRIES or self.gives_up(path, stamp) else begun

    def give_up(self, path: Path) -> None:
        """It is not read, and that is known whatever becomes of the process."""
        self._given_up = self._tries[_name(path)]
        self._write()

    def has_given_up(self, path: Path, stamp: Stamp) -> bool:
        """Whether this file is the one that was given up."""
        return self.begun(path, stamp) >= MOST_TRIES and _is(self._given_up, path, stamp)

    def judged(self, path: Path) -> None:
        """The process has outlived it, and so can outlive others."""
        if self._tries.pop(_name(path), None) or self._given_up:
            self._given_up = None
            self._write()

    def begin(self, path: Path, stamp: Stamp) -> None:
        """It is read next, and that is known whatever becomes of the process."""
        size_bytes, changed_ns, _ = stamp
        begun = self.begun(path, stamp) + 1
        if begun > MOST_TRIES:
            log.error(
                "the process ended %d times with %s in work, and with another file before; the cause may be neither (a disk "
                "that hangs, too little memory): look into the journal. It is read until some file is judged to its end",
                begun - 1,
                path,
            )
        self._tries[_name(path)] = _Try(name=_name(path), size_bytes=size_bytes, changed_ns=changed_ns, begun=begun)
        self._write()

    def end(self, path: Path) -> None:
        """The process has outlived it."""
        if self._tries.pop(_name(path), None):
            self._write()

    def _write(self) -> None:
        try:
            if self._tries or self._given_up:
                tries = _Tries(given_up=self._given_up, tries=tuple(self._tries.values()))
                put_in_place(self._file, tries.model_dump_json().encode(), sync=False)
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


def _is(found: _Try | None, path: Path, stamp: Stamp) -> bool:
    # Not the inode: on a share it may be another after the next start.
    return found is not None and (found.name, found.size_bytes, found.changed_ns) == (_name(path), *stamp[:2])


def _name(path: Path) -> str:
    return quote(os.fsencode(path.name))
