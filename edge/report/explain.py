"""Each region of a verdict beside the good part that comes nearest to it."""

import cv2
import numpy as np

from edge.recipe.recipe import Recipe
from edge.types import Pixels, Region, Verdict

_SIDE = 240
_AROUND = 0.5
"""Of the region's longer side: what is shown around it."""

_MOST = 5
_GAP = 6
_MARK = (40, 40, 210)
_INK = (40, 40, 40)
_BAR = 22


def explained(pixels: Pixels, verdict: Verdict, recipe: Recipe) -> Pixels | None:
    """The regions with the highest peaks, one below the other; None where there is none."""
    rows = [_pair(pixels, region, recipe) for region in verdict.regions[:_MOST]]
    return np.asarray(np.vstack(rows), np.uint8) if rows else None


def _pair(pixels: Pixels, region: Region, recipe: Recipe) -> Pixels:
    good = recipe.good_patch(region.nearest)
    # The recipe has no picture of a part that was taught.
    seen = np.full((_SIDE, _SIDE, 3), 200, np.uint8) if good.number is None else recipe.thumbnail(good.number)
    height, width = seen.shape[:2]
    down, across = height / recipe.eye.rows, width / recipe.eye.cols
    place = (good.col * across, good.row * down, (good.col + 1) * across, (good.row + 1) * down)
    here = (region.x, region.y, region.x + region.width, region.y + region.height)
    pair = np.hstack([_panel(_around(pixels, here), "here"), _panel(_marked(seen, place), f"nearest good: {good.picture}")])
    return np.asarray(np.pad(pair, ((0, _GAP), (0, 0), (0, 0)), constant_values=255), np.uint8)


def _around(pixels: Pixels, box: tuple[int, int, int, int]) -> Pixels:
    x0, y0, x1, y1 = box
    more = round(max(x1 - x0, y1 - y0) * _AROUND)
    left, top = max(0, x0 - more), max(0, y0 - more)
    cut = pixels[top : y1 + more, left : x1 + more]
    return _marked(cut, (x0 - left, y0 - top, x1 - left, y1 - top))


def _marked(pixels: Pixels, box: tuple[float, float, float, float]) -> Pixels:
    """Enlarged or shrunk to the panel, with a box."""
    share = _SIDE / max(pixels.shape[:2])
    size = max(1, round(pixels.shape[1] * share)), max(1, round(pixels.shape[0] * share))
    picture = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR), np.uint8)
    x0, y0, x1, y1 = (round(v * share) for v in box)
    cv2.rectangle(picture, (x0, y0), (x1, y1), _MARK, 1)
    return picture


def _panel(picture: Pixels, words: str) -> Pixels:
    panel = np.full((_SIDE + _BAR, _SIDE + _GAP, 3), 255, np.uint8)
    panel[_BAR : _BAR + picture.shape[0], : picture.shape[1]] = picture
    # OpenCV's font has no more than ASCII.
    cv2.putText(
        panel, words.encode("ascii", "replace").decode(), (2, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.4, _INK, 1, cv2.LINE_AA
    )
    return panel
