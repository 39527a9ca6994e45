"""A word of warning while a recipe is built: held-out goods that score as no good part should."""

from collections.abc import Sequence

import numpy as np

from calibration.audit.robust import upper_limit
from edge.types import Doubles

SPREADS = 5.0
"""More than for suspects (see `suspects.SPREADS`): a warning that comes with every other recipe is not read."""

_NAMED = 3


def outliers_in_words(names: Sequence[str], scores: Doubles) -> str | None:
    """A sentence, or None when all scores are near each other. names: of the pictures that scored so."""
    far = np.flatnonzero(scores > upper_limit(scores, SPREADS))
    if not len(far):
        return None
    shown = ", ".join(names[i] for i in far[np.argsort(-scores[far])][:_NAMED])
    more = f" and {len(far) - _NAMED} more" if len(far) > _NAMED else ""
    goods, verb, them = ("good", "scores", "it") if len(far) == 1 else ("goods", "score", "them")
    return (
        f"{len(far)} held-out {goods} {verb} far above the others ({shown}{more}): "
        f"look at {them} with `goodpart calibrate audit`."
    )
