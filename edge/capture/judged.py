"""Judged files of a watched folder, put away below it: when they take too much room, the oldest go first."""

import contextlib
import logging
import os
import shutil
import stat
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadConfig
from edge.host.files import hindrance, make_folder
from edge.types import Decision

log = logging.getLogger(__name__)

_PROCESSED, _FAILED = "processed", "failed"

_MOST_AT_ONCE = 100
"""So many go for one that comes, so that a line which finds far too many is not held up by them."""


@dataclass(frozen=True, slots=True)
class _File:
    folder: Path
    name: str
    size_bytes: int


class Judged:
    """`processed/` and `failed/` of a watched folder.

    Only files directly in these two are ever removed, oldest first: after a restart by the time in the file, while it runs
    by the order in which they came. What is a folder there stays, a link goes without what it leads to, and where one of the
    two is a link itself, somebody else keeps what lies behind it. The newest stays, whatever its size.

    Args:
        folder: the watched one.
        quota_bytes: of all files together.

    Raises:
        BadConfig: the two cannot be made, or files cannot be moved there.
    """

    def __init__(self, folder: Path, quota_bytes: int) -> None:
        self._folder, self._quota_bytes = folder, quota_bytes
        self._files: deque[_File] = deque()
        self._used_bytes = 0
        self._dropped = self._stays = False
        must_take_files(folder)
        for place in places(folder):
            try:
                make_folder(place)
            except OSError as err:
                raise BadConfig(f"source.path: {place} cannot be made: {err.strerror}; give write access.") from None

    def count(self) -> None:
        """Look at what is there from before."""
        for place in places(self._folder):
            if place.is_symlink():
                log.warning("source.quota_mb: %s is a link; nothing is counted or removed behind it", place)
        found = [each for place in places(self._folder) for each in _files_in(place)]
        self._files = deque(file for _, file in sorted(found, key=lambda each: (each[0], each[1].name)))
        self._used_bytes = sum(file.size_bytes for file in self._files)

    def put(self, path: Path, decision: Decision) -> None:
        """Move a file here, under a new name if that one is taken, and drop the oldest where there are too many.

        Raises:
            OSError: it cannot be moved, and lies where it was.
        """
        folder = self._folder / (_FAILED if decision is Decision.NOT_DECIDABLE else _PROCESSED)
        target = folder / path.name
        if os.path.lexists(target):
            target = folder / f"{path.stem}-{time.time_ns()}{path.suffix}"
        make_folder(folder)
        shutil.move(path, target)
        if not folder.is_symlink() and (size_bytes := _size_of(target)) is not None:
            self._files.append(_File(folder, target.name, size_bytes))
            self._used_bytes += size_bytes
        self._make_room()

    def _make_room(self) -> None:
        for _ in range(_MOST_AT_ONCE):
            if self._used_bytes <= self._quota_bytes or len(self._files) <= 1:
                break
            oldest = self._files[0]
            try:
                _remove(oldest)
            except OSError as err:
                if not self._stays:
                    log.error(
                        "source.quota_mb: %s/%s cannot be removed: %s; the folder grows until it can",
                        oldest.folder,
                        oldest.name,
                        err.strerror or err,
                    )
                self._stays = True
                return
            self._files.popleft()
            self._used_bytes -= oldest.size_bytes
            if not self._dropped:
                log.info("source.quota_mb: %s has too many judged files; from now on the oldest go", self._folder)
            self._dropped = True
        self._stays = False


def places(folder: Path) -> tuple[Path, Path]:
    """Where the judged files of a watched folder are put away."""
    return folder / _PROCESSED, folder / _FAILED


def must_take_files(folder: Path) -> None:
    """Whether files can be put away there; only looks. Else each would stay, and be judged again at each start.

    Raises:
        BadConfig: they cannot.
    """
    for place in (folder, *places(folder)):
        if why := hindrance(place, folder=True):
            raise BadConfig(
                f"source.path: no file can be moved in {place} by this user: {why}; give write access, in the sandbox with "
                "ReadWritePaths= in a drop-in."
            )


def held_bytes(folder: Path) -> int:
    """What the files that may be removed take."""
    return sum(file.size_bytes for place in places(folder) for _, file in _files_in(place))


def _files_in(place: Path) -> Iterator[tuple[int, _File]]:
    """Files with the time of their last change in nanoseconds; none where they are somebody else's, or not to be seen."""
    if place.is_symlink():
        return
    try:
        paths = list(place.iterdir())
    except OSError:
        # Whoever moves a file there says why that does not work.
        return
    for path in paths:
        # One that goes meanwhile needs no room.
        with contextlib.suppress(OSError):
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode):
                yield found.st_mtime_ns, _File(place, path.name, found.st_size)


def _size_of(path: Path) -> int | None:
    """None: it is a folder, or has gone already."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return None if stat.S_ISDIR(found.st_mode) else found.st_size


def _remove(file: _File) -> None:
    """Nothing but a name in that very folder, even where somebody puts a link in its place meanwhile.

    Raises:
        OSError: it stays.
    """
    fd = os.open(file.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.unlink(file.name, dir_fd=fd)
    except FileNotFoundError:
        return  # somebody has tidied up
    finally:
        os.close(fd)
