"""Is this picture fit to be judged? Limits are learned from the good parts when the recipe is built."""

from dataclasses import dataclass

import cv2
import numpy as np
from pydantic import Field

from edge.strict import Strict
from edge.types import Pixels, Reason

_STEP = 4
"""Brightness and colour are read from every fourth pixel of every fourth row: a sixteenth of the cost, the same answer."""

_MEAN_OF_CHANNELS = np.full((1, 3), 1 / 3, np.float32)


class FitnessLimits(Strict):
    """What a picture must look like to be comparable with the goods. All bounds belong to the allowed range.

    Sizes in pixels; brightness, contrast (standard deviation) and chroma in grey levels 0 to 255.
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


@dataclass(frozen=True, slots=True)
class Look:
    """The few numbers by which a picture's fitness is told; units as in `FitnessLimits`."""

    width: int
    height: int
    brightness: float
    contrast: float
    chroma: float


def look_at(pixels: Pixels) -> Look:
    """H×W×3 uint8 BGR to its Look. Chroma is the mean spread between a pixel's highest and lowest channel."""
    sample = np.ascontiguousarray(pixels[::_STEP, ::_STEP])
    mean, deviation = cv2.meanStdDev(cv2.transform(sample.astype(np.float32), _MEAN_OF_CHANNELS))
    blue, green, red = cv2.split(sample)
    spread = cv2.subtract(cv2.max(cv2.max(blue, green), red), cv2.min(cv2.min(blue, green), red))
    return Look(pixels.shape[1], pixels.shape[0], mean.item(), deviation.item(), cv2.mean(spread)[0])


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
    return None


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"({low} to {high})"
