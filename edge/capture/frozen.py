"""A camera that goes on delivering the same picture: alive for the driver, blind for the line."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.capture.noise import NoiseMemory, is_noise
from edge.capture.stream import Traits

_USUAL_FRAMES = 20
_CODEC_S = 10.0
"""A video codec may repeat a still scene without a bit of change until its next key frame; few wait longer than this."""


class Stillness:
    """Counts frames that are equal to the one before, byte by byte.

    A scene may stand still, so equal frames alone prove nothing: only a camera that has shown noise cannot give two of them.
    One that never has, such as a simulated one, is not suspected, unless a number of frames was given by hand. What is kept
    of before this process may be of another camera of the same name; until this one shows noise, that is said with it.

    Args:
        traits: the camera's; `frozen_frames` equal frames in a row are a frozen camera, None: 20, once it has shown noise.
            Those of one that compresses must be equal for 10 s, too.
        noise: which pictures have shown noise before this process began.
    """

    def __init__(self, traits: Traits, noise: NoiseMemory | None = None) -> None:
        self._name, self._noise = traits.name, noise
        self._frames, self._by_hand = traits.frozen_frames or _USUAL_FRAMES, traits.frozen_frames is not None
        self._hold_s = _CODEC_S if traits.compresses else 0.0
        self._before: NDArray[Any] | None = None
        self._equal, self._since_s = 1, 0.0
        self._hearsay: NoiseMemory | None = None
        self.told = self._by_hand
        """Whether a camera that froze now would be found."""

    def look(self, pixels: NDArray[Any], mono_s: float) -> str | None:
        """Why the camera counts as frozen with this frame, in words; None if it does not."""
        before, self._before = self._before, pixels
        if before is None or not _equal(before, pixels):
            self._learn(before, pixels)
            self._equal, self._since_s = 1, mono_s
            return None
        self._equal += 1
        still_s = mono_s - self._since_s
        if not self.told or self._equal < self._frames or still_s < self._hold_s:
            return None
        found = f"the last {self._equal} frames of the camera are equal byte by byte, for {still_s:.1f} s"
        if self._hearsay:
            found += f"; if this is another camera, remove {self._hearsay.path} or set source.frozen_frames, and restart"
        return found

    def _learn(self, before: NDArray[Any] | None, pixels: NDArray[Any]) -> None:
        """Whether the camera's noise is known, or these two frames show it."""
        if before is None or before.shape != pixels.shape or before.dtype != pixels.dtype:
            # Another size may come by binning, which averages the noise away.
            known = not self._by_hand and self._noise is not None and self._noise.knows(self._kind(pixels))
            self._hearsay = self._noise if known else None
            self.told = self._by_hand or known
        elif (self._hearsay or not self.told) and is_noise(before, pixels):
            self.told, self._hearsay = True, None
            if self._noise:
                self._noise.note(self._kind(pixels))

    def _kind(self, pixels: NDArray[Any]) -> str:
        return f"{self._name} {'x'.join(map(str, pixels.shape))} {pixels.dtype}"


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    # A sixteenth of the rows tells two live frames apart; only what looks equal is compared as a whole.
    return np.array_equal(one[::16], other[::16]) and np.array_equal(one, other)
