"""Whether a camera's pictures come: said when it changes, and known to whoever asks."""

import time
from dataclasses import replace
from typing import Protocol

from edge.capture.sources import Feed
from edge.events import EventCode, Events, Trouble


class Exposed(Protocol):
    """A frame as it arrived."""

    @property
    def number(self) -> int:
        """Counts the camera's frames from 1."""

    @property
    def mono_s(self) -> float:
        """When it arrived."""


class Presence:
    """Written by the thread that takes the frames; any thread may read its `feed`."""

    def __init__(self, device: int | str, events: Events) -> None:
        self._device = device
        self._trouble = Trouble(events, EventCode.CAMERA_LOST, EventCode.CAMERA_BACK)
        self._number = 0
        # Replaced as a whole, so that other threads see one moment.
        self._feed = Feed(up=False, since_s=time.monotonic())

    def feed(self, newest: Exposed | None) -> Feed:
        """Up from the first frame on; frames that the line did not ask for count, too. newest: of all that came."""
        feed = self._feed
        return replace(feed, frames=newest.number, newest_s=newest.mono_s) if newest else feed

    def here(self, exposure: Exposed) -> None:
        """The line has this frame."""
        self._trouble.end(f"camera {self._device} is back")
        self._note(up=True, dropped=exposure.number - self._number - 1)
        self._number = exposure.number

    def lost(self, fault: str) -> bool:
        """No frame came; whether that is new."""
        if not self._trouble.begin(f"camera {self._device} is lost: {fault}; trying again for ever"):
            return False
        self._note(up=False)
        return True

    def _note(self, *, up: bool, dropped: int = 0) -> None:
        feed = self._feed
        since_s = feed.since_s if up == feed.up else time.monotonic()
        self._feed = Feed(up, since_s, feed.losses + (not up), dropped=feed.dropped + dropped)
