"""The goods that scores are compared with."""

from dataclasses import dataclass

import numpy as np

from calibration.drift.control import LEAST_REFERENCE
from edge.errors import TooFewGoods
from edge.types import Doubles


@dataclass(frozen=True, slots=True)
class Reference:
    """scores: sorted, of parts judged OK; used: how many of the results they are, the first ones; origin: in words."""

    scores: Doubles
    used: int
    origin: str


def reference_of(goods: Doubles, baseline: int) -> Reference:
    """The first `baseline` scores of parts judged OK.

    Only of parts judged OK, as are those that are compared with it.

    Raises:
        TooFewGoods: nothing is left to compare.
    """
    if len(goods) <= baseline:
        mend = f"or give --baseline {LEAST_REFERENCE}" if len(goods) > LEAST_REFERENCE else "and try again"
        raise TooFewGoods(
            f"the results hold {len(goods)} parts judged OK, and --baseline {baseline} needs more than so many; collect "
            f"more, {mend}."
        )
    return Reference(np.sort(goods[:baseline]), baseline, f"the first {baseline} parts judged OK in the results")
