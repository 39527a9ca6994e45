"""The master parts of a station, sealed with a recipe: each must come out as what it is known to be."""

from collections.abc import Sequence
from pathlib import Path

from calibration.known import NOTHING_KNOWN, Known, warnings
from calibration.study.repeatability import study_repeatability
from calibration.study.trials import Part
from edge.errors import BadConfig, TooFewGoods
from edge.host.clock import utc_now
from edge.host.files import write_through
from edge.recipe.recipe import Recipe
from edge.shift.card import MOST_SAMPLES, SampleCard, ShiftCard
from edge.types import Decision


def seal_samples(parts: Sequence[Part], recipe: Recipe) -> ShiftCard:
    """Golden samples first, then red rabbits, each with its score nearest to the threshold.

    Raises:
        BadConfig: a golden sample is not OK or a red rabbit is not NOK in every picture, or there are too many to present.
    """
    if len(parts) > MOST_SAMPLES:
        raise BadConfig(f"{len(parts)} samples are too many to present every shift; keep {MOST_SAMPLES} at most.")
    if wrong := [words for part in parts if (words := _wrong(part))]:
        raise BadConfig(
            f"threshold {recipe.manifest.threshold:.3f}: {'; '.join(wrong)}: keep other master parts, or build a recipe "
            f"that tells these apart."
        )
    samples = tuple(_card(part) for part in parts)
    return ShiftCard(made_utc=utc_now(), recipe_name=recipe.manifest.name, recipe_id=recipe.id, samples=samples)


def cautions_about(parts: Sequence[Part], threshold: float, known: Known = NOTHING_KNOWN) -> list[str]:
    """Which samples a repeat may turn, or that nothing is known of repeats, and which ones the recipe was made from."""
    return [*_fragile(parts, threshold), *warnings(known)]


def _fragile(parts: Sequence[Part], threshold: float) -> list[str]:
    try:
        fragile = [part.name for part in study_repeatability(parts, threshold).in_band]
    except TooFewGoods:
        return [
            "With one picture of each sample nobody knows whether a repeat may flip; take two or three, PART__1, PART__2."
        ]
    if not fragile:
        return []
    return [
        f"A repeat may flip {', '.join(fragile)}: too near to the threshold; a check would fail now and then without cause."
    ]


def write_samples(card: ShiftCard, path: Path) -> None:
    """Write the file that a station's `shift_check.samples` names; one that was there is replaced whole.

    Raises:
        BadConfig: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        write_through(draft, card.model_dump_json(indent=2).encode() + b"\n")
        draft.replace(path)
    except OSError as err:
        raise BadConfig(f"--out: {path} cannot be written: {err.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)


def _card(part: Part) -> SampleCard:
    expected = part.reference
    assert expected is not Decision.NOT_DECIDABLE  # noqa: S101 - a part is good or not
    score = max(part.scores) if expected is Decision.OK else min(part.scores)
    return SampleCard(name=part.name, kind=part.kind, expected=expected, score=score)


def _wrong(part: Part) -> str | None:
    """The first picture that did not come out as it should, in words."""
    for trial in part.trials:
        if trial.verdict.decision is not part.reference:
            what = "golden sample" if part.reference is Decision.OK else "red rabbit"
            score = f"score {trial.score:.3f}" if trial.score is not None else trial.verdict.reason
            return f"{what} {part.name} is {trial.verdict.decision} with {score} in {trial.picture.path.name}"
    return None
