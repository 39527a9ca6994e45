"""Whether a camera has ever shown noise: told from two of its frames, and kept through restarts."""

import logging
import threading
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from edge.errors import BadConfig
from edge.host.files import may_be_there, put_in_place
from edge.strict import Strict, load_json

log = logging.getLogger(__name__)

_SHARE, _LAGS, _CORRELATION = 0.2, (4, 5, 7), 0.15
"""Noise changes at least a fifth of the pixels between two exposures, and pixels some columns apart independently. Measured
on solar cells: noise of 0.5 to 3 levels, smoothed or through JPEG, correlates by at most 0.07 four columns apart; a cell
that moves by a pixel or more before a noiseless camera, or light that flickers, by at least 0.22."""

_FEWEST = 1000
"""Pixels that are looked at. Chance alone makes fewer correlate by a tenth and more."""

_STEP = 8

_MOST_KEPT = 100
"""Kinds of pictures in one file; a station has one camera, perhaps of a few sizes."""


def is_noise(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether what differs between two frames of a camera, H×W or H×W×C of any depth, is its sensor's noise.

    Pixels at either end of a picture's range are left out: where it is clipped, a black background or a bright one, there is
    no noise to see.
    """
    if one.shape != other.shape:
        return False
    first, second = _some_rows(one), _some_rows(other)
    if first.shape[1] <= max(_LAGS):
        return False
    open_ = _within(first) & _within(second)
    change = second - first
    seen = np.count_nonzero(open_)
    if seen < _FEWEST or np.count_nonzero(change[open_]) < _SHARE * seen:
        return False
    return all(abs(_correlation(change, open_, lag)) <= _CORRELATION for lag in _LAGS)


def _within(pixels: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Those between the darkest and the brightest: 0 and 255, or where a codec or 12 bits in 16 clip."""
    return np.asarray((pixels > pixels.min()) & (pixels < pixels.max()))


def _correlation(change: NDArray[np.float32], open_: NDArray[np.bool_], lag: int) -> float:
    """Of columns `lag` apart, where both count; 1 where nothing differs, or too few count."""
    both = open_[:, :-lag] & open_[:, lag:]
    left, right = change[:, :-lag][both], change[:, lag:][both]
    if left.size < _FEWEST / 2:
        return 1.0
    spread = float(left.std() * right.std())
    return float(((left - left.mean()) * (right - right.mean())).mean()) / spread if spread else 1.0


def _some_rows(pixels: NDArray[Any]) -> NDArray[np.float32]:
    rows = pixels[::_STEP]
    return np.asarray(rows if rows.ndim == 2 else rows[..., 0], np.float32)  # noqa: PLR2004 - a grey picture has two axes


class Seen(Strict):
    """The file. kinds: camera, size and depth of pictures that have shown noise."""

    format: Literal["goodpart.noise/1"] = "goodpart.noise/1"
    kinds: tuple[str, ...] = Field(default=(), max_length=_MOST_KEPT)


class NoiseMemory:
    """Which kinds of pictures have shown noise here.

    A file that cannot be read or written is logged, and the line goes on: the camera then has to show its noise again after
    a restart.

    path: `source.noise_file`. keeps: whether what is noted goes there.
    """

    def __init__(self, path: Path, *, keeps: bool = True) -> None:
        self._path, self._keeps, self._writing = path, keeps, threading.Lock()
        self._kinds: tuple[str, ...] = ()
        try:
            self._kinds = load_json(path, Seen, BadConfig).kinds if may_be_there(path) else ()
        except (BadConfig, OSError) as err:
            log.warning("source.noise_file: %s; until the camera shows its noise again, a frozen one cannot be told", err)

    @property
    def path(self) -> Path:
        """What is to be removed where another camera has come in the place of the one that it is about."""
        return self._path

    def knows(self, kind: str) -> bool:
        """Whether it has shown noise, in this process or before."""
        return kind in self._kinds

    def note(self, kind: str) -> None:
        """It has shown noise. Called by the thread that reads the camera, and written by another one: a disk may hang."""
        if kind in self._kinds:
            return
        self._kinds = (*self._kinds, kind)[-_MOST_KEPT:]
        if self._keeps:
            threading.Thread(target=self._write, name="noise file", daemon=True).start()

    def _write(self) -> None:
        try:
            with self._writing:
                put_in_place(self._path, Seen(kinds=self._kinds).model_dump_json().encode())
        except OSError as err:
            log.warning(
                "source.noise_file: %s cannot be written: %s; after a restart the camera must show its noise again",
                self._path,
                err.strerror,
            )
