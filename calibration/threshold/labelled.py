"""A threshold by labelled defects: the highest one that still promises few escapes."""

import math

import numpy as np
from scipy.stats import binom

from edge.errors import TooFewGoods
from edge.recipe.promise import Labelled
from edge.types import Doubles


def choose_labelled(goods: Doubles, defects: Doubles, max_escape: float, confidence: float) -> tuple[float, Labelled]:
    """The highest threshold below which, with `confidence`, at most `max_escape` of such defects lie.

    goods, defects: one score for each part. Just below the k-th smallest of n defects lies a share of all defects that is
    Beta(k, n-k+1) distributed, so P(at most ε escape) = P(Bin(n, ε) ≥ k) (Wilks 1941, from below).

    Raises:
        TooFewGoods: there are too few defects for the promise.
    """
    ranks = np.arange(1, len(defects) + 1)
    kept = ranks[binom.sf(ranks - 1, len(defects), max_escape) >= confidence]
    if not len(kept):
        needed = math.ceil(math.log(1 - confidence) / math.log(1 - max_escape))
        best = math.ceil(1000 * (1 - (1 - confidence) ** (1 / len(defects)))) / 1000
        raise TooFewGoods(
            f"{len(defects)} defective parts cannot promise at most {max_escape:.2%} escapes with {confidence:.0%} "
            f"confidence: {needed} are needed; give more with --defects, or promise what these allow with "
            f"--max-escape {best:g}."
        )
    rank = int(kept[-1])
    threshold = float(np.nextafter(np.sort(defects)[rank - 1], -np.inf))
    promise = Labelled(
        max_escape=max_escape,
        confidence=confidence,
        defects=len(defects),
        rank=rank,
        parts=len(goods),
        rejected=int((goods > threshold).sum()),
    )
    return threshold, promise
