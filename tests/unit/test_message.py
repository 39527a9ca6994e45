"""What a result says of one part."""

import math
from pathlib import Path

import pytest

from edge.capture.sources import shoot_file
from edge.host.clock import Boot
from edge.inspect.judge import judge
from edge.recipe.promise import GrayZone, Guarantee
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.message import Result, make_result, margin
from edge.report.wire import to_wire
from edge.shift.card import SampleCard
from edge.types import Decision, Frame, Origin, Reason, Verdict
from tests.results import STATION

RABBIT = SampleCard(name="rabbit", kind="scratch", expected=Decision.NOK, score=9.0)


@pytest.mark.parametrize(
    ("score", "threshold", "wanted"),
    [
        (2.0, 4.0, -0.5),
        (4.0, 4.0, 0.0),
        (8.0, 4.0, 1.0),
        (0.0, 4.0, -1.0),
        (-2.0, 4.0, -1.5),
        (1.0, 0.0, None),
        (1.0, -1.0, None),
        (1.0, 5e-324, None),
    ],
)
def test_the_margin_is_a_share_of_the_threshold_and_negative_below_it(
    score: float, threshold: float, wanted: float | None
) -> None:
    assert margin(score, threshold) == wanted


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


def told(recipe: Recipe, frame: Frame, verdict: Verdict, sample: SampleCard | None = None) -> Result:
    return make_result(
        frame, verdict, STATION, recipe, Boot(), 0.02, sample, origin=Origin.LIVE, clock_synced=True, latency_s=0.0301
    )


def test_a_result_says_whence_by_what_clock_and_how_near(recipe: Recipe, test_set: Path) -> None:
    frame = shoot_file(test_set / "scratch" / "part-200.png", 0)
    assert isinstance(frame, Frame)
    score, heat = recipe.measure(frame.pixels)  # type: ignore[misc] # the recipe has no alignment
    result = told(recipe, frame, judge(score, heat, recipe.manifest.threshold, 160, 120))
    assert (result.origin, result.clock_synced, result.inspect_ms, result.latency_ms) == ("live", True, 20.0, 30.1)
    assert result.verdict is Decision.NOK
    assert result.margin is not None
    assert math.isclose((1 + result.margin) * recipe.manifest.threshold, score.value)
    assert (result.job_id, result.evidence, result.gray_zone) == (None, None, None)
    assert Result.model_validate_json(to_wire(result)) == result


def test_where_nothing_was_measured_there_is_no_margin(recipe: Recipe, test_set: Path) -> None:
    frame = shoot_file(test_set / "good" / "part-100.png", 0)
    assert isinstance(frame, Frame)
    result = told(recipe, frame, Verdict.not_decidable(Reason.TOO_DARK, "dark"), RABBIT)
    assert (result.score, result.margin) == (None, None)
    assert (result.purpose, result.sample) == ("red_rabbit", "rabbit")


def test_the_bounds_of_a_gray_zone_are_told_with_every_result(recipe: Recipe, test_set: Path) -> None:
    threshold = recipe.manifest.threshold
    promise = Guarantee(max_false_reject=0.2, confidence=0.95, parts=15, rank=14)
    zone = GrayZone(above=threshold / 2, promise=promise)
    gray = Recipe(
        **{name: getattr(recipe, name) for name in Recipe.__slots__ if name != "manifest"},
        manifest=recipe.manifest.model_copy(update={"gray_zone": zone}),
    )
    frame = shoot_file(test_set / "good" / "part-100.png", 0)
    assert isinstance(frame, Frame)
    bounds = told(gray, frame, Verdict.not_decidable(Reason.TOO_DARK, "dark")).gray_zone
    assert bounds is not None
    assert (bounds.above, bounds.up_to) == (threshold / 2, threshold)
