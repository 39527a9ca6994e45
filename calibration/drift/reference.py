"""The goods that scores are compared with."""

from dataclasses import dataclass

import numpy as np

from calibration.drift.control import LEAST_REFERENCE
from edge.errors import TooFewGoods
from edge.types import Doubles

FIRST_RESULTS = 200
"""Taken as reference where the recipe holds too few goods and nobody says how many."""


@dataclass(frozen=True, slots=True)
class Reference:
    """scores: sorted, of parts judged OK; used: how many of the results they are, the first ones; origin: in words."""

    scores: Doubles
    used: int
    origin: str


def reference_of(held_out: Doubles, goods: Doubles, baseline: int | None) -> Reference:
    """The recipe's held-out goods, or the first `baseline` of `goods`, the parts judged OK in the results.

    held_out: scores of parts that the recipe judges OK, as are those that are compared with them.

    Raises:
        TooFewGoods: nothing is left to compare.
    """
    if baseline is None and len(held_out) >= LEAST_REFERENCE:
        if not len(goods):
            raise TooFewGoods(
                "the results hold no part judged OK, so there is nothing to compare; collect some and try again."
            )
        return Reference(np.sort(held_out), 0, f"the recipe's {len(held_out)} held-out goods")
    first = baseline or FIRST_RESULTS
    if len(goods) <= first:
        mend = f"or give --baseline {LEAST_REFERENCE}" if len(goods) > LEAST_REFERENCE else "and try again"
        raise TooFewGoods(
            f"the results hold {len(goods)} parts judged OK, and --baseline {first} needs more than so many; collect more, "
            f"{mend}."
        )
    return Reference(np.sort(goods[:first]), first, f"the first {first} parts judged OK in the results")
