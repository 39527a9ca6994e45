"""Score and map become a verdict: threshold, and boxes for people and MES."""

import math

import cv2
import numpy as np

from edge.inspect.geometry import to_box
from edge.types import AnomalyMap, Decision, Reason, Region, Score, Verdict

MAX_REGIONS = 20
"""A message stays small when the whole part is strange; the highest peaks are kept."""


def judge(
    score: Score, heat: AnomalyMap, threshold: float, width: int, height: int, doubtful_above: float | None = None
) -> Verdict:
    """Compare with the threshold; `width` and `height` are the picture's, in pixels, for the boxes.

    A score equal to the threshold is not rejected: the guarantee counts parts *above* it. Scores above
    `doubtful_above` and up to the threshold are for a person to decide.
    """
    if not math.isfinite(score.value):
        return Verdict.not_decidable(Reason.NOT_FINITE, f"the score is {score.value}; encoder or picture is broken")
    doubtful = threshold if doubtful_above is None else doubtful_above
    if score.value <= doubtful:
        return Verdict(Decision.OK, Reason.WITHIN_THRESHOLD, score=score, heat=heat)
    regions = find_regions(heat, doubtful, width, height)
    if score.value <= threshold:
        detail = f"the score lies in the gray zone, {doubtful:.4g} to {threshold:.4g}; look at the part"
        return Verdict(Decision.NOT_DECIDABLE, Reason.GRAY_ZONE, detail, score, regions, heat)
    return Verdict(Decision.NOK, Reason.ABOVE_THRESHOLD, score=score, regions=regions, heat=heat)


def find_regions(heat: AnomalyMap, level: float, width: int, height: int) -> tuple[Region, ...]:
    """Boxes in pixels around connected places whose z is above `level`, highest peak first.

    A score is at most the highest z, so a part that scores above the level always has a region.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((heat.z > level).astype(np.uint8), connectivity=8)
    regions = []
    for label in range(1, count):
        left, top, across, down = (int(v) for v in stats[label, : cv2.CC_STAT_HEIGHT + 1])
        box = to_box(heat.to_picture, left, top, left + across, top + down, width, height)
        peak = int(np.where(labels == label, heat.z, -np.inf).argmax())
        regions.append(Region(*box, float(heat.z.flat[peak]), int(heat.nearest.flat[peak])))
    return tuple(sorted(regions, key=lambda r: -r.peak)[:MAX_REGIONS])
