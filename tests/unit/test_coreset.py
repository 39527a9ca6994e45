"""The fast greedy k-centre chooses what the slow one chooses."""

import numpy as np
import pytest

from calibration import coreset
from calibration.coreset import k_centre
from tests import oracle


@pytest.mark.parametrize("count", [300, 5000])
def test_centres_and_radius_equal_one_by_one_greedy_choice(count: int) -> None:
    patches = np.random.default_rng(4).normal(size=(count, 12)).astype(np.float32)
    found = k_centre(patches, np.arange(count, dtype=np.int32), 200, seed=9)
    assert found.picks.tolist() == oracle.k_centre(patches, 200, first=int(found.picks[0]))
    assert found.radius == pytest.approx(oracle.nearest(patches[found.picks], patches).max(), rel=1e-4)


def test_where_patches_tie_within_rounding_each_centre_is_still_as_far_as_any() -> None:
    rng = np.random.default_rng(4)
    clusters = rng.normal(size=(20, 12))[rng.integers(20, size=5000)] * 5
    patches = (clusters + rng.normal(size=(5000, 12)) * 0.1).astype(np.float32)
    picks = k_centre(patches, np.arange(5000, dtype=np.int32), 200, seed=9).picks
    distance = np.full(5000, np.inf)
    for pick in picks:
        # float32 squares of norm 20 are rounded by some 1e-4.
        assert distance[pick] ** 2 >= distance.max() ** 2 - 1e-3 or np.isinf(distance.max())
        distance = np.minimum(distance, np.linalg.norm(patches.astype(np.float64) - patches[pick], axis=1))


def test_leave_one_out_distances_ignore_centres_of_the_same_owner() -> None:
    rng = np.random.default_rng(5)
    patches = rng.normal(size=(400, 6)).astype(np.float32)
    owners = np.repeat(np.arange(8, dtype=np.int32), 50)
    found = k_centre(patches, owners, 60, seed=1)
    for owner in range(8):
        others = found.picks[owners[found.picks] != owner]
        expected = oracle.nearest(patches[others], patches[owners == owner])
        assert found.to_others[owners == owner] == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_choice_stops_when_every_patch_is_a_centre() -> None:
    patches = np.repeat(np.eye(5, dtype=np.float32), 40, axis=0)
    found = k_centre(patches, np.zeros(200, np.int32), 100, seed=0)
    assert len(found.picks) == 5
    assert found.radius == pytest.approx(0, abs=1e-3)


def test_the_seed_decides_and_progress_is_told() -> None:
    patches = np.random.default_rng(6).normal(size=(coreset._POOL * 2, 4)).astype(np.float32)  # noqa: SLF001 - beyond one pool
    owners = np.zeros(len(patches), np.int32)
    told: list[int] = []
    first = k_centre(patches, owners, 300, seed=1, progress=told.append)
    assert (first.picks == k_centre(patches, owners, 300, seed=1).picks).all()
    assert (first.picks != k_centre(patches, owners, 300, seed=2).picks).any()
    assert told == sorted(told)
    assert told[-1] == 300
