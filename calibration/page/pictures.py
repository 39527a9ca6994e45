"""Pictures small enough for a page."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge.types import Pixels

LONGER_SIDE = 480
_JPEG_QUALITY = 82


def jpeg(pixels: Pixels, longer_side: int = LONGER_SIDE) -> bytes:
    """A JPEG of at most `longer_side` pixels a side; small pictures stay as they are."""
    height, width = pixels.shape[:2]
    share = longer_side / max(height, width)
    if share < 1:
        size = max(1, round(width * share)), max(1, round(height * share))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def side_by_side(pictures: Sequence[Pixels]) -> Pixels:
    """Pictures brought to one height, next to each other, H×W×3 uint8 BGR."""
    height = min(picture.shape[0] for picture in pictures)
    widths = [max(1, round(picture.shape[1] * height / picture.shape[0])) for picture in pictures]
    resized = [
        cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        for picture, width in zip(pictures, widths, strict=True)
    ]
    return np.asarray(np.hstack(resized), np.uint8)
