"""Attribute agreement analysis of AIAG's Measurement Systems Analysis, 4th edition, chapter III C: device and people.

NOT_DECIDABLE is an answer of its own: never right, never a miss, never a false alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from calibration.known import NOTHING_KNOWN, Known, warnings
from calibration.rates import Rate
from calibration.study.appraisers import DEVICE, Answers
from calibration.study.kappa import cohen, fleiss
from calibration.study.repeatability import study_repeatability
from calibration.study.trials import Part
from edge.errors import TooFewGoods
from edge.types import Decision

ENOUGH_PARTS = 50
DEFECT_SHARE = 0.25
"""What a study should hold at least, and of that in defects."""


class Grade(StrEnum):
    """AIAG's three verdicts, best first."""

    ACCEPTABLE = "acceptable"
    MARGINAL = "marginal"
    UNACCEPTABLE = "unacceptable"


_ACCEPTABLE, _MARGINAL = (0.90, 0.02, 0.05), (0.80, 0.05, 0.10)
"""Effectiveness at least, miss rate at most, false-alarm rate at most."""


@dataclass(frozen=True, slots=True)
class Appraisal:
    """How one appraiser answered.

    effectiveness: parts whose every trial is right, of all parts; miss: OK of all trials of defects; false_alarm: NOK of all
    trials of goods, each with its Clopper-Pearson interval at 95 %. kappa: Cohen's, with the reference, over trials.
    within: parts whose trials all agree, of parts with two or more, and fleiss the kappa of that; None with one trial.
    """

    name: str
    effectiveness: Rate
    miss: Rate
    false_alarm: Rate
    kappa: float | None
    within: Rate | None
    fleiss: float | None
    not_decidable: int
    trials: int

    @property
    def grades(self) -> tuple[Grade, Grade, Grade]:
        """Of effectiveness, miss rate and false-alarm rate."""
        values = self.effectiveness.value, self.miss.value, self.false_alarm.value
        effective, miss, alarm = (
            _grade(value, good, fair, rising=index == 0)
            for index, (value, good, fair) in enumerate(zip(values, _ACCEPTABLE, _MARGINAL, strict=True))
        )
        return effective, miss, alarm

    @property
    def grade(self) -> Grade:
        """The worst of the three."""
        return max(self.grades, key=list(Grade).index)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The device first, then people.

    with_device: Cohen's kappa of each person with the device; cautions: why not to rely on the study, a sentence each.
    """

    parts: tuple[Part, ...]
    appraisals: tuple[Appraisal, ...]
    with_device: dict[str, float | None]
    cautions: tuple[str, ...]

    @property
    def device(self) -> Appraisal:
        """The recipe's own."""
        return self.appraisals[0]

    @property
    def wrong(self) -> tuple[Part, ...]:
        """Parts of which the device said another thing than the reference, once or more."""
        return tuple(part for part in self.parts if set(part.answers) != {part.reference})


def study_agreement(
    parts: Sequence[Part], threshold: float, people: Mapping[str, Answers], known: Known = NOTHING_KNOWN
) -> Agreement:
    """Compare everybody's answers with the reference and people's with the device's.

    known: pictures of the study that the recipe was made from.
    """
    device = {part.name: part.answers for part in parts}
    return Agreement(
        parts=tuple(parts),
        appraisals=tuple(_appraise(name, parts, answers) for name, answers in ({DEVICE: device} | dict(people)).items()),
        with_device={name: _pairwise(device, answers) for name, answers in people.items()},
        cautions=(*_cautions(parts, threshold), *warnings(known)),
    )


def _appraise(name: str, parts: Sequence[Part], answers: Answers) -> Appraisal:
    told = [(part.reference, answer) for part in parts for answer in answers[part.name]]
    goods = [answer for truth, answer in told if truth is Decision.OK]
    bads = [answer for truth, answer in told if truth is Decision.NOK]
    repeated = [answers[part.name] for part in parts if len(answers[part.name]) > 1]
    right = sum(set(answers[part.name]) == {part.reference} for part in parts)
    return Appraisal(
        name=name,
        effectiveness=_rate(right, len(parts)),
        miss=_rate(bads.count(Decision.OK), len(bads)),
        false_alarm=_rate(goods.count(Decision.NOK), len(goods)),
        kappa=cohen([truth for truth, _ in told], [answer for _, answer in told]),
        within=Rate.of(sum(len(set(trials)) == 1 for trials in repeated), len(repeated)),
        fleiss=fleiss(repeated),
        not_decidable=sum(answer is Decision.NOT_DECIDABLE for _, answer in told),
        trials=len(told),
    )


def _pairwise(one: Answers, other: Answers) -> float | None:
    """Trial by trial, as far as both have trials of a part."""
    pairs = [pair for part, answers in one.items() for pair in zip(answers, other[part], strict=False)]
    return cohen([pair[0] for pair in pairs], [pair[1] for pair in pairs])


def _cautions(parts: Sequence[Part], threshold: float) -> list[str]:
    said = []
    if len(parts) < ENOUGH_PARTS:
        said.append(f"{len(parts)} parts are too few: AIAG asks for {ENOUGH_PARTS} or more.")
    defects = sum(part.reference is Decision.NOK for part in parts)
    if defects < DEFECT_SHARE * len(parts):
        said.append(f"{defects} of {len(parts)} parts are defective: take a quarter or more, or the miss rate means little.")
    if all(len(part.trials) == 1 for part in parts):
        said.append(
            "One trial a part: nothing is known of repeats and borderline parts; take two or three pictures of each, named "
            "PART__1, PART__2."
        )
    elif not _borderline(parts, threshold):
        said.append("No borderline parts: none lies where a repeat may flip; add parts that people argue about.")
    return said


def _borderline(parts: Sequence[Part], threshold: float) -> bool:
    """Whether a mean score lies in the band around the threshold, or an answer changed."""
    if any(len(set(part.answers)) > 1 for part in parts):
        return True
    try:
        return bool(study_repeatability(parts, threshold).in_band)
    except TooFewGoods:
        return False


def _grade(value: float, good: float, fair: float, *, rising: bool) -> Grade:
    if rising:
        return Grade.ACCEPTABLE if value >= good else Grade.MARGINAL if value >= fair else Grade.UNACCEPTABLE
    return Grade.ACCEPTABLE if value <= good else Grade.MARGINAL if value <= fair else Grade.UNACCEPTABLE


def _rate(count: int, total: int) -> Rate:
    rate = Rate.of(count, total)
    assert rate is not None, "a study has goods and defects"  # noqa: S101 - labelled_pictures_in sees to it
    return rate
