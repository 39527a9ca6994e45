"""Studies in words, as the commands print them and the pages repeat them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from calibration.known import Known, warnings
from calibration.rates import Rate
from calibration.study.agreement import Agreement, Appraisal, Grade
from calibration.study.kappa import GOOD_KAPPA, POOR_KAPPA
from calibration.study.repeatability import Repeatability
from calibration.study.trials import Part
from edge.shift.card import ShiftCard

AIAG_LIMITS = (
    "AIAG calls a system acceptable when every trial is right on 90 % of the parts or more (effectiveness), at most 2 % of "
    "the trials of defects are missed and at most 5 % of the trials of goods are false alarms; marginal up to 80 %, 5 % and "
    "10 %; a kappa above 0.75 is good agreement and one below 0.40 poor. A trial that is not decidable is never right, "
    "never a miss and never a false alarm. Cohen's kappa compares with the reference and with the device, Fleiss' kappa "
    "repeats. Intervals are Clopper-Pearson's at 95 %; they take trials of one part as independent, which makes them "
    "a little too narrow."
)


def repeatability_in_words(found: Repeatability, known: Known, page: Path) -> str:
    """The whole study, for people."""
    facts = (*repeatability_facts(found), *(("flips", answers_of(part)) for part in found.flipping))
    lines = [f"{name:<20} {value}" for name, value in facts]
    notes = [*repeatability_notes(found), *warnings(known)]
    return "\n".join([repeatability_sentence(found), *lines, *notes, f"page: {page}"])


def repeatability_sentence(found: Repeatability) -> str:
    """What one would act on."""
    low, high = found.band
    flips = len(found.flipping)
    whose = "their" if flips > 1 else "its"
    return (
        f"{flips or 'None'} of {len(found.parts)} parts changed {whose} verdict between repeats; a repeat may flip where "
        f"the score lies from {low:.3f} to {high:.3f} (threshold {found.threshold:.3f})."
    )


def repeatability_facts(found: Repeatability) -> tuple[tuple[str, str], ...]:
    """Names and values."""
    parts, agreeing = found.components, found.agreeing
    low, high = found.band
    return (
        ("repeatability sigma", f"{parts.repeat:.4f}  (95 % interval {parts.repeat_low:.4f} to {parts.repeat_high:.4f})"),
        ("part sigma", f"{parts.part:.4f}"),
        (
            "study variation",
            f"{parts.study_variation:.1%}  (AIAG: good below 10 %, not usable above 30 %; parts that differ more lower it)",
        ),
        ("distinct categories", f"{'no limit' if parts.ndc is None else parts.ndc}  (AIAG asks for 5 or more)"),
        (
            "agreement",
            f"{agreeing[0] / agreeing[1]:.2%}  ({agreeing[0]} of {agreeing[1]} repeats agree with their part's majority)",
        ),
        ("verdict flips", f"{len(found.flipping)} of {len(found.parts)} parts"),
        (
            "gray zone",
            f"{low:.3f} to {high:.3f} suggested (threshold ± 1.96 sigma), {len(found.in_band)} of {len(found.parts)} parts",
        ),
    )


def repeatability_notes(found: Repeatability) -> tuple[str, ...]:
    """What to keep in mind, a sentence each."""
    notes = []
    if unmeasured := [trial for part in found.parts for trial in part.trials if trial.score is None]:
        first = unmeasured[0]
        notes.append(
            f"{len(unmeasured)} pictures could not be judged and have no score, the first {first.picture.path.name}: "
            f"{first.verdict.reason}, {first.verdict.detail}."
        )
    if found.components.part_is_zero:
        notes.append(
            "Parts differ no more than repeats do: the variance between them is not above zero, and is taken as zero."
        )
    if found.differ and found.below is not None and found.above is not None:
        notes.append(
            f"Repeats scatter differently on the two sides of the threshold, sigma {found.below:.4f} below and "
            f"{found.above:.4f} above: the band is a mean of both; repeat more parts that lie near it."
        )
    return tuple(notes)


def answers_of(part: Part) -> str:
    """The part and what was said of it."""
    counts = Counter(part.answers)
    scores = f", scores {min(part.scores):.3f} to {max(part.scores):.3f}" if part.scores else ""
    return f"{part.name}: {', '.join(f'{count} {answer}' for answer, count in counts.most_common())}{scores}"


def agreement_in_words(found: Agreement, page: Path) -> str:
    """The whole study, for people."""
    lines = [agreement_sentence(found)]
    for appraisal in found.appraisals:
        lines += [appraisal.name, *(f"  {name:<17} {value}" for name, value in appraisal_facts(found, appraisal))]
    return "\n".join([*lines, *found.cautions, f"page: {page}"])


def agreement_sentence(found: Agreement) -> str:
    """What one would sign, or not."""
    device = found.device
    worst = "" if device.grade is Grade.ACCEPTABLE else f", because of its {', '.join(_below_par(device))}"
    small = " The study itself is not what AIAG asks for." if found.cautions else ""
    return (
        f"By AIAG's limits the device is {device.grade}{worst}; it is right on {device.effectiveness.count} of "
        f"{device.effectiveness.total} parts in every trial.{small}"
    )


def appraisal_facts(found: Agreement, appraisal: Appraisal) -> tuple[tuple[str, str], ...]:
    """Names and values, the same names for everybody."""
    effective, miss, alarm = (
        f"{_short(rate)} {grade}"
        for rate, grade in zip(
            (appraisal.effectiveness, appraisal.miss, appraisal.false_alarm), appraisal.grades, strict=True
        )
    )
    others = found.with_device
    return (
        ("AIAG", appraisal.grade),
        ("effectiveness", effective),
        ("miss rate", miss),
        ("false-alarm rate", alarm),
        ("kappa, reference", _kappa(appraisal.kappa)),
        ("kappa, device", _kappa(others[appraisal.name]) if appraisal.name in others else "-"),
        ("repeats all agree", _short(appraisal.within) if appraisal.within else "- (one trial)"),
        ("kappa, repeats", _kappa(appraisal.fleiss) if appraisal.within else "- (one trial)"),
        ("not decidable", f"{appraisal.not_decidable} of {appraisal.trials}"),
    )


def _kappa(kappa: float | None) -> str:
    if kappa is None:
        return "- (all answers are the same)"
    grade = "good" if kappa > GOOD_KAPPA else "poor" if kappa < POOR_KAPPA else "moderate"
    return f"{kappa:.3f} {grade}"


def samples_in_words(card: ShiftCard, cautions: Sequence[str], path: Path, page: Path) -> str:
    """The list as an operator goes through it."""
    rows = [
        f"{number:>3}  {sample.expected:<3}  {sample}  (score {sample.score:.3f})"
        for number, sample in enumerate(card.samples, 1)
    ]
    return "\n".join([samples_sentence(card), *rows, *cautions, f"samples: {path}", f"page: {page}"])


def samples_sentence(card: ShiftCard) -> str:
    """What the operator does with them."""
    return (
        f"{len(card.samples)} samples, sealed with recipe {card.recipe_name}: present them in this order at a shift check."
    )


def _below_par(appraisal: Appraisal) -> list[str]:
    names = ("effectiveness", "miss rate", "false-alarm rate")
    return [name for name, grade in zip(names, appraisal.grades, strict=True) if grade is appraisal.grade]


def _short(rate: Rate) -> str:
    return f"{rate.value:.1%} ({rate.count} of {rate.total}; {rate.low:.1%} to {rate.high:.1%})"
