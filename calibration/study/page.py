"""The pages of the studies."""

from collections import Counter
from collections.abc import Iterable, Sequence

from calibration.known import Known, warnings
from calibration.page.blocks import Block, Chart, Facts, Gallery, Page, Section, Shown, Table, Text, Tone
from calibration.page.cards import recipe_card
from calibration.page.charts import dots
from calibration.page.pictures import jpeg
from calibration.study.agreement import Agreement, Grade
from calibration.study.repeatability import Repeatability
from calibration.study.trials import Part, Trial
from calibration.study.words import (
    AIAG_LIMITS,
    agreement_sentence,
    appraisal_facts,
    repeatability_facts,
    repeatability_notes,
    repeatability_sentence,
    samples_sentence,
)
from edge.capture.pictures import read_picture
from edge.recipe.recipe import Recipe
from edge.report.overlay import tint
from edge.shift.card import ShiftCard
from edge.types import Decision

_MOST_SHOWN = 48
_NEAREST = 20
_TONES: dict[Decision, Tone] = {Decision.OK: "good", Decision.NOK: "bad", Decision.NOT_DECIDABLE: "warn"}
_GRADES: dict[Grade, Tone] = {Grade.ACCEPTABLE: "good", Grade.MARGINAL: "warn", Grade.UNACCEPTABLE: "bad"}


def repeatability_page(found: Repeatability, known: Known, recipe: Recipe) -> Page:
    """Dot plot, numbers, and the parts that flip. known: pictures that the recipe was made from."""
    scores = {part.name: part.scores for part in found.parts}
    flipping = frozenset(part.name for part in found.flipping)
    chart = Chart(
        dots(scores, threshold=found.threshold, band=found.band, stand_out=flipping),
        "Each column is a part, each dot a picture of it; in the shaded band a repeat may come out the other way.",
    )
    notes = tuple(Text(note, "warn") for note in (*repeatability_notes(found), *warnings(known)))
    sections = (
        Section("Scores", (chart,)),
        Section("Numbers", (Facts(repeatability_facts(found)), *notes)),
        Section("Parts whose verdict flips", _gallery(found.flipping, recipe, "None did.")),
        Section(f"The {min(_NEAREST, len(found.parts))} parts nearest to the threshold", (_nearest(found),)),
        recipe_card(recipe.manifest, recipe.id),
    )
    lead = Text(repeatability_sentence(found), "warn" if found.flipping or known.bank else "good")
    return Page(f"Repeatability of {recipe.manifest.name}", lead, sections)


def agreement_page(found: Agreement, recipe: Recipe) -> Page:
    """Verdicts of everybody, and the parts on which the device disagrees with the reference."""
    columns = [appraisal_facts(found, appraisal) for appraisal in found.appraisals]
    rows = tuple((facts[0][0], *(value for _, value in facts)) for facts in zip(*columns, strict=True))
    table = Table(("", *(appraisal.name for appraisal in found.appraisals)), rows)
    cautions = tuple(Text(caution, "warn") for caution in found.cautions)
    sections = (
        Section("Verdicts", (table, *cautions, Text(AIAG_LIMITS))),
        Section("What the device said", (_answers(found.parts),)),
        Section("Parts on which the device disagrees", _gallery(found.wrong, recipe, "There are none.")),
        recipe_card(recipe.manifest, recipe.id),
    )
    tone = _GRADES[found.device.grade]
    # A good grade of a study that is not to be relied on is no good news.
    lead = Text(agreement_sentence(found), "warn" if tone == "good" and found.cautions else tone)
    return Page(f"Agreement of {recipe.manifest.name}", lead, sections)


def samples_page(card: ShiftCard, parts: Sequence[Part], cautions: Sequence[str], recipe: Recipe) -> Page:
    """The sheet that hangs at the station."""
    shown = tuple(
        _shown(
            part.trials[0],
            recipe,
            f"{number}. {sample.name}",
            f"{sample.purpose.replace('_', ' ')}, must be {sample.expected}; score {sample.score:.2f} when sealed",
        )
        for number, (sample, part) in enumerate(zip(card.samples, parts, strict=True), 1)
    )
    warned = tuple(Text(caution, "warn") for caution in cautions)
    sections = (Section("In this order", (Gallery(shown), *warned)), recipe_card(recipe.manifest, recipe.id))
    return Page(f"Shift check of {recipe.manifest.name}", Text(samples_sentence(card)), sections)


def _gallery(parts: Sequence[Part], recipe: Recipe, none: str) -> tuple[Block, ...]:
    """Pictures of parts, as many as fit, tinted where the device found them strange."""
    trials = [trial for part in parts for trial in part.trials]
    if not trials:
        return (Text(none),)
    shown = tuple(_shown(trial, recipe, trial.picture.part, _caption(trial)) for trial in trials[:_MOST_SHOWN])
    left_out = Text(f"{len(trials) - _MOST_SHOWN} more pictures are not shown.")
    return (Gallery(shown), left_out) if len(trials) > _MOST_SHOWN else (Gallery(shown),)


def _shown(trial: Trial, recipe: Recipe, title: str, caption: str) -> Shown:
    pixels = tint(read_picture(trial.picture.path), trial.verdict, recipe.manifest.threshold)
    return Shown(jpeg(pixels), title, caption, _TONES[trial.verdict.decision])


def _caption(trial: Trial) -> str:
    said = trial.verdict.decision if trial.score is None else f"{trial.verdict.decision}, score {trial.score:.2f}"
    reason = f", {trial.verdict.reason}" if trial.verdict.decision is Decision.NOT_DECIDABLE else ""
    return f"{said}{reason}, {trial.picture.path.parent.name}/{trial.picture.path.name}"


def _nearest(found: Repeatability) -> Table:
    measured = [(part, part.mean) for part in found.parts if part.mean is not None]
    nearest = sorted(measured, key=lambda each: abs(each[1] - found.threshold))[:_NEAREST]
    rows = tuple(
        (part.name, f"{mean:.3f}", f"{min(part.scores):.3f}", f"{max(part.scores):.3f}", _counted(part.answers))
        for part, mean in nearest
    )
    return Table(("part", "mean score", "lowest", "highest", "verdicts"), rows, frozenset({1, 2, 3}))


def _answers(parts: Sequence[Part]) -> Table:
    """How many trials of each kind had which answer."""
    by_kind: dict[str, list[Part]] = {}
    for part in parts:
        by_kind.setdefault(part.kind, []).append(part)
    rows = tuple(
        (kind, str(len(of_kind)), *(str(sum(part.answers.count(answer) for part in of_kind)) for answer in Decision))
        for kind, of_kind in by_kind.items()
    )
    return Table(("folder", "parts", *(f"trials {answer}" for answer in Decision)), rows, frozenset(range(1, 5)))


def _counted(answers: Iterable[Decision]) -> str:
    return ", ".join(f"{count} {answer}" for answer, count in Counter(answers).most_common())
