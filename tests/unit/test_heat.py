"""A map is laid over its picture where it was looked at, and nowhere else."""

import numpy as np
import pytest

from edge.inspect.geometry import scaling, translation
from edge.inspect.heat import spread
from edge.types import AnomalyMap, Doubles, Floats

PICTURE = (60, 90)
ROI = translation(30, 20) @ scaling(40 / 8, 30 / 6)
"""40×30 pixels at (30, 20), 6×8 places."""


def over(z: Floats, to_picture: Doubles | None = None) -> AnomalyMap:
    rows, cols = z.shape
    whole = scaling(PICTURE[1] / cols, PICTURE[0] / rows)
    return AnomalyMap(z, np.zeros(z.shape, np.intp), whole if to_picture is None else to_picture)


def some(rows: int, cols: int) -> Floats:
    return np.random.default_rng(0).uniform(1, 9, (rows, cols)).astype(np.float32)


def in_roi(factor: float = 1) -> np.ndarray:
    inside = np.zeros((round(PICTURE[0] * factor), round(PICTURE[1] * factor)), np.bool_)
    inside[round(20 * factor) : round(50 * factor), round(30 * factor) : round(70 * factor)] = True
    return inside


@pytest.mark.parametrize("value", [-3.0, 0.5, 7.0])
def test_one_value_everywhere_covers_the_whole_picture(value: float) -> None:
    found = spread(over(np.full((4, 6), value, np.float32)), PICTURE, PICTURE)
    assert (found.dtype, found.shape) == (np.float32, PICTURE)
    np.testing.assert_allclose(found, value, rtol=1e-5)


def test_the_centre_of_each_place_has_its_value() -> None:
    z = some(12, 18)  # places of 5×5 pixels
    np.testing.assert_allclose(spread(over(z), PICTURE, PICTURE)[2::5, 2::5], z, rtol=1e-5)


def test_values_between_centres_lie_between_theirs() -> None:
    z = np.repeat(np.arange(9, dtype=np.float32)[None], 6, axis=0)
    row = spread(over(z), PICTURE, PICTURE)[30]
    np.testing.assert_allclose(row, np.clip((np.arange(90) + 0.5) / 10 - 0.5, 0, 8), atol=0.02)


def test_a_region_has_its_map_and_around_it_is_nothing() -> None:
    found = spread(over(some(6, 8), ROI), PICTURE, PICTURE)
    assert (found[in_roi()] >= 1).all()
    assert (found[~in_roi()] == 0).all()
    np.testing.assert_allclose(found[22:50:5, 32:70:5], some(6, 8), rtol=1e-5)


def test_around_a_region_whose_map_goes_below_zero_is_the_lowest_value() -> None:
    z = some(6, 8) - 5
    found = spread(over(z, ROI), PICTURE, PICTURE)
    np.testing.assert_array_equal(found[~in_roi()], z.min())


@pytest.mark.parametrize("factor", [0.5, 2, 3])
def test_another_scale_shows_the_same_places(factor: float) -> None:
    size = round(PICTURE[0] * factor), round(PICTURE[1] * factor)
    found = spread(over(some(6, 8), ROI), PICTURE, size)
    assert found.shape == size
    np.testing.assert_array_equal(found > 0, in_roi(factor))


def test_the_highest_value_lies_in_the_place_that_has_it() -> None:
    z = np.zeros((6, 8), np.float32)
    z[4, 5] = 9
    row, col = np.unravel_index(spread(over(z, ROI), PICTURE, PICTURE).argmax(), PICTURE)
    assert 20 + 4 * 5 <= row < 20 + 5 * 5
    assert 30 + 5 * 5 <= col < 30 + 6 * 5


def test_a_turned_view_is_seen_turned() -> None:
    quarter = np.array([[0.0, -1.0, 75.0], [1.0, 0.0, 10.0], [0.0, 0.0, 1.0]])
    z = np.zeros((6, 8), np.float32)
    z[0] = 9
    found = spread(over(z, quarter @ scaling(5, 5)), PICTURE, PICTURE)
    assert (found[10:50, 71:75] > 4).all()
    assert (found[10:50, 46:60] == 0).all()
    assert not found[:, 75:].any()


def test_a_view_that_reaches_beyond_the_picture_is_cut_off() -> None:
    found = spread(over(some(6, 8), translation(-10, -5) @ scaling(5, 5)), PICTURE, PICTURE)
    assert (found[:25, :30] >= 1).all()
    assert not found[25:].any()
    assert not found[:, 30:].any()
