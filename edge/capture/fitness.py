"""Is this picture fit to be judged? Limits are learned from the good parts when the recipe is built."""

from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from edge.strict import Strict
from edge.types import Pixels, Reason

_STEP = 4
"""Brightness and colour are read from every fourth pixel of every fourth row: a sixteenth of the cost, the same answer."""

_WHITE = 255

_SHARP_SIDE, _LEAST_FACTOR = 320, 2
"""Sharpness is told of the picture reduced to 320 to 640 pixels on its longer side and then averaged 2×2. Blur that is gone
then hardly reaches the encoder, and averaging takes away much of the sensor's noise, which would pass for sharpness."""

_MEAN_OF_CHANNELS = np.full((1, 3), 1 / 3, np.float32)


class FitnessLimits(Strict):
    """What a picture must look like to be comparable with the goods. All bounds belong to the allowed range.

    Sizes in pixels; brightness, contrast (standard deviation) and chroma in grey levels 0 to 255; sharpness and white as in
    `Look`. The last two are None, and not looked at, in recipes built before they were learned.
    """

    width_min: int = Field(ge=1)
    width_max: int = Field(ge=1)
    height_min: int = Field(ge=1)
    height_max: int = Field(ge=1)
    brightness_min: float = Field(ge=0, le=255)
    brightness_max: float = Field(ge=0, le=255)
    contrast_min: float = Field(ge=0, le=255)
    chroma_min: float = Field(ge=0, le=255)
    chroma_max: float = Field(ge=0, le=255)
    sharpness_min: Annotated[float, Field(ge=0)] | None = None
    white_max: Annotated[float, Field(ge=0, le=1)] | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """The few numbers by which a picture's fitness is told; units as in `FitnessLimits`.

    sharpness: see `sharpness_of`; white: share of pixels with a channel at 255.
    """

    width: int
    height: int
    brightness: float
    contrast: float
    chroma: float
    sharpness: float
    white: float


def look_at(pixels: Pixels) -> Look:
    """H×W×3 uint8 BGR to its Look. Chroma is the mean spread between a pixel's highest and lowest channel."""
    sample = np.ascontiguousarray(pixels[::_STEP, ::_STEP])
    mean, deviation = cv2.meanStdDev(cv2.transform(sample.astype(np.float32), _MEAN_OF_CHANNELS))
    blue, green, red = cv2.split(sample)
    highest = cv2.max(cv2.max(blue, green), red)
    spread = cv2.subtract(highest, cv2.min(cv2.min(blue, green), red))
    return Look(
        width=pixels.shape[1],
        height=pixels.shape[0],
        brightness=mean.item(),
        contrast=deviation.item(),
        chroma=cv2.mean(spread)[0],
        sharpness=sharpness_of(pixels),
        white=cv2.countNonZero(cv2.inRange(highest, _WHITE, _WHITE)) / highest.size,
    )


def sharpness_of(pixels: Pixels) -> float:
    """Standard deviation of the Laplacian of the green channel, reduced, as a share of its mean brightness.

    The Laplacian's variance falls with blur more steeply than other measures (Pech-Pacheco et al. 2000, "Diatom autofocusing
    in brightfield microscopy: a comparative study"); as a share of brightness it does not change with exposure. As a share
    of contrast it would call parts with large dark defects blurred.
    """
    # Of a large picture every step-th pixel is enough: reading all of them would cost as much as the encoder.
    step = max(1, max(pixels.shape[:2]) // (_LEAST_FACTOR * _SHARP_SIDE))
    green = np.ascontiguousarray(pixels[::step, ::step, 1])
    height, width = green.shape
    size = max(1, width // _LEAST_FACTOR), max(1, height // _LEAST_FACTOR)
    small = cv2.resize(green, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    brightness = cv2.mean(small)[0]
    return cv2.meanStdDev(cv2.Laplacian(small, cv2.CV_32F))[1].item() / brightness if brightness else 0.0


def unfit(look: Look, limits: FitnessLimits) -> tuple[Reason, str] | None:  # noqa: PLR0911 - one return a reason
    """The first reason why a picture cannot be compared with the goods, and its words; None if it can."""
    if not (limits.width_min <= look.width <= limits.width_max and limits.height_min <= look.height <= limits.height_max):
        wanted = f"{_span(limits.width_min, limits.width_max)}×{_span(limits.height_min, limits.height_max)}"
        return Reason.WRONG_SIZE, f"the picture is {look.width}×{look.height} pixels, the goods were {wanted}"
    if look.brightness < limits.brightness_min:
        return Reason.TOO_DARK, f"mean brightness {look.brightness:.1f} is below {limits.brightness_min:.1f}"
    if look.brightness > limits.brightness_max:
        return Reason.TOO_BRIGHT, f"mean brightness {look.brightness:.1f} is above {limits.brightness_max:.1f}"
    if look.chroma < limits.chroma_min:
        return Reason.WRONG_COLOUR, f"the picture is grey (chroma {look.chroma:.1f}), the goods have colour"
    if look.chroma > limits.chroma_max:
        return Reason.WRONG_COLOUR, f"the picture has colour (chroma {look.chroma:.1f}), the goods are grey"
    if look.contrast < limits.contrast_min:
        return Reason.NO_CONTRAST, f"contrast {look.contrast:.1f} is below {limits.contrast_min:.1f}"
    if limits.white_max is not None and look.white > limits.white_max:
        return Reason.OVER_EXPOSED, f"{look.white:.1%} is pure white, above {limits.white_max:.1%}"
    if limits.sharpness_min is not None and look.sharpness < limits.sharpness_min:
        return Reason.TOO_BLURRED, f"sharpness {look.sharpness:.3f} is below {limits.sharpness_min:.3f}"
    return None


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"({low} to {high})"
