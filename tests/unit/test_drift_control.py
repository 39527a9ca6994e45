"""Control charts do what their papers say, and keep their promise for skewed scores and small references."""

import numpy as np
import pytest

from calibration.drift.control import ARL0, LIMITS, cusum, ewma, excursions, limits_for, standardise
from calibration.drift.reference import reference_of
from calibration.drift.trend import trend_of
from edge.errors import TooFewGoods
from tests.bench.control_limits import ENDLESS, cusum_run_length, ewma_run_length, limit_for


def test_ewma_and_cusum_are_the_recursions_of_their_papers() -> None:
    values = np.array([1.0, -2.0, 0.5, 3.0, 3.0, 3.0])
    smoothed, up, down = 0.0, 0.0, 0.0
    expected = []
    for value in values:
        smoothed = 0.2 * value + 0.8 * smoothed
        up, down = max(0, up + value - 0.5), max(0, down - value - 0.5)
        expected.append((smoothed, up, -down))
    found = zip(ewma(values, 3).values, cusum(values, 50, up=True).values, cusum(values, 50, up=False).values, strict=True)
    assert [*found] == [pytest.approx(each) for each in expected]
    assert ewma(values, 3).limit == pytest.approx(3 * np.sqrt(0.2 / 1.8))


def test_a_cusum_stops_growing_so_that_it_forgets() -> None:
    chart = cusum(np.r_[np.full(1000, 3.0), np.full(20, -3.0)], 5, up=True)
    assert chart.values.max() == 10
    assert chart.present is None
    assert [(e.began, e.alarmed, e.end) for e in chart.excursions] == [(0, 2, 1002)]


def test_an_excursion_begins_where_the_centre_line_was_left() -> None:
    values = np.array([-1.0, 0.5, 1.0, 5.0, 1.0, -1.0, -6.0, -2.0])
    first, last = excursions(values, 4)
    assert (first.began, first.alarmed, first.end, first.up) == (1, 3, 5, True)
    assert (last.began, last.alarmed, last.end, last.up) == (5, 6, None, False)
    assert excursions(values, 7) == excursions(np.array([]), 7) == ()


def test_normal_scores_are_standard_normal_for_any_distribution() -> None:
    rng = np.random.default_rng(0)
    reference, scores = np.sort(rng.lognormal(1, 1, 5000)), rng.lognormal(1, 1, 20_000)
    values = standardise(scores, reference)
    assert (values.mean(), values.std()) == (pytest.approx(0, abs=0.05), pytest.approx(1, abs=0.03))
    # Ties count half: a score equal to the median of three is in the middle.
    assert standardise(np.array([2.0]), np.array([1.0, 2.0, 3.0]))[0] == pytest.approx(0)


@pytest.mark.parametrize(("chart", "textbook"), [(ewma_run_length, 2.962), (cusum_run_length, 5.07)])
def test_limits_for_an_endless_reference_are_the_textbooks(chart: object, textbook: float) -> None:
    found, run_length = limit_for(ENDLESS, chart, textbook - 0.5, textbook + 0.5)
    assert (found, run_length) == (pytest.approx(textbook, abs=0.03), pytest.approx(ARL0, rel=0.03))


@pytest.mark.parametrize("reference", [50, 200])
def test_nine_in_ten_references_of_skewed_scores_keep_the_promise(reference: int) -> None:
    rng = np.random.default_rng(reference)
    parts, lengths = 10_000, []
    limit, interval = limits_for(reference)
    for _ in range(60):
        values = standardise(rng.gamma(2, 1, parts), np.sort(rng.gamma(2, 1, reference)))
        alarms = [len(c.excursions) for c in (ewma(values, limit), cusum(values, interval, up=True))]
        alarms[1] += len(cusum(values, interval, up=False).excursions)
        lengths.append([parts / max(1, n) for n in alarms])
    kept = np.mean(np.array(lengths) >= ARL0, axis=0)
    # 60 references: 0.9 give or take three standard errors of 0.04.
    assert (kept > 0.78).all()


def test_a_shift_of_one_deviation_is_found_within_a_shift_of_work() -> None:
    rng = np.random.default_rng(1)
    values = standardise(rng.gamma(2, 1, 3000) + np.sqrt(2) * (np.arange(3000) >= 2000), np.sort(rng.gamma(2, 1, 200)))
    present = ewma(values, limits_for(200)[0]).present or cusum(values, limits_for(200)[1], up=True).present
    assert present is not None
    assert 1900 < present.began < 2050
    assert present.up


def test_limits_are_those_of_the_next_smaller_reference() -> None:
    assert limits_for(199) == LIMITS[150]
    assert limits_for(200) == LIMITS[200]
    assert limits_for(10**6) == LIMITS[1000]


def test_a_reference_needs_parts_after_it() -> None:
    with pytest.raises(TooFewGoods, match=r"hold 150 parts judged OK, and --baseline 200.*--baseline 50"):
        reference_of(np.ones(49), np.ones(150), None)
    with pytest.raises(TooFewGoods, match="try again"):
        reference_of(np.ones(80), np.ones(50), 50)
    found = reference_of(np.ones(80), np.array([3.0, 1.0, 2.0, 9.0]), 3)
    assert (found.scores.tolist(), found.used) == ([1, 2, 3], 3)


def test_the_recipes_own_goods_are_the_reference_where_it_holds_enough() -> None:
    found = reference_of(np.arange(50.0)[::-1], np.ones(1), None)
    assert (found.scores.tolist(), found.used) == (list(range(50)), 0)
    with pytest.raises(TooFewGoods, match="no part judged OK"):
        reference_of(np.ones(50), np.empty(0), None)


def test_a_slope_says_when_the_threshold_is_reached() -> None:
    rng = np.random.default_rng(2)
    trend = trend_of(2 + 0.001 * np.arange(3000) + rng.normal(0, 0.3, 3000))
    assert trend is not None
    assert trend.low < 0.001 < trend.high
    until = trend.parts_until(8)
    assert until is not None
    value, low, high = until
    assert low < value < high
    assert value == pytest.approx(3000, rel=0.1)
    assert trend.parts_until(4) is None
    flat = trend_of(rng.normal(0, 1, 3000))
    assert flat is not None
    assert (flat.rises, flat.parts_until(8)) == (False, None)
    assert trend_of(np.ones(9)) is None
