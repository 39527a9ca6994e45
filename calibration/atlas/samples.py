"""What FiftyOne is told of a picture, as plain records: it needs no FiftyOne to make or to test them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.atlas.folders import Grouped
from calibration.atlas.gather import sights
from calibration.evaluate.folders import truth_of
from calibration.progress import Steps
from calibration.sight import Sight
from edge.inspect.heat import spread
from edge.recipe.recipe import Recipe
from edge.types import Decision, Floats, Reason, Region

HEAT_SIDE = 160
"""Pixels of a heat map's longer side; its places are coarser, and FiftyOne enlarges it over the picture."""


@dataclass(frozen=True, slots=True)
class RelativeBox:
    """A region as shares of the picture's width and height, 0 to 1, and its highest z."""

    x: float
    y: float
    width: float
    height: float
    peak: float


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """One picture. path: absolute, as FiftyOne wants it.

    score is None where nothing was measured, and so are heat (H×W float32, z) and embedding (D float32); truth: the mask of
    the defect that people drew, H×W uint8 0 or 1, None without one.
    """

    path: Path
    group: str
    kind: str
    decision: Decision
    reason: Reason
    detail: str
    score: float | None
    threshold: float
    boxes: tuple[RelativeBox, ...]
    heat: Floats | None
    embedding: Floats | None
    truth: NDArray[np.uint8] | None


def records(recipe: Recipe, pictures: Sequence[Grouped], steps: Steps) -> Iterator[SampleRecord]:
    """Judge picture after picture as the device would, those that cannot be read among them.

    Raises:
        BadPicture: a mask cannot be read.
    """
    for picture, sight in sights(recipe, pictures, steps):
        yield record(picture, sight, recipe.manifest.threshold)


def record(picture: Grouped, sight: Sight, threshold: float) -> SampleRecord:
    """One picture's record."""
    verdict = sight.verdict
    drawn = truth_of(picture.path, picture.kind, picture.test_set) if picture.test_set else None
    return SampleRecord(
        path=picture.path.resolve(),
        group=picture.group,
        kind=picture.kind,
        decision=verdict.decision,
        reason=verdict.reason,
        detail=verdict.detail,
        score=sight.score if math.isfinite(sight.score) else None,
        threshold=threshold,
        boxes=relative(verdict.regions, sight),
        heat=_heat(sight),
        embedding=sight.embedding,
        truth=None if drawn is None else (drawn > 0).astype(np.uint8),
    )


def relative(regions: Sequence[Region], sight: Sight) -> tuple[RelativeBox, ...]:
    """Boxes in pixels as shares of the picture."""
    if sight.pixels is None:
        return ()
    height, width = sight.pixels.shape[:2]
    return tuple(RelativeBox(r.x / width, r.y / height, r.width / width, r.height / height, r.peak) for r in regions)


def _heat(sight: Sight) -> Floats | None:
    if sight.pixels is None or sight.heat is None or not np.isfinite(sight.heat.z).all():
        return None
    height, width = sight.pixels.shape[:2]
    share = min(1.0, HEAT_SIDE / max(height, width))
    return spread(sight.heat, (height, width), (max(1, round(height * share)), max(1, round(width * share))))
