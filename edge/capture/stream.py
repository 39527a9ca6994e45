"""What the reader thread knows of a camera, whoever made it and whatever library speaks to it."""

from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from edge.capture.settings import Deviation


class Stream(Protocol):
    """An open camera. Only the thread that opened it uses it."""

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """Settings that it did not take."""

    def read(self) -> NDArray[Any] | None:
        """Wait for the next frame, as the camera gives it, of any depth; None: there is none any more.

        Raises:
            CameraLost: why there is none.
        """

    def release(self) -> None:
        """Give the camera back."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a camera is known by. name: for people; timeout_s: how long opening or one frame may take.

    frozen_frames: so many byte-identical frames in a row are a frozen camera; None: chosen, once it has shown noise.
    compresses: whether its frames come through a video codec, which may repeat a still scene exactly.
    """

    name: int | str
    timeout_s: float
    frozen_frames: int | None = None
    compresses: bool = False


class Camera(Protocol):
    """A camera that can be opened again and again."""

    @property
    def traits(self) -> Traits:
        """What it is known by."""

    def open(self) -> Stream:
        """Open it and tell it its settings.

        Raises:
            CameraLost: it cannot be opened now.
        """
