"""How well a recipe judges labelled pictures: AUROC, false rejects and escapes with their uncertainty.

Layout of the test folder, as public data sets have it: ``good/`` and one folder for each kind of defect. Masks, if there are
any, stand in ``ground_truth/<kind>/<name>_mask.png`` beside the test folder or in it.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from calibration.progress import Steps
from calibration.sight import see
from edge.capture.pictures import list_pictures
from edge.errors import BadConfig, BadPicture
from edge.inspect.heat import spread
from edge.recipe.recipe import Recipe
from edge.types import Decision, Reason

GOOD = "good"
MASKS = "ground_truth"
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """count of total, with the Clopper-Pearson interval at 95 % (Clopper & Pearson 1934)."""

    count: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.total

    @classmethod
    def of(cls, count: int, total: int) -> "Rate | None":
        """None when there was nothing to count."""
        if total == 0:
            return None
        interval = binomtest(count, total).proportion_ci(_CONFIDENCE, method="exact")
        return cls(count, total, float(interval.low), float(interval.high))


@dataclass(frozen=True, slots=True)
class Judged:
    """One test picture. score is NaN when it could not be read."""

    path: Path
    kind: str
    decision: Decision
    score: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a labelled test showed. AUROCs are None where a class is missing or no mask is there."""

    image_auroc: float | None
    pixel_auroc: float | None
    false_reject: Rate | None
    escape: Rate | None
    escape_by_kind: dict[str, Rate]
    not_decidable: int
    judged: tuple[Judged, ...] = field(repr=False)


class PixelRanking:
    """Pixel AUROC over any number of pictures in bounded memory: z is counted in bins of 1/256 per class.

    Two pixels in one bin count as a tie; the error is far below the third digit.
    """

    def __init__(self) -> None:
        self._counts: tuple[Counter[int], Counter[int]] = (Counter(), Counter())

    def add(self, z: NDArray[np.float32], defective: NDArray[np.bool_]) -> None:
        """One picture: z and truth for each pixel, same shape."""
        bins = np.floor(z * 256).astype(np.int64)
        for label in (False, True):
            values, counts = np.unique(bins[defective == label], return_counts=True)
            self._counts[label].update(dict(zip(values.tolist(), counts.tolist(), strict=True)))

    def auroc(self) -> float | None:
        """Probability that a defective pixel lies above a good one, ties counting half; None if a class is missing."""
        good, bad = self._counts
        if not good or not bad:
            return None
        bins = np.array(sorted(good.keys() | bad.keys()))
        n_good, n_bad = (np.array([c[b] for b in bins.tolist()], np.float64) for c in (good, bad))
        below = np.cumsum(n_good) - n_good / 2
        return float((n_bad * below).sum() / (n_good.sum() * n_bad.sum()))


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
    return summarise(judged, pixels.auroc())


def kinds_in(folder: Path) -> list[str]:
    """The folders of a test set, `good` first if it is there."""
    try:
        kinds = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name != MASKS and not p.name.startswith("."))
    except OSError as err:
        raise BadConfig(f"{folder}: cannot be listed: {err.strerror}.") from None
    if not kinds:
        raise BadConfig(f"{folder}: holds no folders; put good pictures into good/ and each kind of defect into its own.")
    return sorted(kinds, key=lambda kind: kind != GOOD)


def summarise(judged: tuple[Judged, ...], pixel_auroc: float | None) -> Evaluation:
    """Count what was judged. Only NOK of goods are false rejects and only OK of defects are escapes."""
    goods, bads = [j for j in judged if j.kind == GOOD], [j for j in judged if j.kind != GOOD]
    ranked = [j for j in judged if np.isfinite(j.score)]
    truth = [j.kind != GOOD for j in ranked]
    by_kind = {kind: [j for j in bads if j.kind == kind] for kind in sorted({j.kind for j in bads})}
    escapes = {kind: Rate.of(_count(group, Decision.OK), len(group)) for kind, group in by_kind.items()}
    return Evaluation(
        image_auroc=float(roc_auc_score(truth, [j.score for j in ranked])) if len(set(truth)) == 2 else None,  # noqa: PLR2004
        pixel_auroc=pixel_auroc,
        false_reject=Rate.of(_count(goods, Decision.NOK), len(goods)),
        escape=Rate.of(_count(bads, Decision.OK), len(bads)),
        escape_by_kind={kind: rate for kind, rate in escapes.items() if rate},
        not_decidable=_count(judged, Decision.NOT_DECIDABLE),
        judged=judged,
    )


def _count(judged: list[Judged] | tuple[Judged, ...], decision: Decision) -> int:
    return sum(j.decision is decision for j in judged)


def _judge_one(recipe: Recipe, path: Path, kind: str, ranking: PixelRanking, folder: Path) -> Judged:
    sight = see(recipe, path)
    if sight.pixels is not None and sight.heat is not None:
        mask = _mask_of(path, kind, folder, recipe)
        if mask is not None:
            ranking.add(spread(sight.heat, sight.pixels.shape[:2], mask.shape), mask)
    return Judged(path, kind, sight.verdict.decision, sight.score)


def _mask_of(path: Path, kind: str, folder: Path, recipe: Recipe) -> NDArray[np.bool_] | None:
    """Where the defect is, at the encoder's input size; all False for goods, None where no mask is given."""
    size = recipe.eye.encoder.card.input
    if kind == GOOD:
        return np.zeros((size.height, size.width), np.bool_) if _mask_folder(folder) else None
    mask = truth_of(path, kind, folder)
    if mask is None:
        return None
    return np.asarray(cv2.resize(mask, (size.width, size.height), interpolation=cv2.INTER_NEAREST) > 0)


def truth_of(path: Path, kind: str, folder: Path) -> NDArray[np.uint8] | None:
    """The mask that people drew of a picture's defect, above 0 where the defect is; None where there is none.

    H×W uint8, at its file's own size.

    Raises:
        BadPicture: the mask cannot be read.
    """
    masks = _mask_folder(folder)
    mask_path = masks / kind / f"{path.stem}_mask.png" if masks else None
    if mask_path is None or not mask_path.is_file():
        return None
    mask = cv2.imdecode(np.frombuffer(mask_path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise BadPicture(f"{mask_path}: not a picture, or damaged.", Reason.UNREADABLE)
    return np.asarray(mask, np.uint8)


def _mask_folder(folder: Path) -> Path | None:
    return next((p for p in (folder / MASKS, folder.parent / MASKS) if p.is_dir()), None)
