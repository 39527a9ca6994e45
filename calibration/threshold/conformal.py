"""The threshold of split conformal prediction: weaker than the guarantee, and content with fewer goods."""

import math

import numpy as np

from edge.errors import TooFewGoods
from edge.recipe.promise import Conformal
from edge.types import Doubles


def choose_conformal(scores: Doubles, max_false_reject: float) -> tuple[float, Conformal]:
    """The ceil((n + 1)(1 - α))-th smallest of n scores, one for each held-out good part (Papadopoulos et al. 2002).

    Raises:
        TooFewGoods: n < 1/α - 1, so that no score is high enough.
    """
    parts = len(scores)
    # Rounded before the ceiling, since 0.95 · 60 is a hair above 57 in floating point.
    rank = math.ceil(round((parts + 1) * (1 - max_false_reject), 9))
    if rank > parts:
        needed = math.ceil(round(1 / max_false_reject - 1, 9))
        best = math.ceil(1000 / (parts + 1)) / 1000
        raise TooFewGoods(
            f"{parts} held-out good parts are too few for at most {max_false_reject:.2%} false rejects: {needed} are "
            f"needed; give {needed - parts} more with --goods, or take --max-false-reject {best:g}."
        )
    return float(np.sort(scores)[rank - 1]), Conformal(max_false_reject=max_false_reject, parts=parts, rank=rank)
