"""How far values lie from what is usual, without letting the unusual ones decide what usual is."""

import numpy as np

from edge.types import Doubles

TO_SIGMA = 1.4826
"""By which a median of absolute deviations is a normal distribution's standard deviation (Rousseeuw and Croux 1993)."""


def deviations(values: Doubles, floor: float) -> Doubles:
    """(value - median) / (1.4826 · MAD), and at least `floor` below the line, for goods that are all but equal."""
    centre = np.median(values)
    return np.asarray((values - centre) / max(TO_SIGMA * float(np.median(np.abs(values - centre))), floor))


def upper_limit(values: Doubles, times: float) -> float:
    """Median + times · 1.4826 · the median distance of the values above it.

    The upper half alone, for scores have a longer tail there, and defects in the upper half move its median little.
    """
    centre = np.median(values)
    return float(centre + times * TO_SIGMA * np.median(values[values >= centre] - centre))
