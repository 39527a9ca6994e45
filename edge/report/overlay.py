"""A picture for people: the part, the heat of its anomaly map, boxes around the defects, and the verdict in words."""

import cv2
import numpy as np

from edge.inspect.heat import spread
from edge.types import Decision, Pixels, Verdict

COLOURS = {Decision.OK: (80, 160, 40), Decision.NOK: (40, 40, 210), Decision.NOT_DECIDABLE: (0, 150, 220)}
"""BGR: green, red, amber."""

_MIN_WIDTH = 320
_BAR = 28
_MOST_OPAQUE = 0.6
_WHITE = (255, 255, 255)


def tint(pixels: Pixels, verdict: Verdict, threshold: float, picture: tuple[int, int] | None = None) -> Pixels:
    """The picture with warm colours where it is strange, H×W×3 uint8 BGR.

    Nothing is tinted below half the threshold; the colour is yellow at the threshold and dark red at twice that. picture:
    height and width of the picture that was judged, if `pixels` is a copy of another size.
    """
    if verdict.heat is None:
        return pixels
    size = pixels.shape[0], pixels.shape[1]
    grown = spread(verdict.heat, picture or size, size) / max(threshold, 1e-6)
    levels = (np.clip(0.35 + 0.3 * grown, 0, 1) * 255).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)
    opacity = np.clip(grown - 0.5, 0, _MOST_OPAQUE).astype(np.float32)
    return np.asarray(cv2.blendLinear(np.ascontiguousarray(pixels), colours, 1 - opacity, opacity), np.uint8)


def marked(pixels: Pixels, verdict: Verdict, threshold: float, longest: int | None = None) -> Pixels:
    """The tinted picture with boxes around the defects.

    Small ones are enlarged to be readable; larger ones are shrunk until their longer side has `longest` pixels.
    """
    height, width = pixels.shape[:2]
    longer = max(height, width)
    scale = longest / longer if longest and longer > longest else max(1, -(-_MIN_WIDTH // width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    picture = tint(np.asarray(resized, np.uint8), verdict, threshold, (height, width)).copy()
    for region in verdict.regions:
        corner = (round(region.x * scale), round(region.y * scale))
        opposite = (round((region.x + region.width) * scale) - 1, round((region.y + region.height) * scale) - 1)
        cv2.rectangle(picture, corner, opposite, COLOURS[verdict.decision], 2)
    return picture


def overlay(pixels: Pixels, verdict: Verdict, threshold: float, longest: int | None = None) -> Pixels:
    """What `marked` draws, below a bar of words."""
    picture = marked(pixels, verdict, threshold, longest)
    bar = np.full((_BAR, picture.shape[1], 3), COLOURS[verdict.decision], np.uint8)
    cv2.putText(bar, caption(verdict, threshold), (8, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _WHITE, 1, cv2.LINE_AA)
    return np.asarray(np.vstack([bar, picture]), np.uint8)


def caption(verdict: Verdict, threshold: float) -> str:
    """The verdict on one line, ASCII for OpenCV's font."""
    if verdict.score is None:
        return f"{verdict.decision} {verdict.reason}"
    return f"{verdict.decision}  {verdict.score.value:.2f} / {threshold:.2f}"
