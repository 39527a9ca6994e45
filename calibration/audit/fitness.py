"""Goods that are no fit pictures: of another size or colour, dark, bright, flat or blurred, all against the other goods."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.audit.robust import deviations
from calibration.audit.seen import Seen, Unreadable
from calibration.goods import Good
from calibration.limits import GREY_CHROMA
from edge.types import Doubles

_MOST = 0.9
"""When this share of the pictures agrees in size or in being grey, the others are wrong; else goods differ by nature."""

_FAR, _STEP = 6.0, 25.0
"""Deviations (see `robust`) and grey levels by which brightness must differ. Of good tiles none is beyond 3.4."""

_FLAT_SHARE = 0.25
_BURNT_STEP = 0.1
"""Share of the picture that must be white beyond what is white in the median picture."""

_BLUR_FAR, _BLUR_FLOOR = 4.0, 0.02
"""Of the logarithm of sharpness. No good cell, tile or cookie lies so low; half of the cells, and all tiles and cookies, do
when they are blurred by 2 to 3 pixels."""

_BATCH = 0.05
"""Share of the pictures beyond which those that are less sharp are a batch of other parts, as of cells from another furnace,
and no accidents of focus: one looks at them on the page's chart of light, and decides."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A picture that should not teach. kind: one word, for `--json`; detail: why, to be read after the file's name."""

    good: Good
    kind: str
    detail: str


def misfits(seen: Sequence[Seen], unreadable: Sequence[Unreadable]) -> dict[int, Misfit]:
    """The first reason against each picture, by its number in `seen`; files that cannot be read have negative numbers."""
    found = {-1 - i: Misfit(one.good, "unreadable", one.detail) for i, one in enumerate(unreadable)}
    for check in (_size, _colour, _light, _contrast, _blur) if seen else ():
        for number, (kind, detail) in check(seen).items():
            found.setdefault(number, Misfit(seen[number].good, kind, detail))
    return found


_Found = dict[int, tuple[str, str]]


def _size(seen: Sequence[Seen]) -> _Found:
    sizes = [(one.look.width, one.look.height) for one in seen]
    (usual, count), *_ = Counter(sizes).most_common(1)
    if count < _MOST * len(sizes):
        return {}
    text = f"{usual[0]}×{usual[1]}"
    return {i: ("size", f"{w}×{h} pixels; the others have {text}") for i, (w, h) in enumerate(sizes) if (w, h) != usual}


def _colour(seen: Sequence[Seen]) -> _Found:
    grey = np.array([one.look.chroma <= GREY_CHROMA for one in seen])
    if grey.mean() >= _MOST:
        return {int(i): ("colour", "has colour; the others are grey") for i in np.flatnonzero(~grey)}
    if grey.mean() <= 1 - _MOST:
        return {int(i): ("colour", "is grey; the others have colour") for i in np.flatnonzero(grey)}
    return {}


def _light(seen: Sequence[Seen]) -> _Found:
    brightness = np.array([one.look.brightness for one in seen])
    burnt = np.array([one.burnt for one in seen])
    far, usual = deviations(brightness, _STEP / _FAR), float(np.median(brightness))
    found: _Found = {}
    for i in np.flatnonzero(np.abs(far) > _FAR):
        kind, word = ("dark", "darker") if far[i] < 0 else ("bright", "brighter")
        found[int(i)] = (kind, f"far {word} than the others: mean {brightness[i]:.0f} instead of {usual:.0f} grey levels")
    for i in np.flatnonzero(burnt > np.median(burnt) + _BURNT_STEP):
        if deviations(burnt, _BURNT_STEP / _FAR)[i] > _FAR:
            found[int(i)] = (
                "overexposed",
                f"over-exposed: {burnt[i]:.0%} is white, of the median picture {np.median(burnt):.0%}",
            )
    return found


def _contrast(seen: Sequence[Seen]) -> _Found:
    contrast = np.array([one.look.contrast for one in seen])
    usual = float(np.median(contrast))
    flat = np.flatnonzero(contrast < _FLAT_SHARE * usual)
    return {int(i): ("flat", f"hardly any contrast: {contrast[i]:.1f} instead of {usual:.1f} grey levels") for i in flat}


def _blur(seen: Sequence[Seen]) -> _Found:
    sharpness: Doubles = np.array([one.sharpness for one in seen])
    far = deviations(np.log(np.maximum(sharpness, 1e-4)), _BLUR_FLOOR)
    usual = float(np.median(sharpness))
    low = np.flatnonzero(far < -_BLUR_FAR)
    if len(low) > _BATCH * len(seen):
        return {}
    words = "blurred: sharpness {:.2f}, of the median picture {:.2f}"
    return {int(i): ("blurred", words.format(sharpness[i], usual)) for i in low}
