"""A threshold by what escapes and false rejects cost."""

import numpy as np

from edge.recipe.promise import Cost
from edge.types import Doubles

_RESAMPLES = 1000


def choose_cost(
    goods: Doubles, defects: Doubles, escape_cost: float, false_reject_cost: float, defect_rate: float
) -> tuple[float, Cost]:
    """The threshold with the lowest expected cost of a part; goods, defects: one score for each part.

    cost(t) = rate · escape_cost · P(defect ≤ t) + (1 - rate) · false_reject_cost · P(good > t), with the shares of the parts
    at hand (Elkan 2001). Where a whole range costs the same, its middle.
    """
    threshold, expected = _cheapest(goods, defects, defect_rate * escape_cost, (1 - defect_rate) * false_reject_cost)
    return threshold, Cost(
        escape_cost=escape_cost,
        false_reject_cost=false_reject_cost,
        defect_rate=defect_rate,
        expected=expected,
        defects=len(defects),
        escaped=int((defects <= threshold).sum()),
        parts=len(goods),
        rejected=int((goods > threshold).sum()),
    )


def cost_band(goods: Doubles, defects: Doubles, promise: Cost, seed: int) -> tuple[float, float]:
    """95 % interval of the cheapest threshold, by drawing the parts again 1,000 times (percentile bootstrap, Efron 1979)."""
    rng = np.random.default_rng(seed)
    escape = promise.defect_rate * promise.escape_cost
    reject = (1 - promise.defect_rate) * promise.false_reject_cost
    found = [
        _cheapest(rng.choice(goods, len(goods)), rng.choice(defects, len(defects)), escape, reject)[0]
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _cheapest(goods: Doubles, defects: Doubles, escape: float, reject: float) -> tuple[float, float]:
    ordered_goods, ordered_defects = np.sort(goods), np.sort(defects)
    scores = np.unique(np.concatenate([goods, defects]))
    # Between two neighbouring scores every threshold costs the same; beyond the ends nothing changes any more.
    levels = np.concatenate([[scores[0] - 1], scores])
    escaped = np.searchsorted(ordered_defects, levels, "right") / len(defects)
    rejected = 1 - np.searchsorted(ordered_goods, levels, "right") / len(goods)
    costs = escape * escaped + reject * rejected
    best = int(costs.argmin())
    after = levels[best + 1] if best + 1 < len(levels) else levels[best]
    return float((levels[best] + after) / 2), float(costs[best])
