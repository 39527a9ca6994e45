"""Score and map become a verdict."""

import numpy as np
import pytest

from edge.inspect.geometry import scaling
from edge.inspect.judge import MAX_REGIONS, judge
from edge.types import AnomalyMap, Decision, Reason, Score


def heat(
    *hot: tuple[int, int], rows: int = 10, cols: int = 20, value: float = 9.0, width: int = 200, height: int = 100
) -> AnomalyMap:
    """A map over a whole picture; each place is nearest to the row of the bank with its own number."""
    z = np.zeros((rows, cols), np.float32)
    for row, col in hot:
        z[row, col] = value
    return AnomalyMap(z, np.arange(rows * cols).reshape(rows, cols), scaling(width / cols, height / rows))


def test_a_score_equal_to_the_threshold_is_ok() -> None:
    assert judge(Score(3.0, "max", 1), heat(), 3.0, 200, 100).decision is Decision.OK


def test_a_score_above_the_threshold_is_nok_and_says_where_in_pixels() -> None:
    verdict = judge(Score(9.0, "max", 1), heat((2, 5), (2, 6), (7, 1)), 3.0, 200, 100)
    assert (verdict.decision, verdict.reason) == (Decision.NOK, Reason.ABOVE_THRESHOLD)
    boxes = {(r.x, r.y, r.width, r.height) for r in verdict.regions}
    assert boxes == {(50, 20, 20, 10), (10, 70, 10, 10)}
    assert {r.nearest for r in verdict.regions} == {2 * 20 + 5, 7 * 20 + 1}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_not_decidable(value: float) -> None:
    verdict = judge(Score(value, "max", 0), heat(), 3.0, 200, 100)
    assert (verdict.decision, verdict.reason) == (Decision.NOT_DECIDABLE, Reason.NOT_FINITE)


def test_boxes_stay_inside_pictures_that_are_no_multiple_of_the_grid() -> None:
    verdict = judge(Score(9.0, "max", 1), heat((9, 19), (0, 0), width=333, height=77), 3.0, 333, 77)
    assert all(r.x >= 0 and r.y >= 0 and r.x + r.width <= 333 and r.y + r.height <= 77 for r in verdict.regions)


def test_only_the_highest_regions_are_kept() -> None:
    spots = [(row, col) for row in range(0, 10, 2) for col in range(0, 20, 2)]
    verdict = judge(Score(9.0, "max", 1), heat(*spots), 3.0, 200, 100)
    assert len(verdict.regions) == MAX_REGIONS
