"""A folder into which somebody else puts picture files."""

import logging
import os
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edge.capture.pictures import SUFFIXES
from edge.capture.sources import Feed, shoot_file
from edge.errors import BadConfig
from edge.events import EventCode, Events, Trouble
from edge.host.files import hindrance, make_folder
from edge.types import Decision, Reason, Shot, Unfit, Verdict

log = logging.getLogger(__name__)

_GRACE_S = 2.0
_PROCESSED, _FAILED = "processed", "failed"

Stamp = tuple[int, int, int]
"""Size in bytes, time of change in nanoseconds, inode: equal means that nobody has touched the file."""


@dataclass(frozen=True, slots=True)
class _Seen:
    stamp: Stamp
    since_s: float  # monotonic: unchanged at least since then


class WatchSource:
    """Files that arrive in a folder, oldest first; moved to `processed/` when judged, to `failed/` when not decidable.

    A file has arrived when its size and time have not changed for `poll_s`; one that cannot be read is given `grace_s`,
    because a copy may pause. Names that begin with a dot are left alone: copy to `.name` and rename, and arrival is whole.

    Raises:
        BadConfig: the folder is missing, or its subfolders cannot be made.
    """

    def __init__(
        self, folder: Path, poll_s: float, stop: threading.Event, grace_s: float = _GRACE_S, events: Events | None = None
    ) -> None:
        self._folder, self._poll_s, self._stop, self._grace_s = folder, poll_s, stop, grace_s
        self._seen: dict[Path, _Seen] = {}
        self._stuck: dict[Path, Stamp] = {}
        self._in_work: dict[int, tuple[Path, Stamp]] = {}
        # Replaced as a whole, so that other threads see one moment.
        self._feed = Feed(up=True, since_s=time.monotonic())
        self._loss = Trouble(events or Events(), EventCode.FOLDER_LOST, EventCode.FOLDER_BACK)
        _must_be_folder(folder)
        try:
            for name in (_PROCESSED, _FAILED):
                make_folder(folder / name)
        except OSError as err:
            raise BadConfig(f"source.path: {folder}/{name} cannot be made: {err.strerror}; give write access.") from None

    def feed(self) -> Feed:
        """Up while the folder can be listed; frames are files that were judged."""
        return self._feed

    def __iter__(self) -> Iterator[Shot]:
        seq = 0
        while not self._stop.is_set():
            found_one = False
            for path, seen in self._arrived():
                if self._stop.is_set():
                    return
                shot = self._shoot(path, seen, seq)
                if shot is not None:
                    found_one = True
                    self._feed = replace(self._feed, frames=self._feed.frames + 1, newest_s=shot.taken_mono_s)
                    self._in_work[seq] = path, seen.stamp
                    yield shot
                    seq += 1
            if not found_one:
                self._stop.wait(self._poll_s)

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """Move the file out of the way, under a new name if that one is taken."""
        path, stamp = self._in_work.pop(shot.seq)
        if _stamp(path) != stamp:
            # It is gone, or the next part has come under the same name and waits for its own verdict.
            return
        folder = self._folder / (_FAILED if verdict.decision is Decision.NOT_DECIDABLE else _PROCESSED)
        target = folder / path.name
        if os.path.lexists(target):
            target = folder / f"{path.stem}-{time.time_ns()}{path.suffix}"
        try:
            make_folder(folder)
            shutil.move(path, target)
        except OSError as err:
            # Judged once is enough.
            log.error("%s cannot be moved to %s: %s; it is left alone until it changes", path, folder, err.strerror or err)
            self._stuck[path] = stamp

    def _shoot(self, path: Path, seen: _Seen, seq: int) -> Shot | None:
        """None: somebody still writes the file, or may be."""
        shot = shoot_file(path, seq)
        if _stamp(path) != seen.stamp:
            return None
        unreadable = isinstance(shot, Unfit) and shot.reason is Reason.UNREADABLE
        return None if unreadable and time.monotonic() - seen.since_s < self._grace_s else shot

    def _arrived(self) -> list[tuple[Path, _Seen]]:
        stamps = self._look()
        if stamps is None:
            return []
        now_s = time.monotonic()
        before = self._seen
        self._seen = {p: old if (old := before.get(p)) and old.stamp == s else _Seen(s, now_s) for p, s in stamps.items()}
        self._stuck = {p: s for p, s in self._stuck.items() if stamps.get(p) == s}
        ready = [(p, s) for p, s in self._seen.items() if now_s - s.since_s >= self._poll_s and p not in self._stuck]
        return sorted(ready, key=lambda found: (found[1].stamp[1], found[0].name))

    def _look(self) -> dict[Path, Stamp] | None:
        """Every file in the folder; None while the folder cannot be listed."""
        try:
            paths = [p for p in self._folder.iterdir() if not p.name.startswith(".")]
        except OSError as err:
            if self._loss.begin(f"source.path: {self._folder} is lost: {err.strerror}; looking again for ever"):
                self._feed = replace(self._feed, up=False, since_s=time.monotonic(), losses=self._feed.losses + 1)
            return None
        self._loss.end(f"source.path: {self._folder} is back")
        if not self._feed.up:
            self._feed = replace(self._feed, up=True, since_s=time.monotonic())
        # A file may vanish between listing and looking.
        return {p: stamp for p in paths if (stamp := _stamp(p)) is not None}


def try_watched(folder: Path) -> None:
    """Whether a folder can be watched; only looks.

    Raises:
        BadConfig: it is missing, or nothing could be moved within it.
    """
    _must_be_folder(folder)
    for name in (_PROCESSED, _FAILED):
        if why := hindrance(folder / name, folder=True):
            raise BadConfig(f"source.path: {folder}/{name} cannot be made or written: {why}; give write access.")


def _must_be_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise BadConfig(f"source.path: {folder} is not a folder; create it or correct the path.")


def _stamp(path: Path) -> Stamp | None:
    """None: nothing is there, or a folder that does not pretend to be a picture."""
    try:
        found = path.stat()
    except OSError:
        try:
            # A link that leads nowhere.
            found = path.lstat()
        except OSError:
            return None
    if stat.S_ISDIR(found.st_mode) and path.suffix.lower() not in SUFFIXES:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino
