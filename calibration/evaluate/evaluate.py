"""A recipe judges labelled pictures: rankings, false rejects and escapes with their uncertainty, part by part."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from calibration.evaluate.folders import kinds_in, truth_at
from calibration.evaluate.judged import Judged, Part, by_part
from calibration.evaluate.pixels import PixelRanking
from calibration.goods import Good, find_goods
from calibration.known import NOTHING_KNOWN, Known, known_among
from calibration.progress import Steps
from calibration.rates import Rate
from calibration.sight import Sight, see
from edge.inspect.heat import spread
from edge.recipe.recipe import Recipe
from edge.types import Decision


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a labelled test showed. Rates and the image AUROC count parts, pixel AUROC and AUPRO pictures.

    AUROCs and AUPRO are None where a class is missing or no mask is there. not_decidable: parts; known: pictures that the
    recipe was made from.
    """

    image_auroc: float | None
    pixel_auroc: float | None
    aupro: float | None
    false_reject: Rate | None
    escape: Rate | None
    escape_by_kind: dict[str, Rate]
    not_decidable: int
    known: Known
    judged: tuple[Judged, ...] = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)


def evaluate(recipe: Recipe, folder: Path, steps: Steps, part_pattern: str | None = None) -> Evaluation:
    """Judge every picture below `folder`, exactly as the device would.

    A picture that is not fit to be judged is ranked by its score all the same and counted as not decidable; one that is
    damaged is only counted. part_pattern: how names tell parts (see `find_goods`), the recipe's own where it is None.

    Raises:
        BadConfig: the folder has another layout, or the pattern is wrong.
        BadPicture: a file cannot be read, or a mask cannot be used.
    """
    made_from = recipe.manifest.goods
    pattern = part_pattern or made_from.part_pattern
    pictures = [(file, kind) for kind in kinds_in(folder) for file in find_goods(folder / kind, pattern)]
    pixels = PixelRanking()
    # One thread, as on the device; more would wait for each other between products as small as these.
    with threadpool_limits(1):
        judged = tuple(_judge_one(recipe, file, kind, pixels, folder) for file, kind in steps.track(pictures, "judging"))
    return summarise(judged, pixels, known_among(made_from, (file for file, _ in pictures)))


def summarise(judged: Sequence[Judged], pixels: PixelRanking, known: Known = NOTHING_KNOWN) -> Evaluation:
    """Count what was judged. Only NOK of goods are false rejects and only OK of defects are escapes."""
    parts = by_part(judged)
    goods, bads = [p for p in parts if p.good], [p for p in parts if not p.good]
    ranked = [p for p in parts if np.isfinite(p.score)]
    truth = [not p.good for p in ranked]
    by_kind = {kind: [p for p in bads if p.kind == kind] for kind in sorted({p.kind for p in bads})}
    escapes = {kind: Rate.of(_count(group, Decision.OK), len(group)) for kind, group in by_kind.items()}
    return Evaluation(
        image_auroc=float(roc_auc_score(truth, [p.score for p in ranked])) if len(set(truth)) == 2 else None,  # noqa: PLR2004
        pixel_auroc=pixels.auroc(),
        aupro=pixels.aupro(),
        false_reject=Rate.of(_count(goods, Decision.NOK), len(goods)),
        escape=Rate.of(_count(bads, Decision.OK), len(bads)),
        escape_by_kind={kind: rate for kind, rate in escapes.items() if rate},
        not_decidable=_count(parts, Decision.NOT_DECIDABLE),
        known=known,
        judged=tuple(judged),
        parts=parts,
    )


def _count(parts: Sequence[Part], decision: Decision) -> int:
    return sum(part.decision is decision for part in parts)


def _judge_one(recipe: Recipe, file: Good, kind: str, ranking: PixelRanking, folder: Path) -> Judged:
    sight = see(recipe, file.path)
    rank_pixels(ranking, sight, truth_size(recipe), kind, folder)
    return Judged(file, kind, sight.verdict.decision, sight.verdict.reason, sight.score)


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
