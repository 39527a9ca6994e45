"""What goods do at each place is learned, smoothed, and never divides by zero."""

import numpy as np
import pytest

from calibration.normal import EVERYWHERE, NEARBY, learn_normal
from edge.errors import BadConfig


def test_places_where_goods_vary_are_forgiven_more() -> None:
    rng = np.random.default_rng(0)
    distances = rng.normal(5, 0.1, (200, 32, 32)).astype(np.float32)
    distances[:, :, 16:] += rng.normal(3, 2, (200, 32, 16)).astype(np.float32)
    normal = learn_normal(distances, np.ones((32, 32), np.bool_), 1 / 8)
    assert normal.mean[16, 1] == pytest.approx(5, abs=0.05)
    assert normal.mean[16, 30] == pytest.approx(8, abs=0.3)
    assert normal.std[16, 30] > 3 * normal.std[16, 1] > 0
    assert (normal.mean.dtype, normal.std.dtype, normal.mean.shape) == (np.float32, np.float32, (32, 32))


def test_goods_that_do_not_vary_still_give_a_spread_above_zero() -> None:
    normal = learn_normal(np.full((20, 16, 16), 4.0, np.float32), np.ones((16, 16), np.bool_), NEARBY)
    assert (normal.std > 0).all()


def test_identical_pictures_are_refused() -> None:
    with pytest.raises(BadConfig, match="all the same picture"):
        learn_normal(np.zeros((20, 16, 16), np.float32), np.ones((16, 16), np.bool_), NEARBY)


def test_places_that_are_not_watched_teach_their_neighbours_nothing() -> None:
    distances = np.random.default_rng(0).normal(5, 0.5, (100, 32, 32)).astype(np.float32)
    watched = np.ones((32, 32), np.bool_)
    watched[:, 16:] = False
    distances[:, :, 16:] = 1000
    normal = learn_normal(distances, watched, NEARBY)
    assert normal.mean[:, :16] == pytest.approx(5, abs=0.1)
    assert normal.std[:, :16] == pytest.approx(0.5, abs=0.1)
    assert np.isfinite(normal.mean).all()
    assert (normal.std > 0).all()
    assert (normal.watched == watched).all()


def test_one_spread_everywhere_is_that_of_all_watched_places() -> None:
    distances = np.random.default_rng(0).normal(5, 0.5, (100, 16, 16)).astype(np.float32)
    distances[:, 8:] += 4
    watched = np.ones((16, 16), np.bool_)
    watched[0] = False
    normal = learn_normal(distances, watched, EVERYWHERE)
    assert normal.mean == pytest.approx(distances[:, watched].mean())
    assert normal.std == pytest.approx(distances[:, watched].std(), rel=1e-3)
