"""Variance components are the textbook's, and every verdict that flips is named."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from calibration.study.repeatability import components, study_repeatability
from calibration.study.words import repeatability_notes
from edge.errors import TooFewGoods
from edge.types import Decision
from tests.trials import THRESHOLD, answered, scored


def test_components_of_a_balanced_study_are_those_worked_out_by_hand() -> None:
    # Within: six squares of 1, three degrees of freedom. Between: 2 · (16 + 0 + 16) / 2 = 32. Parts: (32 - 2) / 2.
    found = components([[1, 3], [5, 7], [9, 11]])
    assert (found.repeat**2, found.part**2) == (pytest.approx(2), pytest.approx(15))
    assert found.study_variation == pytest.approx(math.sqrt(2 / 17))
    assert found.ndc == 3  # 1.41 · 2.74, cut
    assert not found.part_is_zero
    assert (found.repeat_low, found.repeat_high) == (
        pytest.approx(math.sqrt(6 / stats.chi2.isf(0.025, 3))),
        pytest.approx(math.sqrt(6 / stats.chi2.isf(0.975, 3))),
    )


scores = st.lists(
    st.lists(st.floats(0, 20).map(lambda x: round(x, 2)), min_size=1, max_size=5), min_size=2, max_size=8
).filter(lambda parts: sum(len(part) - 1 for part in parts) > 0)


@given(scores)
def test_with_unequal_repeats_the_components_follow_from_the_librarys_f(parts: list[list[float]]) -> None:
    every = np.concatenate(parts)
    within = sum(((np.array(p) - np.mean(p)) ** 2).sum() for p in parts) / (len(every) - len(parts))
    if within < 1e-6:
        return
    f = stats.f_oneway(*parts).statistic
    size = (len(every) - sum(len(p) ** 2 for p in parts) / len(every)) / (len(parts) - 1)
    found = components(parts)
    assert found.repeat**2 == pytest.approx(within)
    assert found.part**2 == pytest.approx(max(0, within * (f - 1) / size), abs=1e-6)


def test_components_are_found_again_in_scores_that_were_drawn_with_them() -> None:
    rng = np.random.default_rng(0)
    drawn = [rng.normal(level, 0.5, 3 + number % 3).tolist() for number, level in enumerate(rng.normal(5, 2, 400))]
    found = components(drawn)
    assert found.repeat == pytest.approx(0.5, rel=0.05)
    assert found.part == pytest.approx(2, rel=0.1)
    assert found.repeat_low < 0.5 < found.repeat_high


def test_parts_that_differ_less_than_repeats_have_no_variation_and_it_is_said() -> None:
    found = components([[1, 9], [2, 8]])
    assert (found.part, found.part_is_zero, found.study_variation, found.ndc) == (0, True, 1, 0)


def test_repeats_that_do_not_differ_at_all_give_no_limit_of_categories() -> None:
    found = components([[1, 1], [2, 2]])
    assert (found.repeat, found.ndc, found.study_variation) == (0, None, 0)
    assert components([[1, 1], [1, 1]]).study_variation == 0


@pytest.mark.parametrize(
    ("parts", "says"), [([[1.0], [2.0], [3.0]], "every part has one picture"), ([[1.0, 2.0]], "two parts")]
)
def test_a_study_without_repeats_or_with_one_part_is_refused(parts: list[list[float]], says: str) -> None:
    with pytest.raises(TooFewGoods, match=says):
        components(parts)


def test_flips_majorities_and_the_band_are_counted_over_repeated_parts() -> None:
    parts = [
        scored("a", [1.0, 1.2, 1.1]),
        scored("b", [4.9, 5.1, 4.8]),
        scored("c", [9.0, 9.2]),
        scored("alone", [3.0]),
        answered("dark", [Decision.OK, Decision.NOT_DECIDABLE]),
    ]
    found = study_repeatability(parts, THRESHOLD)
    assert [part.name for part in found.flipping] == ["b", "dark"]
    assert found.agreeing == (3 + 2 + 2 + 1, 10)
    low, high = found.band
    assert (low, high) == (
        pytest.approx(THRESHOLD - 1.96 * found.components.repeat, abs=1e-4),
        pytest.approx(THRESHOLD + 1.96 * found.components.repeat, abs=1e-4),
    )
    assert [part.name for part in found.in_band] == ["b"]


def test_pictures_without_a_score_are_told() -> None:
    parts = [scored("a", [1.0, 1.2]), scored("b", [3.0]), answered("dark", [Decision.NOT_DECIDABLE] * 2)]
    (note,) = repeatability_notes(study_repeatability(parts, THRESHOLD))
    assert note.startswith("2 pictures could not be judged and have no score, the first dark__1.png: TOO_DARK")


def test_scatter_that_is_not_the_same_on_both_sides_of_the_threshold_is_seen() -> None:
    rng = np.random.default_rng(1)
    quiet = [scored(f"q{n}", rng.normal(2, 0.1, 4).tolist()) for n in range(8)]
    loud = [scored(f"l{n}", rng.normal(20, 1, 4).tolist()) for n in range(8)]
    found = study_repeatability([*quiet, *loud], THRESHOLD)
    assert found.differ
    assert found.below == pytest.approx(0.1, rel=0.4)
    assert found.above == pytest.approx(1, rel=0.4)
    assert not study_repeatability(quiet, THRESHOLD).differ
