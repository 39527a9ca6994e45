"""A threshold with a promise, from good parts that are not in the bank.

Order statistics (Wilks 1941): of n independent scores, let t be the k-th smallest. The share of all good parts that lie
at or below t is Beta(k, n-k+1) distributed whatever the scores' distribution, so

    P(at most α of goods lie above t) = P(Beta(k, n-k+1) ≥ 1-α) = P(Bin(n, 1-α) ≤ k-1).
"""

import math

import numpy as np
from scipy.stats import beta, binom

from edge.errors import TooFewGoods
from edge.recipe.promise import Guarantee
from edge.types import Doubles

MIN_SHARE, MAX_SHARE = 0.2, 0.5
"""Bounds of the share of goods that is held out: less wastes the promise, more starves the bank."""

MIN_BANK_PARTS = 10
"""Below this the bank does not know what good parts have in common, and leave-one-out statistics mean nothing."""


def confidence_of(rank: int, parts: int, max_false_reject: float) -> float:
    """Confidence with which the `rank`-th smallest of `parts` scores rejects at most `max_false_reject` of goods."""
    return float(binom.cdf(rank - 1, parts, 1 - max_false_reject))


def parts_needed(max_false_reject: float, confidence: float) -> int:
    """The least number of held-out parts that can promise this, with the largest score as threshold (Wilks)."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - max_false_reject))


def best_promise(parts: int, confidence: float) -> float:
    """The smallest `max_false_reject` that `parts` held-out parts can promise."""
    return float(1 - (1 - confidence) ** (1 / parts))


def most_held_out(parts: int) -> int:
    """How many of all good parts can be spared for the threshold; below one there can be none."""
    return min(int(parts * MAX_SHARE), parts - MIN_BANK_PARTS)


def plan_held_out(parts: int, max_false_reject: float, confidence: float) -> int:
    """How many of all good parts to hold out: what the promise needs, within MIN_SHARE and MAX_SHARE.

    Raises:
        TooFewGoods: the promise cannot be kept with so few; the message says what can.
    """
    needed = parts_needed(max_false_reject, confidence)
    most = most_held_out(parts)
    if most < 1:
        raise TooFewGoods(
            f"{parts} good parts are too few for any threshold; collect at least {2 * MIN_BANK_PARTS}, better 50 to 200."
        )
    if needed > most:
        best = math.ceil(best_promise(most, confidence) * 1000) / 1000
        raise TooFewGoods(
            f"{parts} good parts cannot promise at most {max_false_reject:.2%} false rejects with {confidence:.0%} "
            f"confidence: that needs {needed} held-out parts and {most} can be spared; collect "
            f"{math.ceil(needed / MAX_SHARE)} good parts, or promise what these allow with --max-false-reject {best:g}."
        )
    return max(needed, round(parts * MIN_SHARE))


def require_enough(bank_parts: int, held_out_parts: int, max_false_reject: float, confidence: float) -> None:
    """Check a split that was made by hand.

    Raises:
        TooFewGoods: either side is too small.
    """
    if bank_parts < MIN_BANK_PARTS:
        raise TooFewGoods(f"{bank_parts} good parts are too few for a bank; give at least {MIN_BANK_PARTS}.")
    needed = parts_needed(max_false_reject, confidence)
    if held_out_parts < needed:
        best = math.ceil(best_promise(held_out_parts, confidence) * 1000) / 1000
        raise TooFewGoods(
            f"{held_out_parts} held-out parts cannot promise at most {max_false_reject:.2%} false rejects with "
            f"{confidence:.0%} confidence; give {needed}, or promise what these allow with --max-false-reject {best:g}."
        )


def choose(scores: Doubles, max_false_reject: float, confidence: float) -> tuple[float, Guarantee]:
    """The lowest threshold that keeps the promise; `scores` holds one number for each held-out good part.

    Raises:
        TooFewGoods: not even the largest score keeps it.
    """
    parts = len(scores)
    ranks = np.arange(1, parts + 1)
    kept = ranks[binom.cdf(ranks - 1, parts, 1 - max_false_reject) >= confidence]
    if not len(kept):
        needed = parts_needed(max_false_reject, confidence)
        best = math.ceil(best_promise(parts, confidence) * 1000) / 1000
        raise TooFewGoods(
            f"{parts} held-out good parts cannot promise at most {max_false_reject:.2%} false rejects with {confidence:.0%} "
            f"confidence: {needed} are needed; give {needed - parts} more with --goods, or promise what these allow with "
            f"--max-false-reject {best:g}."
        )
    guarantee = Guarantee(max_false_reject=max_false_reject, confidence=confidence, parts=parts, rank=int(kept[0]))
    return float(np.sort(scores)[guarantee.rank - 1]), guarantee


def rejected_share(rank: int, parts: int) -> tuple[float, float]:
    """95 % interval of the share of good parts above the `rank`-th smallest of `parts` scores.

    That share is Beta(parts - rank + 1, rank) distributed.
    """
    low, high = beta.ppf([0.025, 0.975], parts - rank + 1, rank)
    return float(low), float(high)


def quantile_band(scores: Doubles, share: float) -> tuple[float, float]:
    """95 % interval of the score that a `share` of all good parts lies above; the upper end is infinite with few parts.

    By order statistics, whatever the scores' distribution (David & Nagaraja 2003, section 7.1).
    """
    parts, ordered = len(scores), np.sort(scores)
    low, high = (int(rank) for rank in binom.ppf([0.025, 0.975], parts, 1 - share))
    return float(ordered[max(low - 1, 0)]), float(ordered[high]) if high < parts else math.inf
