"""Quantiles of the last values, against numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.health.window import SIZE, Window

VALUES = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=300)


def filled(values: list[float], size: int) -> Window:
    window = Window(size)
    for value in values:
        window.add(value)
    return window


@given(VALUES, st.integers(1, 120))
def test_quantiles_are_exactly_numpys_of_the_last_values(values: list[float], size: int) -> None:
    found = filled(values, size).quantiles()
    assert found is not None
    last = values[-size:]
    assert [found.p50, found.p95, found.p99] == [np.quantile(last, q, method="inverted_cdf") for q in (0.5, 0.95, 0.99)]
    assert found.highest == max(last)


@given(VALUES, st.integers(1, 120))
def test_each_quantile_is_a_value_that_occurred_with_enough_at_or_below_it(values: list[float], size: int) -> None:
    found = filled(values, size).quantiles()
    assert found is not None
    last = values[-size:]
    for q, value in ((0.5, found.p50), (0.95, found.p95), (0.99, found.p99)):
        assert value in last
        assert sum(v <= value for v in last) >= q * len(last) - 1e-9
        assert sum(v < value for v in last) < q * len(last) + 1e-9


@given(VALUES)
def test_count_and_total_are_of_all_values_there_ever_were(values: list[float]) -> None:
    found = filled(values, 7).quantiles()
    assert found is not None
    assert found.count == len(values)
    assert found.total == pytest.approx(sum(values))


def test_nothing_is_said_of_nothing() -> None:
    assert Window().quantiles() is None


def test_old_values_leave_a_full_window() -> None:
    window = filled([0.001 * n for n in range(3 * SIZE)], SIZE)
    found = window.quantiles()
    assert found is not None
    assert found.highest == pytest.approx(0.001 * (3 * SIZE - 1))
    assert found.p50 == pytest.approx(0.001 * (2.5 * SIZE - 1))
