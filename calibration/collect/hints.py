"""What is odd about a picture, told while the part still lies there.

The numbers to compare with are those of the pictures taken so far: what is sharp or bright depends on the part and the
lens, so only "unlike the others" can be said. Limits are wide on purpose: a hint is a question, nothing is refused for it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from calibration.collect.sidecar import Fitness
from edge.capture.fitness import look_at
from edge.types import Floats, Pixels, Reason

_SMALL = 64
_UNCHANGED = 1.0
"""Grey levels. Noise of 3 levels in 640×480 pixels leaves 0.5 between two pictures of one scene; of 200 different solar
cells no two came nearer than 1.4, and half of the pairs differ by more than 16."""

_FLAT = 2.0
"""Grey levels of contrast. A covered lens shows the sensor's noise, one or two levels; the calmest real parts had 9."""

_DARK, _BRIGHT = 64, 192
"""A flat picture below the one is a covered lens or no light, above the other too much of it."""

_SHARPER, _LIGHTER, _CONTRASTIER = 0.5, 0.75, 0.5
"""Below this share of the median so far a picture is blurred, dark or flat; brightness also above 1 / 0.75."""

_ENOUGH = 3
"""Pictures that make a median worth comparing with."""

_WHITE, _BLACK, _MORE = 0.02, 0.25, 0.02
"""Shares that may be clipped without a word, and how much more than the others one may have where all have much."""


class Odd(StrEnum):
    """Kinds of hints."""

    BLURRED = "BLURRED"
    DARKER = "DARKER"
    BRIGHTER = "BRIGHTER"
    FLATTER = "FLATTER"
    WHITE = "WHITE"
    BLACK = "BLACK"
    SIZE = "SIZE"
    UNCHANGED = "UNCHANGED"


@dataclass(frozen=True, slots=True)
class Hint:
    """One oddity, in words with its number."""

    kind: Odd
    words: str


@dataclass(frozen=True, slots=True)
class Glance:
    """What hints need of a picture. size: width and height in pixels; small: 64×64 float32, grey levels less their mean."""

    size: tuple[int, int]
    fitness: Fitness
    small: Floats


def glance(pixels: Pixels) -> Glance:
    """H×W×3 uint8 BGR to its numbers.

    Sharpness is the variance of the Laplacian (Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy: a
    comparative study"). A pixel is clipped to white when one of its channels is 255, to black when all are 0.
    """
    look = look_at(pixels)
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    blue, green, red = cv2.split(pixels)
    highest = cv2.max(cv2.max(blue, green), red)
    small = cv2.resize(grey, (4 * _SMALL, 4 * _SMALL), interpolation=cv2.INTER_AREA)
    # From whole grey levels straight to 64×64, rounding would be half of what `_UNCHANGED` looks for.
    small = cv2.resize(small.astype(np.float32), (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    # 16 bits hold the Laplacian of 8, from -1020 to 1020.
    spread = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1].item()
    fitness = Fitness(
        brightness=round(look.brightness, 2),
        contrast=round(look.contrast, 2),
        sharpness=round(spread**2, 2),
        white=round(cv2.countNonZero(cv2.inRange(highest, 255, 255)) / grey.size, 4),
        black=round(1 - cv2.countNonZero(highest) / grey.size, 4),
    )
    return Glance((look.width, look.height), fitness, np.asarray(small - small.mean(), np.float32))


def no_part(seen: Glance) -> tuple[Reason, str] | None:
    """Why a picture cannot show a part, as the device would call it: one flat tone. None if it may."""
    flat, level = seen.fitness.contrast, seen.fitness.brightness
    if flat >= _FLAT:
        return None
    if level < _DARK:
        return Reason.TOO_DARK, f"one dark tone (brightness {level:.0f}, contrast {flat:.1f}); is the lens covered?"
    if level > _BRIGHT:
        return Reason.TOO_BRIGHT, f"one bright tone (brightness {level:.0f}, contrast {flat:.1f}); shorten the exposure"
    return Reason.NO_CONTRAST, f"one flat tone (brightness {level:.0f}, contrast {flat:.1f}); is anything in view?"


def hints(
    seen: Glance, so_far: Sequence[Fitness], sizes: Collection[tuple[int, int]], last: Glance | None
) -> tuple[Hint, ...]:
    """What is odd about a picture beside those so far, their sizes, and the last one."""
    found = [_size(seen, sizes), _unchanged(seen, last), *_clipped(seen.fitness, so_far)]
    if len(so_far) >= _ENOUGH:
        found += [_blurred(seen.fitness, so_far), _brightness(seen.fitness, so_far), _flatter(seen.fitness, so_far)]
    return tuple(hint for hint in found if hint)


def _size(seen: Glance, sizes: Collection[tuple[int, int]]) -> Hint | None:
    if not sizes or seen.size in sizes:
        return None
    before = ", ".join(f"{width}×{height}" for width, height in sorted(sizes))
    return Hint(Odd.SIZE, f"another size than before: {seen.size[0]}×{seen.size[1]} instead of {before}")


def _unchanged(seen: Glance, last: Glance | None) -> Hint | None:
    if last is None or seen.size != last.size or float((seen.small - last.small).std()) >= _UNCHANGED:
        return None
    return Hint(Odd.UNCHANGED, "nothing has changed since the last picture: is it the same part?")


def _clipped(look: Fitness, so_far: Sequence[Fitness]) -> list[Hint | None]:
    white_before, black_before = _median([f.white for f in so_far]), _median([f.black for f in so_far])
    white = Hint(Odd.WHITE, f"{look.white * 100:.0f} % is pure white: shorten the exposure or dim the light")
    black = Hint(Odd.BLACK, f"{look.black * 100:.0f} % is pure black: lengthen the exposure or add light")
    return [
        white if look.white > max(_WHITE, white_before + _MORE) else None,
        black if look.black > max(_BLACK, black_before + _MORE) else None,
    ]


def _blurred(look: Fitness, so_far: Sequence[Fitness]) -> Hint | None:
    usual = _median([f.sharpness for f in so_far])
    if look.sharpness >= _SHARPER * usual:
        return None
    return Hint(Odd.BLURRED, f"only {look.sharpness / usual * 100:.0f} % as sharp as the others: focus, dirt or movement?")


def _brightness(look: Fitness, so_far: Sequence[Fitness]) -> Hint | None:
    usual = _median([f.brightness for f in so_far])
    words = f"brightness {look.brightness:.0f}, the others had {usual:.0f}: has the light or the exposure changed?"
    if look.brightness < _LIGHTER * usual:
        return Hint(Odd.DARKER, words)
    return Hint(Odd.BRIGHTER, words) if look.brightness > usual / _LIGHTER else None


def _flatter(look: Fitness, so_far: Sequence[Fitness]) -> Hint | None:
    usual = _median([f.contrast for f in so_far])
    if look.contrast >= _CONTRASTIER * usual:
        return None
    return Hint(Odd.FLATTER, f"contrast {look.contrast:.0f}, the others had {usual:.0f}: stray light, or no part in view?")


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else 0.0
