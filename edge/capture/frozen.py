"""A camera that goes on delivering the same picture: alive for the driver, blind for the line."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_USUAL_FRAMES = 20
_CODEC_S = 10.0
"""A video codec may repeat a still scene without a bit of change until its next key frame; few wait longer than this."""

_NOISE_SHARE, _NOISE_LAGS, _NOISE_CORRELATION = 0.2, (4, 5, 7), 0.15
"""Noise changes at least a fifth of the pixels between two exposures, and pixels some columns apart independently. Measured
on solar cells: noise of 0.5 to 3 levels, smoothed or through JPEG, correlates by at most 0.07 four columns apart; a cell
that moves by a pixel or more before a noiseless camera, or light that flickers, by at least 0.22."""

_STEP = 8


class Stillness:
    """Counts frames that are equal to the one before, byte by byte.

    A scene may stand still, so equal frames alone prove nothing: only a camera that has shown noise cannot give two of them.
    One that never has, such as a simulated one, is not suspected, unless a number of frames was given by hand.

    Args:
        frames: so many equal frames in a row are a frozen camera; None: 20, for a camera that has shown noise.
        compresses: its frames come through a video codec; they must be equal for 10 s, too.
    """

    def __init__(self, frames: int | None, *, compresses: bool) -> None:
        self._frames, self._trusted = frames or _USUAL_FRAMES, frames is not None
        self._hold_s = _CODEC_S if compresses else 0.0
        self._before: NDArray[Any] | None = None
        self._equal, self._since_s = 1, 0.0

    def look(self, pixels: NDArray[Any], mono_s: float) -> str | None:
        """Why the camera counts as frozen with this frame, in words; None if it does not."""
        before, self._before = self._before, pixels
        if before is None or not _equal(before, pixels):
            self._trusted = self._trusted or (before is not None and _is_noise(before, pixels))
            self._equal, self._since_s = 1, mono_s
            return None
        self._equal += 1
        still_s = mono_s - self._since_s
        if not self._trusted or self._equal < self._frames or still_s < self._hold_s:
            return None
        return f"the last {self._equal} frames of the camera are equal byte by byte, for {still_s:.1f} s"


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    # A sixteenth of the rows tells two live frames apart; only what looks equal is compared as a whole.
    return np.array_equal(one[::16], other[::16]) and np.array_equal(one, other)


def _is_noise(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if one.shape != other.shape:
        return False
    change = _some_rows(one) - _some_rows(other)
    if np.count_nonzero(change) < _NOISE_SHARE * change.size or change.shape[1] <= max(_NOISE_LAGS):
        return False
    return all(abs(_correlation(change, lag)) <= _NOISE_CORRELATION for lag in _NOISE_LAGS)


def _correlation(change: NDArray[np.float32], lag: int) -> float:
    """Of columns `lag` apart; 1 where nothing differs."""
    left, right = change[:, :-lag].ravel(), change[:, lag:].ravel()
    spread = float(left.std() * right.std())
    return float(((left - left.mean()) * (right - right.mean())).mean()) / spread if spread else 1.0


def _some_rows(pixels: NDArray[Any]) -> NDArray[np.float32]:
    rows = pixels[::_STEP]
    return np.asarray(rows if rows.ndim == 2 else rows[..., 0], np.float32)  # noqa: PLR2004 - a grey picture has two axes
