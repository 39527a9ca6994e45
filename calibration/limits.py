"""Limits for a picture's fitness, learned from how the goods look."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.capture.fitness import FitnessLimits, Look

_SIZE_MARGIN = 1.25
"""Where goods differ in size, others may be this much larger or smaller; where they agree, none may."""

GREY_CHROMA = 2.0
"""Goods below this are grey: a grey file has 0, JPEG compression adds less than 2."""

_CHROMA_MARGIN = 6.0
_COLOUR_SHARE = 0.25
_CONTRAST_SHARE = 0.25

_SHARPNESS_MARGIN = 1.25
"""Measured on solar cells, magnetic tiles and cookies: no good picture that was not learned from lies below the least sharp
one by that factor, and copies blurred as if seen by a lens out of focus do (see `tests/bench/blur.py`)."""

_FAR_OUT = 3.0
"""Interquartile ranges below the first quartile: Tukey's outer fence ("Exploratory Data Analysis", 1977). A good that is
itself blurred must not set the limit."""

_WHITE_QUANTILE, _WHITE_FACTOR, _WHITE_MARGIN = 0.95, 2.0, 0.05
"""Twice the white that 95 % of goods stay below, and a twentieth of the picture more: less glare hides little."""


def learn_limits(looks: Sequence[Look]) -> FitnessLimits:
    """Limits wide enough for any good part and most defects, and tight enough for a lens cap or another camera.

    Brightness may fall to half of the darkest good, or rise half of the way from the brightest good to white.
    """
    chroma_low, chroma_high = min(k.chroma for k in looks), max(k.chroma for k in looks)
    width_min, width_max = _span([k.width for k in looks])
    height_min, height_max = _span([k.height for k in looks])
    brightest = max(k.brightness for k in looks)
    return FitnessLimits(
        width_min=width_min,
        width_max=width_max,
        height_min=height_min,
        height_max=height_max,
        brightness_min=min(k.brightness for k in looks) / 2,
        brightness_max=(brightest + 255) / 2,
        contrast_min=min(k.contrast for k in looks) * _CONTRAST_SHARE,
        chroma_min=chroma_low * _COLOUR_SHARE if chroma_low > GREY_CHROMA else 0.0,
        chroma_max=chroma_high + _CHROMA_MARGIN if chroma_high <= GREY_CHROMA else 255.0,
        sharpness_min=_least_sharp(np.array([k.sharpness for k in looks])) / _SHARPNESS_MARGIN,
        white_max=_most_white(np.array([k.white for k in looks])),
    )


def _least_sharp(sharpness: NDArray[np.float64]) -> float:
    """The lowest that is not far out; by logarithm, since blur divides."""
    logs = np.log(np.maximum(sharpness, 1e-6))
    low, high = np.quantile(logs, [0.25, 0.75])
    return float(np.exp(logs[logs >= low - _FAR_OUT * (high - low)].min()))


def _most_white(white: NDArray[np.float64]) -> float:
    return float(min(1.0, _WHITE_FACTOR * np.quantile(white, _WHITE_QUANTILE) + _WHITE_MARGIN))


def _span(sizes: list[int]) -> tuple[int, int]:
    low, high = min(sizes), max(sizes)
    return (low, high) if low == high else (int(low / _SIZE_MARGIN), round(high * _SIZE_MARGIN))
