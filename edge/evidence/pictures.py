"""Pixels become files: the picture as it was judged without any loss, and one for people."""

import cv2
import numpy as np

from edge.report.overlay import overlay
from edge.types import Pixels, Verdict

_JPEG_QUALITY = 85
"""Of the overlay, which only people look at."""

_LONGEST = 1280
"""Of the overlay, in pixels: drawn on 5 megapixels it would hold up the result for a quarter of a second."""


def raw_file(pixels: Pixels) -> bytes:
    """PNG of H×W×3 uint8 BGR: judged again by the same recipe, it gives the same score to the last digit.

    A grey picture, its three channels equal, takes one channel and a third of the room.
    """
    blue, green, red = cv2.split(pixels)
    grey = np.array_equal(blue, green) and np.array_equal(blue, red)
    return cv2.imencode(".png", blue if grey else pixels)[1].tobytes()


def overlay_file(pixels: Pixels, verdict: Verdict, threshold: float) -> bytes:
    """JPEG of the picture with heat, boxes and the verdict in words."""
    drawn = overlay(pixels, verdict, threshold, _LONGEST)
    return cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
