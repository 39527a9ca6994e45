"""What goods do at each place is learned, smoothed, and never divides by zero."""

import numpy as np
import pytest

from calibration.normal import learn_normal
from edge.errors import BadConfig


def test_places_where_goods_vary_are_forgiven_more() -> None:
    rng = np.random.default_rng(0)
    distances = rng.normal(5, 0.1, (200, 32, 32)).astype(np.float32)
    distances[:, :, 16:] += rng.normal(3, 2, (200, 32, 16)).astype(np.float32)
    normal = learn_normal(distances)
    assert normal.mean[16, 1] == pytest.approx(5, abs=0.05)
    assert normal.mean[16, 30] == pytest.approx(8, abs=0.3)
    assert normal.std[16, 30] > 3 * normal.std[16, 1] > 0
    assert (normal.mean.dtype, normal.std.dtype, normal.mean.shape) == (np.float32, np.float32, (32, 32))


def test_goods_that_do_not_vary_still_give_a_spread_above_zero() -> None:
    normal = learn_normal(np.full((20, 16, 16), 4.0, np.float32))
    assert (normal.std > 0).all()


def test_identical_pictures_are_refused() -> None:
    with pytest.raises(BadConfig, match="all the same picture"):
        learn_normal(np.zeros((20, 16, 16), np.float32))
