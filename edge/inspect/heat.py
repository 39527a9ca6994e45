"""An anomaly map laid over its picture."""

import cv2
import numpy as np

from edge.inspect.geometry import apply, corners, for_opencv, scaling
from edge.types import AnomalyMap, Floats

_HAIR = 1e-6


def spread(heat: AnomalyMap, picture: tuple[int, int], size: tuple[int, int]) -> Floats:
    """The map over the whole picture, interpolated; where the picture was not looked at, 0 or the lowest value of the map.

    Args:
        heat: the map.
        picture: height and width of the picture it is of, in pixels.
        size: height and width of the answer, float32: the picture's own or another scale.
    """
    height, width = size
    transform = scaling(width / picture[1], height / picture[0]) @ heat.to_picture
    warped = cv2.warpPerspective(
        heat.z, for_opencv(np.asarray(transform)), (width, height), None, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    )
    seen = np.zeros((height, width), np.uint8)
    outline = apply(np.asarray(transform), corners(0, 0, heat.z.shape[1], heat.z.shape[0]))
    # A hair inwards, so that a pixel whose centre is on the outside of the rim is not seen.
    outline += (outline.mean(axis=0) - outline) * _HAIR
    cv2.fillConvexPoly(seen, (outline - 0.5).round().astype(np.int32), 1)
    return np.where(seen, np.asarray(warped, np.float32), min(heat.z.min(), np.float32(0)))
