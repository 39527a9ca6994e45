"""One part is tried: would it be good with a few of its patches taught, and would everything bad stay rejected?"""

from dataclasses import dataclass

from edge.errors import BadRecipe, NotTaught
from edge.host.clock import utc_now
from edge.inspect.refine import NotAligned
from edge.loop import inspect
from edge.recipe.recipe import Recipe, TaughtPart
from edge.report.message import Result
from edge.teach.choose import choose_patches
from edge.teach.config import TeachConfig
from edge.teach.guard import Guard
from edge.types import Decision, Frame, Pixels, Reason, Verdict


@dataclass(frozen=True, slots=True)
class Lesson:
    """What would be taught, and the part's score without and with it."""

    part: TaughtPart
    score_before: float
    score_after: float


def make_lesson(
    recipe: Recipe, pixels: Pixels, picture: str, result: Result | None, limits: TeachConfig, guard: Guard
) -> Lesson:
    """Try it with eyes of its own while the line goes on with the recipe.

    picture: what it is called; result: what was said of it, None where nobody knows.

    Raises:
        NotTaught: something speaks against it.
    """
    now = recipe.twin()
    try:
        now.with_taught((), limits.reach).reproduce_golden()
    except BadRecipe as err:
        raise NotTaught(str(err)) from None
    verdict = judged(now, pixels)
    before = _score_to_teach(verdict, result, now, limits.max_score_ratio)
    grid = now.eye(pixels)
    assert not isinstance(grid, NotAligned)  # noqa: S101 - it has just been judged
    part = choose_patches(now, grid, picture, limits.most_patches, limits.reach)
    then = now.with_taught((*now.taught, part), limits.reach)
    after = judged(then, pixels)
    if after.decision is not Decision.OK or after.score is None:
        raise NotTaught(
            f"even with {len(part.places)} of its patches it is {_shown(after)}; it is strange in too many places, build a "
            f"recipe with such parts."
        )
    guard.check(lambda known: judged(now, known), lambda known: judged(then, known))
    return Lesson(part, before, after.score.value)


def is_reject(reason: Reason) -> bool:
    """Whether a person may accept the part: it lies above the threshold, or in the gray zone."""
    return reason in (Reason.ABOVE_THRESHOLD, Reason.GRAY_ZONE)


def judged(recipe: Recipe, pixels: Pixels) -> Verdict:
    """The verdict of a picture that was kept."""
    return inspect(Frame("", 0, 0.0, utc_now(), pixels), recipe)


def _score_to_teach(verdict: Verdict, result: Result | None, recipe: Recipe, max_ratio: float) -> float:
    """The part's score, if it is one that may be taught."""
    if not is_reject(verdict.reason) or verdict.score is None:
        raise NotTaught(f"is {_shown(verdict)} by the recipe in use; there is nothing to teach.")
    score, threshold = verdict.score.value, recipe.manifest.threshold
    # Other parts taught since may have changed its score.
    told = result.score if result and result.taught == len(recipe.taught) else None
    if told is not None and not abs(score - told) <= recipe.manifest.golden[0].tolerance:
        raise NotTaught(f"scores {score:.4g} here and {told:.4g} in its result; picture or device was changed.")
    if threshold <= 0:
        raise NotTaught(f"the threshold is {threshold:.4g}; how far a part lies above it is only known of one above zero.")
    if score > max_ratio * threshold:
        raise NotTaught(
            f"scores {score:.4g}, {score / threshold:.2f} times the threshold; teach.max_score_ratio allows {max_ratio:g}."
        )
    return score


def _shown(verdict: Verdict) -> str:
    score = f" with score {verdict.score.value:.4g}" if verdict.score else ""
    return f"{verdict.decision} {verdict.reason}{score}"
