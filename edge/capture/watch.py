"""A folder into which somebody else puts picture files."""

import logging
import stat
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edge.capture.in_work import MOST_TRIES, InWork, Stamp
from edge.capture.judged import Judged, must_take_files
from edge.capture.pictures import SUFFIXES
from edge.capture.sources import Feed, leave_file, shoot_file
from edge.errors import BadConfig
from edge.events import EventCode, Events, Trouble
from edge.types import Reason, Shot, Unfit, Verdict

log = logging.getLogger(__name__)

_GRACE_S = 2.0
_IN_WORK_FILE = ".in-work"
_QUOTA_BYTES = 2_000_000_000
_SLICE_S = 0.1
"""The end of a pause is seen so soon, however seldom the folder is looked at."""

_LOOKS_SHARE = 10
"""While files are judged, looking for others takes at most one part in so many of the line's time."""


@dataclass(frozen=True, slots=True)
class _Seen:
    stamp: Stamp
    since_s: float  # monotonic: unchanged at least since then
    arrived_s: float | None  # monotonic, pauses left out: not there, or not whole, before; None: it lay there at the start

    def after_pause(self, began_s: float, ended_s: float) -> "_Seen":
        """The same, without the time of a pause in which nobody could judge it."""
        if self.arrived_s is None:
            return self
        return replace(self, arrived_s=self.arrived_s + ended_s - max(began_s, self.arrived_s))


class WatchSource:
    """Files that arrive in a folder, oldest first; moved to `processed/` when judged, to `failed/` when not decidable.

    A file has arrived when its size and time have not changed for `poll_s`; one that cannot be read is given `grace_s`,
    because a copy may pause. Names that begin with a dot are left alone: copy to `.name` and rename, and arrival is whole.
    It came at the earliest when the folder was last looked at without it; of what lies there at the start, nobody knows.
    While the line is paused it waits for no verdict: what comes then has come at the end of the pause, and what came before
    is taken to have come later by as long as the pause was.
    A file with which the process was killed is read once more at the next start; killed again, the line gives it up, but
    for no second one before some file was judged to its end: what kills it each time may be something else.

    Args:
        folder: where they arrive.
        poll_s: how often it is looked at.
        stop: ends it.
        grace_s: see above.
        events: who is told when the folder is lost or back, and when a file is given up.
        in_work_file: where the line remembers what it has in work; None: in the folder itself.
        quota_bytes: of the judged files that stay below it (see `Judged`).

    Raises:
        BadConfig: the folder is missing, or its files cannot be moved to its subfolders.
    """

    def __init__(
        self,
        folder: Path,
        poll_s: float,
        stop: threading.Event,
        grace_s: float = _GRACE_S,
        events: Events | None = None,
        in_work_file: Path | None = None,
        quota_bytes: int = _QUOTA_BYTES,
    ) -> None:
        self._folder, self._poll_s, self._stop, self._grace_s = folder, poll_s, stop, grace_s
        self._events = events or Events()
        self._seen: dict[Path, _Seen] = {}
        self._looked_s: float | None = None
        self._look_again_s = 0.0
        self._stuck: dict[Path, Stamp] = {}
        self._shown: dict[int, tuple[Path, Stamp]] = {}
        self._in_work = InWork(in_work_file or folder / _IN_WORK_FILE)
        # Replaced as a whole, so that other threads see one moment.
        self._feed = Feed(up=True, since_s=time.monotonic())
        self._loss = Trouble(self._events, EventCode.FOLDER_LOST, EventCode.FOLDER_BACK)
        _must_be_folder(folder)
        self._judged = Judged(folder, quota_bytes, stop)

    def feed(self) -> Feed:
        """Up while the folder can be listed; frames are files that were judged."""
        return self._feed

    def __iter__(self) -> Generator[Shot, None, None]:
        self._judged.look_after()
        try:
            yield from self._shots()
        finally:
            # A line that was told to stop, and let go of a shot, is no line that was ended by it.
            if self._stop.is_set():
                for path, _ in self._shown.values():
                    self._in_work.end(path)

    def _shots(self) -> Iterator[Shot]:
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
                    self._shown[seq] = path, seen.stamp
                    yield shot
                    seq += 1
                # A takt runs for those, too, that come while others are judged.
                if time.monotonic() >= self._look_again_s:
                    self._notice()
            if not found_one:
                self._stop.wait(self._poll_s)

    def rest(self, over: Callable[[float], bool]) -> None:
        """Look for files until `over`, so that it is known of each whether it came while the line was paused."""
        began_s = time.monotonic()
        if over(0.0):
            return
        self._notice()
        while not over(min(self._poll_s, _SLICE_S)):
            if time.monotonic() >= self._look_again_s:
                self._notice()
        if self._looked_s is None:
            return
        ended_s = self._looked_s = time.monotonic()
        self._seen = {p: seen.after_pause(began_s, ended_s) for p, seen in self._seen.items()}

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """Move the file out of the way, under a new name if that one is taken."""
        path, stamp = self._shown.pop(shot.seq)
        self._put_away(path, stamp, verdict)
        if not self._in_work.has_given_up(path, stamp):
            self._in_work.judged(path)
        elif path not in self._stuck:
            # One that stays where it is must not be read at the next start either.
            self._in_work.end(path)

    def _put_away(self, path: Path, stamp: Stamp, verdict: Verdict) -> None:
        if _stamp(path) != stamp:
            # It is gone, or the next part has come under the same name and waits for its own verdict.
            return
        try:
            self._judged.put(path, verdict.decision)
        except OSError as err:
            # Judged once is enough.
            log.error("%s cannot be moved out of the way: %s; it is left alone until it changes", path, err.strerror or err)
            self._stuck[path] = stamp

    def _shoot(self, path: Path, seen: _Seen, seq: int) -> Shot | None:
        """None: somebody still writes the file, or may be."""
        if self._in_work.gives_up(path, seen.stamp):
            return self._give_up(path, seq)
        self._in_work.begin(path, seen.stamp)
        # A pause may have come since the files were listed.
        shot = shoot_file(path, seq, self._seen.get(path, seen).arrived_s)
        unreadable = isinstance(shot, Unfit) and shot.reason is Reason.UNREADABLE
        if _stamp(path) != seen.stamp or (unreadable and time.monotonic() - seen.since_s < self._grace_s):
            self._in_work.end(path)
            return None
        return shot

    def _give_up(self, path: Path, seq: int) -> Unfit:
        self._in_work.give_up(path)
        shot = leave_file(
            path,
            seq,
            f"the process ended {MOST_TRIES} times with this file in work, and it is not read again; the cause may be "
            "another (a disk that hangs, too little memory): look into the journal, and at the file's size and format, "
            "before you copy it here again.",
        )
        self._events.say(EventCode.FILE_GIVEN_UP, f"source.path: {shot.detail}")
        return shot

    def _arrived(self) -> list[tuple[Path, _Seen]]:
        if not self._notice():
            return []
        now_s = time.monotonic()
        ready = [(p, s) for p, s in self._seen.items() if now_s - s.since_s >= self._poll_s and p not in self._stuck]
        return sorted(ready, key=self._turn)

    def _turn(self, found: tuple[Path, _Seen]) -> tuple[int, int, str]:
        """The oldest first; but what may kill the process and cannot be given up yet, after all others."""
        path, seen = found
        return self._in_work.put_off(path, seen.stamp), seen.stamp[1], path.name

    def _notice(self) -> bool:
        """Remember since when each file is as it is; False while the folder cannot be listed."""
        began_s = time.monotonic()
        stamps = self._look()
        now_s = time.monotonic()
        self._look_again_s = now_s + max(self._poll_s, _LOOKS_SHARE * (now_s - began_s))
        if stamps is None:
            return False
        if self._looked_s is None:
            self._in_work.recall()
            self._in_work.forget_all_but(stamps.keys())
        before, arrived_s = self._seen, self._looked_s
        self._seen = {
            p: old if (old := before.get(p)) and old.stamp == s else _Seen(s, now_s, arrived_s) for p, s in stamps.items()
        }
        self._stuck = {p: s for p, s in self._stuck.items() if stamps.get(p) == s}
        self._looked_s = began_s
        return True

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
    must_take_files(folder)


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
