"""Agreement beyond chance."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.metrics import cohen_kappa_score

from edge.types import Decision

GOOD_KAPPA, POOR_KAPPA = 0.75, 0.40
"""Above: good to excellent agreement; below: poor (AIAG, Measurement Systems Analysis, 4th edition, chapter III C)."""


def cohen(one: Sequence[Decision], other: Sequence[Decision]) -> float | None:
    """Cohen's kappa of two equally long lists of answers (Cohen 1960); None where both hold one and the same answer only."""
    return float(cohen_kappa_score(one, other)) if len({*one, *other}) > 1 else None


def fleiss(answers: Sequence[Sequence[Decision]]) -> float | None:
    """Fleiss' kappa of the answers to each part, for any number of trials from two up (Fleiss 1971).

    With unequal numbers, the pairwise agreement of parts is averaged and chance is taken from all answers together. None
    where no part has two answers, or all answers are the same.
    """
    repeated = [Counter(of_part) for of_part in answers if len(of_part) > 1]
    pooled = sum(repeated, Counter())
    if len(pooled) < 2:  # noqa: PLR2004 - one answer only: chance alone agrees always
        return None
    observed = np.mean([sum(n * (n - 1) for n in c.values()) / (c.total() * (c.total() - 1)) for c in repeated])
    by_chance = sum((n / pooled.total()) ** 2 for n in pooled.values())
    return float((observed - by_chance) / (1 - by_chance))
