"""Judged files of a watched folder, put away below it: when they take too much room, the oldest go first."""

import contextlib
import heapq
import logging
import os
import shutil
import stat
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.capture.plain_files import PlainFile, files_in, remove
from edge.errors import BadConfig
from edge.host.files import hindrance, make_folder
from edge.types import Decision

log = logging.getLogger(__name__)

_PROCESSED, _FAILED = "processed", "failed"

_GOAL = 19, 20
"""Of the quota: so much is left where it was passed, or each part would start a look."""

_MOST_AT_ONCE = 10_000
"""So many of the oldest are remembered in one look, however many there are."""

_MOST_SPARED = 1_000
"""So many of the newest are never removed: their time may be years old, as that of a copy or of a camera without a clock."""

_PAUSE_S = 60.0
"""So long after a look that failed, or left too much, there is no other one."""

_BREATH_FILES, _BREATH_S = 500, 0.005
"""Looking lets the line go first, after so many files for so long."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look found: all bytes, and the oldest of what may go, oldest first. all_told: there are no others."""

    used_bytes: int
    oldest: list[PlainFile]
    all_told: bool


class Judged:
    """`processed/` and `failed/` of a watched folder.

    The line only moves files here and adds their size to an estimate. When that passes the quota, and once at the start,
    another thread looks at what is there in truth, and removes the oldest by the time in the file until a twentieth of the
    quota is free. Only files and links directly in the two go. What is a folder there stays, a link goes without what it
    leads to, and where one of the two is a link itself, somebody else keeps what lies behind it. The newest stays, whatever
    its size, and so do the last that came here, up to half the quota.

    Args:
        folder: the watched one.
        quota_bytes: of all files together.
        stop: ends looking.
        pause_s: between two looks, where one failed or left too much.

    Raises:
        BadConfig: the two cannot be made, or files cannot be moved there.
    """

    def __init__(self, folder: Path, quota_bytes: int, stop: threading.Event, pause_s: float = _PAUSE_S) -> None:
        self._folder, self._quota_bytes, self._stop, self._pause_s = folder, quota_bytes, stop, pause_s
        self._lock = threading.Lock()
        self._used_bytes = self._came_bytes = 0  # estimates: of all, and of what came since the look under way began
        self._newest: deque[tuple[tuple[str, str], int]] = deque(maxlen=_MOST_SPARED)
        self._known = False
        self._looker: threading.Thread | None = None
        self._not_before_s = 0.0
        self._dropped = self._failed = self._stays = False
        self._linked: set[Path] = set()
        must_take_files(folder)
        for place in places(folder):
            try:
                make_folder(place)
            except OSError as err:
                raise BadConfig(f"source.path: {place} cannot be made: {err.strerror}; give write access.") from None

    def put(self, path: Path, decision: Decision) -> None:
        """Move a file here, under a new name if that one is taken; never waits for room.

        Raises:
            OSError: it cannot be moved, and lies where it was.
        """
        folder = self._folder / (_FAILED if decision is Decision.NOT_DECIDABLE else _PROCESSED)
        target = folder / path.name
        if os.path.lexists(target):
            target = folder / f"{path.stem}-{time.time_ns()}{path.suffix}"
        found = path.lstat()
        size_bytes = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
        make_folder(folder)
        with self._lock:
            # Before it is there, so that nobody takes it for old.
            self._newest.append(((folder.name, target.name), size_bytes))
        shutil.move(path, target)
        if not folder.is_symlink():
            with self._lock:
                self._used_bytes += size_bytes
                self._came_bytes += size_bytes
        self.look_after()

    def look_after(self) -> None:
        """See to it that there is room, in a thread of its own, if nobody knows yet what is there or it is too much."""
        with self._lock:
            due = not self._known or self._used_bytes > self._quota_bytes
        if not due or time.monotonic() < self._not_before_s or (self._looker and self._looker.is_alive()):
            return
        self._looker = threading.Thread(target=self._make_room, name="judged files", daemon=True)
        self._looker.start()

    def _make_room(self) -> None:
        try:
            while self._removed_some():
                pass
        except OSError as err:
            if not self._failed:
                log.error(
                    "source.quota_mb: %s cannot be looked through: %s; its judged files grow until it can",
                    err.filename or self._folder,
                    err.strerror or err,
                )
            self._failed = True
            self._not_before_s = time.monotonic() + self._pause_s

    def _removed_some(self) -> bool:
        """One look; whether there may be more to remove than it could remember.

        Raises:
            OSError: the files cannot be looked through.
        """
        with self._lock:
            self._came_bytes = 0
        seen = self._look()
        if self._stop.is_set():
            return False
        self._failed = False
        used_bytes, goal_bytes = seen.used_bytes, _goal_bytes(self._quota_bytes)
        if used_bytes > self._quota_bytes:
            self._tell(used_bytes)
            used_bytes = self._drop(seen, goal_bytes)
        with self._lock:
            self._used_bytes, self._known = used_bytes + self._came_bytes, True
        again = goal_bytes < used_bytes < seen.used_bytes and not seen.all_told
        if used_bytes > self._quota_bytes and not again:
            self._not_before_s = time.monotonic() + self._pause_s
        return again and not self._stop.is_set()

    def _look(self) -> _Seen:
        used_bytes = count = 0

        def removable() -> Iterator[PlainFile]:
            nonlocal used_bytes, count
            for place in places(self._folder):
                if place.is_symlink() and place not in self._linked:
                    log.warning("source.quota_mb: %s is a link; nothing is counted or removed behind it", place)
                    self._linked.add(place)
                for file in files_in(place):
                    used_bytes += file.size_bytes
                    count += 1
                    if count % _BREATH_FILES == 0 and self._stop.wait(_BREATH_S):
                        return
                    yield file

        oldest = heapq.nsmallest(_MOST_AT_ONCE, removable(), key=lambda file: (file.changed_ns, file.name))
        all_told = count <= _MOST_AT_ONCE
        # The newest of all is the last one, where none is left out.
        return _Seen(used_bytes, oldest[:-1] if all_told else oldest, all_told)

    def _tell(self, used_bytes: int) -> None:
        """Before the first goes."""
        if not self._known:
            log.warning(
                "source.quota_mb: processed/ and failed/ in %s hold %d MB from before, and the quota is %d MB: about %d MB "
                "of the oldest go now; set it higher to keep what comes",
                self._folder,
                used_bytes // 1_000_000,
                self._quota_bytes // 1_000_000,
                -(-excess_bytes(used_bytes, self._quota_bytes) // 1_000_000),
            )
        elif not self._dropped:
            log.info("source.quota_mb: %s has too many judged files; from now on the oldest go", self._folder)
        self._dropped = True

    def _drop(self, seen: _Seen, goal_bytes: int) -> int:
        """Remove the oldest; returns what the others take."""
        used_bytes, spared, stays = seen.used_bytes, self._spared(), False
        for number, file in enumerate(seen.oldest, 1):
            if used_bytes <= goal_bytes or (number % _BREATH_FILES == 0 and self._stop.wait(_BREATH_S)):
                break
            if file.key in spared:
                continue
            try:
                if remove(file):
                    used_bytes -= file.size_bytes
            except OSError as err:
                if not (stays or self._stays):
                    log.error(
                        "source.quota_mb: %s/%s cannot be removed: %s; others go instead of it and of all like it",
                        file.folder,
                        file.name,
                        err.strerror or err,
                    )
                stays = True
        self._stays = stays
        return used_bytes

    def _spared(self) -> set[tuple[str, str]]:
        """The last that came, up to half the quota, and the very last in any case. Who comes later is not among the seen."""
        with self._lock:
            newest = list(self._newest)
        spared, room_bytes = {key for key, _ in newest[-1:]}, self._quota_bytes // 2
        for key, size_bytes in reversed(newest):
            room_bytes -= size_bytes
            if room_bytes < 0:
                break
            spared.add(key)
        return spared


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
            in_the_way = place.exists() and not place.is_dir()
            access = "give write access, in the sandbox with ReadWritePaths= in a drop-in"
            mend = "move away what has this name" if in_the_way else access
            raise BadConfig(f"source.path: no file can be moved in {place} by this user: {why}; {mend}.")


def held_bytes(folder: Path) -> int:
    """What the files that may be removed take; nothing where they are not to be seen."""
    held = 0
    for place in places(folder):
        # Whoever moves a file there says why that does not work.
        with contextlib.suppress(OSError):
            for file in files_in(place):
                held += file.size_bytes
    return held


def excess_bytes(held_bytes: int, quota_bytes: int) -> int:
    """How much of what is held the line removes as soon as it looks."""
    return held_bytes - _goal_bytes(quota_bytes) if held_bytes > quota_bytes else 0


def _goal_bytes(quota_bytes: int) -> int:
    some, of_all = _GOAL
    return quota_bytes * some // of_all
