"""Small copies of the good pictures in a bank, so that a verdict can show the good part nearest to a defect."""

import io

import cv2
import numpy as np

from edge.inspect.encoder import fit_size
from edge.types import Pixels

LONGER_SIDE = 128
_JPEG_QUALITY = 85


def thumbnail(pixels: Pixels) -> bytes:
    """A JPEG whose longer side has at most `LONGER_SIDE` pixels."""
    share = min(1.0, LONGER_SIDE / max(pixels.shape[:2]))
    height, width = (max(1, round(side * share)) for side in pixels.shape[:2])
    return cv2.imencode(".jpg", fit_size(pixels, height, width), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def packed(thumbnails: list[bytes]) -> bytes:
    """All in one .npz, each under the number of its picture."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{str(n): np.frombuffer(raw, np.uint8) for n, raw in enumerate(thumbnails)})
    return buffer.getvalue()
