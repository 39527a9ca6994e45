"""Where pictures come from: what every source is, and the simplest one, a folder."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from edge.capture.pictures import list_pictures, read_picture
from edge.errors import BadPicture
from edge.host.clock import utc_now
from edge.types import Frame, Reason, Shot, Unfit, Verdict


class Source(Protocol):
    """An iterable of shots. One that gives no picture yields `Unfit`; nothing is left out silently."""

    def __iter__(self) -> Iterator[Shot]:
        """Shots in order; ends when the source does or when it is told to stop."""

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """The shot has been judged and handed to every sink."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a source. reason: as in the results of its parts; detail: in words."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Feed:
    """Whether pictures come.

    since_s: monotonic, of the start, or when it was lost or came back. frames: pictures that came; dropped: those that a
    newer one replaced before the line asked for one. newest_s: monotonic, when the newest picture came. reopenings: of the
    camera, after the first opening. refused: triggers that came while another one still waited to be served. fault: why no
    part is judged although pictures come, or why none come, where that is known. freeze_told: whether a picture that froze
    now would be found; None: it is no camera.
    """

    up: bool
    since_s: float
    losses: int = 0
    frames: int = 0
    dropped: int = 0
    newest_s: float | None = None
    reopenings: int = 0
    refused: int = 0
    fault: Fault | None = None
    freeze_told: bool | None = None


@runtime_checkable
class LiveSource(Source, Protocol):
    """A source that may be lost and come back."""

    def feed(self) -> Feed:
        """How it is now; any thread may ask."""


@runtime_checkable
class LookedAfter(Protocol):
    """A source that goes on working while the line asks for nothing, and says then, too, what becomes of it."""

    def rest(self, over: Callable[[float], bool]) -> None:
        """Look after it in slices until `over`, which waits for so many seconds at most, says that the line goes on."""


def shoot_file(path: Path, seq: int, arrived_mono_s: float | None = None) -> Shot:
    """Read one picture file; what cannot be read becomes an `Unfit` shot with its reason. arrived_mono_s: as in `Shot`."""
    taken_mono_s, taken_utc = time.monotonic(), utc_now()
    part_id = _as_text(path.stem)
    try:
        pixels = read_picture(path)
    except BadPicture as err:
        return Unfit(part_id, seq, taken_mono_s, taken_utc, err.reason, _as_text(str(err)))
    return Frame(part_id, seq, taken_mono_s, taken_utc, pixels, arrived_mono_s=arrived_mono_s)


def leave_file(path: Path, seq: int, why: str) -> Unfit:
    """A picture file that must not be read. why: what follows its name in a sentence."""
    return Unfit(_as_text(path.stem), seq, time.monotonic(), utc_now(), Reason.UNREADABLE, _as_text(f"{path}: {why}"))


def _as_text(name: str) -> str:
    """A file name may hold any bytes, a message only Unicode."""
    return os.fsencode(name).decode(errors="replace")


class FolderSource:
    """Every picture of a folder once, by name.

    Raises:
        BadConfig: the folder is missing or holds no picture.
    """

    def __init__(self, folder: Path, stop: threading.Event) -> None:
        self._paths = list_pictures(folder)
        self._stop = stop

    def __iter__(self) -> Iterator[Shot]:
        for seq, path in enumerate(self._paths):
            if self._stop.is_set():
                return
            yield shoot_file(path, seq)

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """The files stay where they are."""
