"""Rates are the textbook's."""

import pytest

from calibration.rates import Rate


def test_clopper_pearson_intervals_are_the_textbooks() -> None:
    none = Rate.of(0, 100)
    assert none is not None
    assert (none.low, none.high) == (0, pytest.approx(0.0362, abs=1e-4))
    some = Rate.of(3, 20)
    assert some is not None
    assert (some.low, some.high) == (pytest.approx(0.0321, abs=1e-4), pytest.approx(0.3789, abs=1e-4))
    assert Rate.of(0, 0) is None
