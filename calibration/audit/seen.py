"""Every picture that is audited, read once: how it looks, how sharp it is, and what is its own in it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.audit.structure import structure_of
from calibration.goods import Good
from calibration.progress import Steps
from edge.capture.fitness import Look, look_at
from edge.capture.pictures import read_picture
from edge.errors import BadPicture
from edge.types import Floats, Pixels

_BURNT_FROM = 250
"""Grey level from which a pixel of 8 bits says no more than "white"."""

_BLUR_SIDE = 9
"""Length of the second blur, as its authors give it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture that could be read.

    held_out: whether it is one for the threshold; pixels_sha256: of size and decoded pixels, whatever the file's format;
    burnt: share of pixels that are white; sharpness: see `sharpness_of`; structure: see `structure_of`.
    """

    good: Good
    held_out: bool
    pixels_sha256: str
    look: Look
    burnt: float
    sharpness: float
    structure: Floats


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One file that gives no picture, and why in words."""

    good: Good
    detail: str


def see(bank: Sequence[Good], held_out: Sequence[Good], steps: Steps) -> tuple[list[Seen], list[Unreadable]]:
    """Read all of both sides; a file that gives no picture is a finding here, no error."""
    seen, unreadable = [], []
    sides = [(good, False) for good in bank] + [(good, True) for good in held_out]
    for good, of_threshold in steps.track(sides, "reading pictures"):
        try:
            seen.append(_see_one(good, read_picture(good.path), held_out=of_threshold))
        except BadPicture as err:
            unreadable.append(Unreadable(good, str(err).removeprefix(f"{good.path}: ").rstrip(".")))
    return seen, unreadable


def sharpness_of(grey: Floats) -> float:
    """How much of its edges a picture loses when it is blurred (Crete et al. 2007): 0 none, for it was blurred; at most 1.

    Measured on cells, tiles and cookies: of the measures tried (variance of the Laplacian, plain and as a share of the
    variance; ratio of two bands; this one) it tells a blur of 2 pixels best, and none of the sharp goods lies far off.
    """
    kept = []
    for axis, size in ((1, (_BLUR_SIDE, 1)), (0, (1, _BLUR_SIDE))):
        before = np.abs(np.diff(grey, axis=axis))
        after = np.abs(np.diff(cv2.blur(grey, size), axis=axis))
        total = float(before.sum(dtype=np.float64))
        lost = float(np.maximum(before - after, 0).sum(dtype=np.float64))
        kept.append((total - lost) / total if total else 1.0)
    return 1 - max(kept)


def _see_one(good: Good, pixels: Pixels, *, held_out: bool) -> Seen:
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))
    digest = hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    return Seen(
        good=good,
        held_out=held_out,
        pixels_sha256=digest,
        look=look_at(pixels),
        burnt=float((grey >= _BURNT_FROM).mean()),
        sharpness=sharpness_of(grey.astype(np.float32)),
        structure=structure_of(pixels),
    )
