"""Score and map become a verdict: threshold, and boxes for people and MES."""

import math

import cv2
import numpy as np

from edge.inspect.geometry import to_box
from edge.types import AnomalyMap, Decision, Reason, Region, Score, Verdict

MAX_REGIONS = 20
"""A message stays small when the whole part is strange; the highest peaks are kept."""


def judge(score: Score, heat: AnomalyMap, threshold: float, width: int, height: int) -> Verdict:
    """Compare with the threshold; `width` and `height` are the picture's, in pixels, for the boxes.

    A score equal to the threshold is OK: the guarantee counts parts *above* it as rejected.
    """
    if not math.isfinite(score.value):
        return Verdict.not_decidable(Reason.NOT_FINITE, f"the score is {score.value}; encoder or picture is broken")
    if score.value <= threshold:
        return Verdict(Decision.OK, Reason.WITHIN_THRESHOLD, score=score, heat=heat)
    regions = find_regions(heat, threshold, width, height)
    return Verdict(Decision.NOK, Reason.ABOVE_THRESHOLD, score=score, regions=regions, heat=heat)


def find_regions(heat: AnomalyMap, threshold: float, width: int, height: int) -> tuple[Region, ...]:
    """Boxes in pixels around connected places whose z is above the threshold, highest peak first.

    A score is at most the highest z, so a rejected part always has a region.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((heat.z > threshold).astype(np.uint8), connectivity=8)
    regions = []
    for label in range(1, count):
        left, top, across, down = (int(v) for v in stats[label, : cv2.CC_STAT_HEIGHT + 1])
        box = to_box(heat.to_picture, left, top, left + across, top + down, width, height)
        peak = int(np.where(labels == label, heat.z, -np.inf).argmax())
        regions.append(Region(*box, float(heat.z.flat[peak]), int(heat.nearest.flat[peak])))
    return tuple(sorted(regions, key=lambda r: -r.peak)[:MAX_REGIONS])
