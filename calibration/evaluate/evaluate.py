"""A recipe judges labelled pictures: rankings, false rejects and escapes with their uncertainty, the worst parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from calibration.evaluate.folders import GOOD, kinds_in, truth_at
from calibration.evaluate.pixels import PixelRanking
from calibration.progress import Steps
from calibration.rates import Rate
from calibration.sight import Sight, see
from edge.capture.pictures import list_pictures
from edge.inspect.heat import spread
from edge.recipe.recipe import Recipe
from edge.types import Decision, Reason


@dataclass(frozen=True, slots=True)
class Judged:
    """One test picture. score is NaN when it could not be measured; it may be there where the picture is not fit."""

    path: Path
    kind: str
    decision: Decision
    reason: Reason
    score: float

    @property
    def by_score(self) -> bool:
        """Whether the threshold decided, and not that the picture is unfit."""
        return self.reason in (Reason.WITHIN_THRESHOLD, Reason.GRAY_ZONE, Reason.ABOVE_THRESHOLD)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a labelled test showed. AUROCs and AUPRO are None where a class is missing or no mask is there."""

    image_auroc: float | None
    pixel_auroc: float | None
    aupro: float | None
    false_reject: Rate | None
    escape: Rate | None
    escape_by_kind: dict[str, Rate]
    not_decidable: int
    judged: tuple[Judged, ...] = field(repr=False)


def evaluate(recipe: Recipe, folder: Path, steps: Steps) -> Evaluation:
    """Judge every picture below `folder`, exactly as the device would.

    A picture that is not fit to be judged is ranked by its score all the same and counted as not decidable; one that cannot
    be read is only counted.

    Raises:
        BadConfig: the folder has another layout.
        BadPicture: a mask cannot be used.
    """
    pictures = [(path, kind) for kind in kinds_in(folder) for path in list_pictures(folder / kind)]
    pixels = PixelRanking()
    # One thread, as on the device; more would wait for each other between products as small as these.
    with threadpool_limits(1):
        judged = tuple(_judge_one(recipe, path, kind, pixels, folder) for path, kind in steps.track(pictures, "judging"))
    return summarise(judged, pixels)


def summarise(judged: Sequence[Judged], pixels: PixelRanking) -> Evaluation:
    """Count what was judged. Only NOK of goods are false rejects and only OK of defects are escapes."""
    goods, bads = [j for j in judged if j.kind == GOOD], [j for j in judged if j.kind != GOOD]
    ranked = [j for j in judged if np.isfinite(j.score)]
    truth = [j.kind != GOOD for j in ranked]
    by_kind = {kind: [j for j in bads if j.kind == kind] for kind in sorted({j.kind for j in bads})}
    escapes = {kind: Rate.of(_count(group, Decision.OK), len(group)) for kind, group in by_kind.items()}
    return Evaluation(
        image_auroc=float(roc_auc_score(truth, [j.score for j in ranked])) if len(set(truth)) == 2 else None,  # noqa: PLR2004
        pixel_auroc=pixels.auroc(),
        aupro=pixels.aupro(),
        false_reject=Rate.of(_count(goods, Decision.NOK), len(goods)),
        escape=Rate.of(_count(bads, Decision.OK), len(bads)),
        escape_by_kind={kind: rate for kind, rate in escapes.items() if rate},
        not_decidable=_count(judged, Decision.NOT_DECIDABLE),
        judged=tuple(judged),
    )


def _count(judged: Sequence[Judged], decision: Decision) -> int:
    return sum(j.decision is decision for j in judged)


def _judge_one(recipe: Recipe, path: Path, kind: str, ranking: PixelRanking, folder: Path) -> Judged:
    sight = see(recipe, path)
    rank_pixels(ranking, sight, truth_size(recipe), kind, folder)
    return Judged(path, kind, sight.verdict.decision, sight.verdict.reason, sight.score)


def truth_size(recipe: Recipe) -> tuple[int, int]:
    """Height and width at which maps are compared with masks: those of the encoder's input."""
    size = recipe.eye.encoder.card.input
    return size.height, size.width


def rank_pixels(ranking: PixelRanking, sight: Sight, size: tuple[int, int], kind: str, folder: Path) -> None:
    """Count a picture's pixels, if it has a map and its truth is known."""
    if sight.pixels is None or sight.heat is None:
        return
    truth = truth_at(sight.path, kind, folder, size)
    if truth is not None:
        ranking.add(spread(sight.heat, sight.pixels.shape[:2], size), truth)
