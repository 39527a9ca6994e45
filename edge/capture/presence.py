"""Whether a camera's pictures come and are its own: said when it changes, and known to whoever asks."""

import time
from dataclasses import replace
from typing import Protocol

from edge.capture.settings import Deviation
from edge.capture.sources import Feed
from edge.events import EventCode, Events, Trouble


class Exposed(Protocol):
    """A frame as it arrived; its fields as of `edge.capture.camera.Exposure`."""

    @property
    def number(self) -> int:
        """Counts the camera's frames from 1."""

    @property
    def mono_s(self) -> float:
        """When it arrived."""

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """Settings that the camera did not take."""

    @property
    def frozen(self) -> str | None:
        """Why the camera counts as frozen."""


class Frames(Protocol):
    """The reader of a camera."""

    @property
    def newest(self) -> Exposed | None:
        """The newest frame there is."""

    @property
    def openings(self) -> int:
        """How often the camera was opened."""


class Presence:
    """Written by the thread that takes the frames; any thread may read its `feed`."""

    def __init__(self, name: int | str, events: Events) -> None:
        self._name = name
        self._lost = Trouble(events, EventCode.CAMERA_LOST, EventCode.CAMERA_BACK)
        self._frozen = Trouble(events, EventCode.CAMERA_FROZEN, EventCode.CAMERA_MOVES)
        self._settings = Trouble(events, EventCode.CAMERA_SETTINGS_REFUSED, EventCode.CAMERA_SETTINGS_TAKEN)
        self._number = 0
        # Replaced as a whole, so that other threads see one moment.
        self._feed = Feed(up=False, since_s=time.monotonic())

    def feed(self, frames: Frames | None, refused: int = 0) -> Feed:
        """Up from the first frame on; frames that the line did not ask for count, too. refused: triggers."""
        feed = replace(self._feed, refused=refused)
        if frames is None:
            return feed
        feed = replace(feed, reopenings=max(0, frames.openings - 1))
        newest = frames.newest
        return replace(feed, frames=newest.number, newest_s=newest.mono_s) if newest else feed

    def here(self, exposure: Exposed) -> None:
        """The line has this frame."""
        self._see(exposure)
        self._note(up=True, dropped=exposure.number - self._number - 1)
        self._number = exposure.number

    def seen(self, exposure: Exposed) -> None:
        """This frame came, and the line did not ask for it."""
        self._see(exposure)
        if not self._feed.up:
            self._note(up=True)

    def lost(self, fault: str) -> bool:
        """No frame came; whether that is new."""
        if not self._lost.begin(f"camera {self._name} is lost: {fault}; trying again for ever"):
            return False
        self._note(up=False)
        return True

    def _see(self, exposure: Exposed) -> None:
        self._lost.end(f"camera {self._name} is back")
        if exposure.frozen:
            self._frozen.begin(
                f"camera {self._name} is frozen: {exposure.frozen}; no part is judged until its picture changes"
            )
        else:
            self._frozen.end(f"camera {self._name} gives new pictures again")
        if exposure.deviations:
            which = "; ".join(map(str, exposure.deviations))
            self._settings.begin(f"camera {self._name} did not take {which}; no part is judged until it does")
        else:
            self._settings.end(f"camera {self._name} has the settings of the station file")

    def _note(self, *, up: bool, dropped: int = 0) -> None:
        feed = self._feed
        since_s = feed.since_s if up == feed.up else time.monotonic()
        self._feed = Feed(up, since_s, feed.losses + (not up), dropped=feed.dropped + dropped)
