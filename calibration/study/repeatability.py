"""How much the score of a part varies when its picture is taken again, and which verdicts that turns."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

import numpy as np
from scipy import stats

from calibration.study.trials import Part
from edge.errors import TooFewGoods

_CONFIDENCE = 0.95
_UNEQUAL = 0.01
"""Below this p the scatter on the two sides of the threshold is called different."""

FLIP_Z = float(stats.norm.ppf(0.5 + _CONFIDENCE / 2))
"""1.96: a part this many repeatability sigmas from the threshold has one repeat in forty on the other side."""

DISTINCT = 1.41
"""sqrt(2), as it stands in AIAG's Measurement Systems Analysis, 4th edition, for the number of distinct categories."""


@dataclass(frozen=True, slots=True)
class Components:
    """Variance components of the score, as standard deviations.

    repeat: of repeats of one part, with its interval at 95 % (chi-square; normal scatter assumed); part: between parts;
    part_is_zero: parts differ no more than repeats do, and the estimate of their variance was not above zero.
    """

    repeat: float
    repeat_low: float
    repeat_high: float
    part: float
    part_is_zero: bool

    @property
    def study_variation(self) -> float:
        """Repeatability as a share of the whole variation (AIAG's %GRR, 0 to 1); 0 when nothing varies."""
        whole = sqrt(self.repeat**2 + self.part**2)
        return self.repeat / whole if whole else 0.0

    @property
    def ndc(self) -> int | None:
        """Number of distinct categories, cut to a whole number as AIAG does; None: repeats do not differ at all."""
        return int(DISTINCT * self.part / self.repeat) if self.repeat else None


@dataclass(frozen=True, slots=True)
class Repeatability:
    """What repeats of parts showed.

    band: scores between which a repeat may flip. below, above: repeatability sigma of parts whose mean is not above, or is
    above the threshold, None where no part was repeated there; differ: they are not the same.
    """

    threshold: float
    parts: tuple[Part, ...]
    components: Components
    band: tuple[float, float]
    below: float | None
    above: float | None
    differ: bool

    @property
    def flipping(self) -> tuple[Part, ...]:
        """Parts with more than one verdict."""
        return tuple(part for part in self.parts if len(set(part.answers)) > 1)

    @property
    def in_band(self) -> tuple[Part, ...]:
        """Parts whose mean score lies in the band."""
        low, high = self.band
        return tuple(part for part in self.parts if part.mean is not None and low <= part.mean <= high)

    @property
    def agreeing(self) -> tuple[int, int]:
        """Repeats that agree with the most frequent verdict of their part, and all repeats of parts with two or more."""
        repeated = [part.answers for part in self.parts if len(part.answers) > 1]
        return sum(Counter(answers).most_common(1)[0][1] for answers in repeated), sum(map(len, repeated))


def study_repeatability(parts: Sequence[Part], threshold: float) -> Repeatability:
    """Components, flips and the band around the threshold.

    Raises:
        TooFewGoods: fewer than two parts, or no part with two measured pictures.
    """
    scores = [part.scores for part in parts if part.scores]
    found = components(scores)
    reach = FLIP_Z * found.repeat
    below = _within([s for s in scores if fmean(s) <= threshold])
    above = _within([s for s in scores if fmean(s) > threshold])
    return Repeatability(
        threshold=threshold,
        parts=tuple(parts),
        components=found,
        band=(threshold - reach, threshold + reach),
        below=_sigma(*below),
        above=_sigma(*above),
        differ=_differ(*below, *above),
    )


def components(scores: Sequence[Sequence[float]]) -> Components:
    """One-way random-effects analysis of variance; parts may have unequal numbers of repeats.

    The ANOVA estimator of Searle, Casella & McCulloch, Variance Components (1992), section 3.6: with n0 = (N − Σ nᵢ² / N) /
    (a − 1), the variance between a parts is (mean square between − mean square within) / n0.

    Raises:
        TooFewGoods: fewer than two parts, or no part with two scores.
    """
    if len(scores) < 2:  # noqa: PLR2004 - one part has no variation between parts
        raise TooFewGoods("repeatability needs at least two parts that can be judged; name their pictures PART__1, PART__2.")
    within, freedom = _within(scores)
    if freedom == 0:
        raise TooFewGoods(
            "every part has one picture; take two or more of each, and name them PART__1, PART__2, or give --part-pattern."
        )
    counts = np.array([len(s) for s in scores], np.float64)
    means = np.array([fmean(s) for s in scores])
    whole = counts.sum()
    between = float((counts * (means - (counts * means).sum() / whole) ** 2).sum()) / (len(scores) - 1)
    repeat = within / freedom
    part = (between - repeat) / float((whole - (counts**2).sum() / whole) / (len(scores) - 1))
    low, high = stats.chi2.ppf([0.5 - _CONFIDENCE / 2, 0.5 + _CONFIDENCE / 2], freedom)
    return Components(
        repeat=sqrt(repeat),
        repeat_low=sqrt(within / high),
        repeat_high=sqrt(within / low),
        part=sqrt(max(part, 0.0)),
        part_is_zero=part <= 0,
    )


def _within(scores: Sequence[Sequence[float]]) -> tuple[float, int]:
    """Sum of squares within parts, and its degrees of freedom."""
    squares = sum((score - fmean(s)) ** 2 for s in scores for score in s)
    return squares, sum(len(s) - 1 for s in scores)


def _sigma(squares: float, freedom: int) -> float | None:
    return sqrt(squares / freedom) if freedom else None


def _differ(squares: float, freedom: int, other_squares: float, other_freedom: int) -> bool:
    """Whether two variances differ, by a two-sided F test (Snedecor & Cochran, Statistical Methods, 8th edition, 6.12)."""
    if not (squares and other_squares):
        return False
    ratio = (squares / freedom) / (other_squares / other_freedom)
    tails = stats.f.cdf(ratio, freedom, other_freedom), stats.f.sf(ratio, freedom, other_freedom)
    return bool(2 * min(tails) < _UNEQUAL)
