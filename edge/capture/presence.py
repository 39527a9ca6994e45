"""Whether a camera's pictures come and are its own: said when it changes, and known to whoever asks."""

import time
from dataclasses import replace
from typing import Protocol

from edge.capture.settings import Deviation, in_words
from edge.capture.sources import Fault, Feed
from edge.events import EventCode, Events, Trouble
from edge.types import Reason

_PATIENT_FRAMES = 20
"""A camera with noise shows it in its first frames."""


UNTOLD = (
    "has shown no noise yet, so a frozen picture cannot be told from a scene that stands still; if it never does, set "
    "source.frozen_frames"
)
"""What is to be said of such a camera, behind its name."""


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

    @property
    def freeze_told(self) -> bool:
        """Whether one that froze now would be found."""


class Frames(Protocol):
    """The reader of a camera."""

    @property
    def newest(self) -> Exposed | None:
        """The newest frame there is."""

    @property
    def openings(self) -> int:
        """How often the camera was opened."""

    @property
    def began_s(self) -> float:
        """Since when it is read, monotonic."""

    @property
    def fault(self) -> str:
        """Why there is no newer frame."""


class Presence:
    """Written by the thread that takes the frames; any thread may read its `feed`.

    What changes is noted before it is said, for who hears of it may ask.
    """

    def __init__(self, name: int | str, events: Events) -> None:
        self._name = name
        self._lost = Trouble(events, EventCode.CAMERA_LOST, EventCode.CAMERA_BACK)
        self._frozen = Trouble(events, EventCode.CAMERA_FROZEN, EventCode.CAMERA_MOVES)
        self._noiseless = Trouble(events, EventCode.CAMERA_NOISE_UNSEEN, EventCode.CAMERA_NOISE_SEEN)
        self._settings = Trouble(events, EventCode.CAMERA_SETTINGS_REFUSED, EventCode.CAMERA_SETTINGS_TAKEN)
        self._number = 0
        # Replaced as a whole, so that other threads see one moment.
        self._feed = Feed(up=False, since_s=time.monotonic(), freeze_told=False)

    def feed(self, frames: Frames | None, refused: int = 0) -> Feed:
        """Up from the first frame on; frames that the line did not ask for count, too. refused: triggers."""
        feed = replace(self._feed, refused=refused)
        if frames is None:
            return feed
        feed = replace(feed, reopenings=max(0, frames.openings - 1))
        if (newest := frames.newest) is None:
            return feed
        # While none come, that is what is wrong; else the newest frame says it, also while the line is busy.
        fault = fault_of(newest) if feed.up else feed.fault
        return replace(feed, frames=newest.number, newest_s=newest.mono_s, fault=fault, freeze_told=newest.freeze_told)

    @property
    def losses(self) -> int:
        """How often it was lost."""
        return self._feed.losses

    def here(self, exposure: Exposed) -> None:
        """The line has this frame."""
        self._note(up=True, dropped=exposure.number - self._number - 1)
        self._number = exposure.number
        self._see(exposure)

    def seen(self, exposure: Exposed) -> None:
        """This frame came, and the line did not ask for it."""
        if not self._feed.up:
            self._note(up=True)
        self._see(exposure)

    def lost(self, fault: str) -> None:
        """No frame came in the camera's time."""
        if self._feed.fault is None:
            self._note(up=False, fault=Fault(Reason.CAMERA_LOST, fault))
            self._lost.begin(f"camera {self._name} is lost: {fault}; trying again for ever")

    def look_after(self, frames: Frames, timeout_s: float) -> None:
        """The line asks for none now. timeout_s: how long one frame may take."""
        newest = frames.newest
        silent_s = time.monotonic() - (newest.mono_s if newest else frames.began_s)
        if silent_s > timeout_s:
            self.lost(frames.fault)
        elif newest:
            self.seen(newest)

    def _see(self, exposure: Exposed) -> None:
        self._lost.end(f"camera {self._name} is back")
        if exposure.frozen:
            self._frozen.begin(
                f"camera {self._name} is frozen: {exposure.frozen}; no part is judged until its picture changes"
            )
        else:
            self._frozen.end(f"camera {self._name} gives new pictures again")
        if exposure.deviations:
            which = in_words(exposure.deviations)
            self._settings.begin(f"camera {self._name} did not take {which}; no part is judged until it does")
        else:
            self._settings.end(f"camera {self._name} has the settings of the station file")
        if exposure.freeze_told:
            self._noiseless.end(f"camera {self._name} has shown noise, so a frozen picture would be told")
        elif exposure.number >= _PATIENT_FRAMES:
            self._noiseless.begin(f"camera {self._name}: {UNTOLD}")

    def _note(self, *, up: bool, dropped: int = 0, fault: Fault | None = None) -> None:
        feed = self._feed
        since_s = feed.since_s if up == feed.up else time.monotonic()
        self._feed = replace(
            feed, up=up, since_s=since_s, losses=feed.losses + (not up), dropped=feed.dropped + dropped, fault=fault
        )


def fault_of(exposure: Exposed) -> Fault | None:
    """Why no part is judged with this frame, whatever it shows."""
    if exposure.frozen:
        return Fault(Reason.FROZEN, exposure.frozen)
    if exposure.deviations:
        return Fault(Reason.WRONG_SETTINGS, in_words(exposure.deviations))
    return None
