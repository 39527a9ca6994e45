"""From what was asked for to a threshold with its promise, gray zone and uncertainty."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from calibration.rates import Rate
from calibration.threshold.conformal import choose_conformal
from calibration.threshold.cost import choose_cost, cost_band
from calibration.threshold.labelled import choose_labelled
from calibration.threshold.order import choose, parts_needed, quantile_band, rejected_share
from calibration.threshold.parts import Parts
from edge.errors import BadConfig
from edge.recipe.promise import Conformal, Cost, GrayZone, Guarantee, Labelled, Manual, Promise
from edge.types import Doubles

Method = Literal["guarantee", "conformal", "cost", "labelled", "manual"]

_STRICTER = (0.1, 0.05, 0.02, 0.01, 0.005, 0.001)
"""Promises a line engineer is asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the line engineer wants. gray: share of goods that may go to a person or be rejected; value: set by hand."""

    method: Method = "guarantee"
    max_false_reject: float = 0.05
    confidence: float = 0.95
    max_escape: float = 0.05
    escape_cost: float | None = None
    false_reject_cost: float = 1.0
    defect_rate: float | None = None
    value: float | None = None
    reason: str | None = None
    gray: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One promise: how many held-out parts it needs, how many more than there are, and its threshold if there are enough."""

    max_false_reject: float
    parts: int
    missing: int
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A threshold and what is known of it.

    rejected: 95 % interval of the share of goods above it; band: 95 % interval of the threshold itself, None where a person
    set it; escapes: of the labelled defects, None without them; steps: stricter and looser guarantees.
    """

    threshold: float
    promise: Promise
    gray_zone: GrayZone | None
    rejected: tuple[float, float]
    band: tuple[float, float] | None
    escapes: Rate | None
    steps: tuple[Step, ...]


def choose_threshold(parts: Parts, asked: Asked) -> Chosen:
    """Choose by the method asked for.

    Raises:
        TooFewGoods: the promise needs more parts.
        BadConfig: something that the method needs is missing.
    """
    threshold, promise = _by_method(parts, asked)
    gray = _gray_zone(parts.goods, asked, threshold) if asked.gray is not None else None
    passed = int((parts.defects <= (gray.above if gray else threshold)).sum())
    return Chosen(
        threshold=threshold,
        promise=promise,
        gray_zone=gray,
        rejected=_rejected(parts.goods, threshold, promise),
        band=_band(parts, promise, asked.seed),
        escapes=Rate.of(passed, len(parts.defects)),
        steps=tuple(_step(parts.goods, share, asked.confidence) for share in _STRICTER),
    )


def _by_method(parts: Parts, asked: Asked) -> tuple[float, Promise]:
    match asked.method:
        case "guarantee":
            return choose(parts.goods, asked.max_false_reject, asked.confidence)
        case "conformal":
            return choose_conformal(parts.goods, asked.max_false_reject)
        case "labelled":
            _need_defects(parts, "labelled")
            return choose_labelled(parts.goods, parts.defects, asked.max_escape, asked.confidence)
        case "cost":
            _need_defects(parts, "cost")
            if asked.escape_cost is None or asked.defect_rate is None:
                raise BadConfig("--method cost needs --escape-cost and --defect-rate; give both.")
            return choose_cost(parts.goods, parts.defects, asked.escape_cost, asked.false_reject_cost, asked.defect_rate)
        case "manual":
            if asked.value is None or not asked.reason:
                raise BadConfig("--method manual needs --value and, for whoever asks later, --reason; give both.")
            rejected = int((parts.goods > asked.value).sum())
            return asked.value, Manual(reason=asked.reason, parts=len(parts.goods), rejected=rejected)


def _need_defects(parts: Parts, method: str) -> None:
    if not len(parts.defects):
        raise BadConfig(f"--method {method} needs labelled defects; give their folder with --defects.")


def _gray_zone(goods: Doubles, asked: Asked, threshold: float) -> GrayZone:
    above, promise = choose(goods, asked.gray or 0, asked.confidence)
    if above >= threshold:
        raise BadConfig(
            f"--gray {asked.gray:g}: the gray zone would begin at {above:.4f}, not below the threshold {threshold:.4f}; "
            f"give a larger share, or more goods with --goods."
        )
    return GrayZone(above=above, promise=promise)


def _rejected(goods: Doubles, threshold: float, promise: Promise) -> tuple[float, float]:
    if isinstance(promise, Guarantee | Conformal):
        return rejected_share(promise.rank, promise.parts)
    rate = Rate.of(int((goods > threshold).sum()), len(goods))
    return (rate.low, rate.high) if rate else (0.0, 1.0)


def _band(parts: Parts, promise: Promise, seed: int) -> tuple[float, float] | None:
    match promise:
        case Guarantee() | Conformal():
            return quantile_band(parts.goods, promise.max_false_reject)
        case Labelled():
            # The same interval seen from the defects' side.
            low, high = quantile_band(-parts.defects, promise.max_escape)
            return -high, -low
        case Cost():
            return cost_band(parts.goods, parts.defects, promise, seed)
        case Manual():
            return None


def _step(goods: Doubles, share: float, confidence: float) -> Step:
    needed = parts_needed(share, confidence)
    missing = max(0, needed - len(goods))
    return Step(share, needed, missing, None if missing else choose(goods, share, confidence)[0])


def finite_band(chosen: Chosen, parts: Parts) -> tuple[float, float] | None:
    """The band as it can be drawn: an open end reaches to the outermost score there is."""
    if chosen.band is None:
        return None
    every = np.concatenate([parts.goods, parts.defects, [chosen.threshold]])
    low, high = chosen.band
    return (low if math.isfinite(low) else float(every.min()), high if math.isfinite(high) else float(every.max()))
