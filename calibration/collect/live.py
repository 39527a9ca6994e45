"""A camera that is looked at all the time and asked only now and then."""

from typing import Protocol

from edge.capture.camera import NewestFrame, shoot
from edge.types import Shot


class Live(Protocol):
    """What the key trigger needs of a camera."""

    @property
    def timeout_s(self) -> float:
        """How long one picture may take."""

    @property
    def fault(self) -> str:
        """Why there is no newer picture."""

    def newer_than(self, mono_s: float, timeout_s: float) -> Shot | None:
        """A picture that arrived after `mono_s`; None when none comes in time."""


class LiveCamera:
    """The newest frame of a camera as a shot, named by its time."""

    def __init__(self, frames: NewestFrame, timeout_s: float) -> None:
        self._frames, self.timeout_s = frames, timeout_s

    @property
    def fault(self) -> str:
        """Why there is no newer picture, as far as is known."""
        return self._frames.fault

    def newer_than(self, mono_s: float, timeout_s: float) -> Shot | None:
        """A picture that arrived after `mono_s`; None when none comes in time or the session is stopped."""
        exposure = self._frames.newer_than(mono_s, timeout_s)
        return shoot(f"{exposure.utc:%Y%m%dT%H%M%S.%f}", exposure) if exposure else None
