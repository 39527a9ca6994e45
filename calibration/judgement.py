"""How patches are judged, chosen for these parts: scaling of features, spread by place or everywhere, score.

Each way is tried on goods that are left out of a small bank and on the same goods with damage painted on (`pseudo`), or on
labelled defects where there are some. Measured on ten sets of real pictures, the gains of one way over another are mostly
smaller than the noise of such a trial, and pseudo-defects rank ways much as real ones do on some sets and not at all on
others (mean rank correlation 0.2); so the default stays unless another way is clearly better.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from calibration.coreset import Gathering
from calibration.memory import Sample, learn_sketch, nearest, remember
from calibration.normal import EVERYWHERE, NEARBY, learn_normal
from calibration.progress import Steps
from edge.inspect.score import counted
from edge.recipe.manifest import JudgementCard, Scaling, WayCard
from edge.types import Doubles, Floats, PatchGrid, ScoreKind

CLEARLY_PAINTED, CLEARLY_LABELLED = 0.03, 0.01
"""AUROC by which another way must beat the default on painted and on labelled defects, besides twice its standard error. On
painted ones, gains below 0.03 were as often losses on real ones."""

LEFT_OUT = 24
"""Goods that play the part of the line's: left out of the trial's bank, whole and damaged."""

_LEAST_BANK = 20
"""With fewer goods left for the bank a trial says nothing."""

_VECTORS = 1500
_ROUNDS = 200

_POWERS: dict[Scaling, float] = {"none": 0.0, "half": 0.5, "full": 1.0}
_LEAST_STD = 1e-6
_WORDS: dict[Scaling, str] = {"none": "as they are", "half": "half standardised", "full": "standardised"}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to judge. smoothing: share of the shorter side over which places learn from each other."""

    scaling: Scaling
    smoothing: float
    score: ScoreKind

    def __str__(self) -> str:
        where = "spread by place" if self.smoothing < EVERYWHERE else "one spread everywhere"
        return f"features {_WORDS[self.scaling]}, {where}, {self.score}"


DEFAULT = Way("half", NEARBY, "top1")
"""Measured at 256², FP32, AUROC of none / half / full: ELPV 0.9625 / 0.9627 / 0.9617, magnetic tiles 0.913 / 0.919 / 0.921,
cookies 1.000 each; by place or everywhere: within 0.003; top1 instead of max: 0.006 better on average of eight sets."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Pictures to compare ways on.

    bank: goods for a small bank; goods: others; defects: painted on those, with the number `of` the one each was painted on,
    or given, and `of` is None.
    """

    bank: Sample
    goods: tuple[PatchGrid, ...]
    defects: tuple[PatchGrid, ...]
    of: NDArray[np.intp] | None


def scale_of(patches: Floats, scaling: Scaling) -> Floats:
    """D float32, by which the numbers of a patch are multiplied; from P×d patches of goods."""
    std = np.maximum(patches.std(axis=0, dtype=np.float64), _LEAST_STD)
    return np.asarray(std ** -_POWERS[scaling], np.float32)


def ways(scaling: Scaling | None, smoothing: float | None, score: ScoreKind | None, *, labelled: bool) -> list[Way]:
    """What there is to choose from when some of it has been decided; the default, or what is nearest to it, first.

    Painted defects are smaller and sharper than real ones and favour the maximum, which then loses on real ones; so only
    labelled defects may choose the score.
    """
    scalings: tuple[Scaling, ...] = (scaling,) if scaling else ("half", "none", "full")
    scores: tuple[ScoreKind, ...] = (score,) if score else (("top1", "max") if labelled else ("top1",))
    return [Way(*one) for one in product(scalings, (smoothing,) if smoothing else (NEARBY, EVERYWHERE), scores)]


def enough_for_trial(parts: int) -> bool:
    """Whether so many parts can be spared for a trial."""
    return parts >= LEFT_OUT + _LEAST_BANK


def judge_ways(
    candidates: Sequence[Way], trial: Trial, watched: NDArray[np.bool_], seed: int, steps: Steps
) -> JudgementCard:
    """Compare and choose: the first candidate, unless another is clearly better."""
    scores: dict[Way, Scores] = {}
    scalings = list(dict.fromkeys(way.scaling for way in candidates))
    for scaling in steps.track(scalings, "comparing judgements"):
        scores |= _scores([way for way in candidates if way.scaling == scaling], trial, watched, seed)
    aurocs = {way: _auroc(*scores[way]) for way in candidates}
    first, best = candidates[0], max(candidates, key=lambda way: aurocs[way])
    gain = aurocs[best] - aurocs[first]
    error = _standard_error(scores[first], scores[best], trial.of, seed)
    better = gain >= max(CLEARLY_PAINTED if trial.of is not None else CLEARLY_LABELLED, 2 * error)
    against = "painted on" if trial.of is not None else "given"
    compared = f"{len(trial.goods)} goods left out against {len(trial.defects)} defects {against}"
    if better:
        why = f"{best}: AUROC {gain:.3f} above {aurocs[first]:.3f} of {first} (standard error {error:.3f}), on {compared}."
    else:
        why = f"{first}: no other way is clearly better, the best by {gain:.3f} (standard error {error:.3f}), on {compared}."
    return card(best if better else first, tuple(WayCard(way=str(way), auroc=aurocs[way]) for way in candidates), why)


def card(way: Way, tried: tuple[WayCard, ...], why: str) -> JudgementCard:
    """What the recipe says of a way."""
    return JudgementCard(scaling=way.scaling, smoothing=way.smoothing, score=way.score, tried=tried, why=why)


Scores = tuple[Doubles, Doubles]
"""Of the goods that were left out, and of the defects."""


def _scores(candidates: Sequence[Way], trial: Trial, watched: NDArray[np.bool_], seed: int) -> dict[Way, Scores]:
    """All ways of one scaling: they share the bank."""
    places = np.flatnonzero(watched)
    scale = scale_of(np.concatenate([grid.patches[places] for grid in trial.bank.grids]), candidates[0].scaling)
    bank = replace(trial.bank, grids=tuple(replace(g, patches=g.patches * scale) for g in trial.bank.grids))
    sketch = learn_sketch(bank, places)
    gathering = Gathering(_VECTORS, sketch, seed)
    for number, grid in enumerate(bank.grids):
        gathering.add(grid.patches[places], number, places)
    coreset = gathering.finish()
    apart = remember(coreset, sketch, bank, bank.parts, places).apart
    distances = [
        np.stack([nearest(grid.patches * scale, coreset.matrix).reshape(watched.shape) for grid in grids])
        for grids in (trial.goods, trial.defects)
    ]
    found = {}
    for way in candidates:
        normal = learn_normal(apart, watched, way.smoothing)
        wanted = counted(way.score, len(places))
        z = [((d - normal.mean) / normal.std)[:, watched] for d in distances]
        goods, defects = (np.sort(values, axis=1)[:, -wanted:].mean(axis=1) for values in z)
        found[way] = goods, defects
    return found


def _auroc(goods: Doubles, defects: Doubles) -> float:
    truth = np.repeat([0, 1], [len(goods), len(defects)])
    return float(roc_auc_score(truth, np.concatenate([goods, defects])))


def _standard_error(one: Scores, other: Scores, of: NDArray[np.intp] | None, seed: int) -> float:
    """Of the difference of two AUROCs on the same pictures, by drawing the parts again and again (Efron 1979)."""
    rng = np.random.default_rng(seed)
    goods, defects = len(one[0]), len(one[1])
    differences = []
    for _ in range(_ROUNDS):
        drawn = rng.integers(goods, size=goods)
        # A damaged part is drawn with the part it was made of.
        bad = (
            np.concatenate([np.flatnonzero(of == at) for at in drawn])
            if of is not None
            else rng.integers(defects, size=defects)
        )
        differences.append(_auroc(other[0][drawn], other[1][bad]) - _auroc(one[0][drawn], one[1][bad]))
    return float(np.std(differences))
