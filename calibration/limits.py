"""Limits for a picture's fitness, learned from how the goods look."""

from collections.abc import Sequence

from edge.capture.fitness import FitnessLimits, Look

_SIZE_MARGIN = 1.25
"""Where goods differ in size, others may be this much larger or smaller; where they agree, none may."""

GREY_CHROMA = 2.0
"""Goods below this are grey: a grey file has 0, JPEG compression adds less than 2."""

_CHROMA_MARGIN = 6.0
_COLOUR_SHARE = 0.25
_CONTRAST_SHARE = 0.25


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
    )


def _span(sizes: list[int]) -> tuple[int, int]:
    low, high = min(sizes), max(sizes)
    return (low, high) if low == high else (int(low / _SIZE_MARGIN), round(high * _SIZE_MARGIN))
