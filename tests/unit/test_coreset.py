"""The fast greedy k-centre chooses what the slow one chooses, and takes no more memory for more goods."""

import numpy as np
import pytest

from calibration import coreset
from calibration.coreset import Coreset, Gathering
from edge.inspect.sketch import Sketch
from edge.types import Floats
from tests import oracle


def gathered(patches: Floats, size: int, seed: int, **more: int) -> Coreset:
    """All patches as one picture, measured by all their numbers."""
    gathering = Gathering(size, Sketch(np.eye(patches.shape[1], dtype=np.float32)), seed, **more)
    gathering.add(patches, 0, np.arange(len(patches)))
    return gathering.finish()


@pytest.mark.parametrize("count", [300, 5000])
def test_centres_equal_one_by_one_greedy_choice(count: int) -> None:
    patches = np.random.default_rng(4).normal(size=(count, 12)).astype(np.float32)
    found = gathered(patches, 200, seed=9)
    assert found.origin[:, 1].tolist() == oracle.k_centre(patches, 200, first=int(found.origin[0, 1]))
    assert (found.matrix == patches[found.origin[:, 1]]).all()
    assert found.patches == count


def test_distances_are_those_of_the_sketch() -> None:
    patches = np.random.default_rng(8).normal(size=(2000, 12)).astype(np.float32)
    patches[:, 5:] *= 100
    gathering = Gathering(50, Sketch(np.eye(12, 5, dtype=np.float32)), 1)
    gathering.add(patches, 0, np.arange(len(patches)))
    found = gathering.finish()
    assert found.origin[:, 1].tolist() == oracle.k_centre(patches[:, :5], 50, first=int(found.origin[0, 1]))
    assert found.matrix.shape == (50, 12)


def test_where_patches_tie_within_rounding_each_centre_is_still_as_far_as_any() -> None:
    rng = np.random.default_rng(4)
    clusters = rng.normal(size=(20, 12))[rng.integers(20, size=5000)] * 5
    patches = (clusters + rng.normal(size=(5000, 12)) * 0.1).astype(np.float32)
    distance = np.full(5000, np.inf)
    for pick in gathered(patches, 200, seed=9).origin[:, 1]:
        # float32 squares of norm 20 are rounded by some 1e-4.
        assert distance[pick] ** 2 >= distance.max() ** 2 - 1e-3 or np.isinf(distance.max())
        distance = np.minimum(distance, np.linalg.norm(patches.astype(np.float64) - patches[pick], axis=1))


def test_a_buffer_smaller_than_the_goods_gives_centres_that_still_cover_them() -> None:
    rng = np.random.default_rng(5)
    pictures = [rng.normal(size=(500, 8)).astype(np.float32) for _ in range(40)]
    sketch = Sketch(np.eye(8, dtype=np.float32))
    small, large = Gathering(300, sketch, 1, buffer_bytes=4 * 20 * 1500), Gathering(300, sketch, 1)
    for number, patches in enumerate(pictures):
        small.add(patches, number, np.arange(500))
        large.add(patches, number, np.arange(500))
    one, other = small.finish(), large.finish()
    assert one.patches == other.patches == 40 * 500
    for number, place in one.origin[:20]:
        assert (pictures[number][place] == one.matrix[(one.origin == [number, place]).all(axis=1)]).all()
    everything = np.concatenate(pictures)[::7]
    radius, best = oracle.nearest(one.matrix, everything).max(), oracle.nearest(other.matrix, everything).max()
    assert radius < 1.5 * best


def test_choice_stops_when_every_patch_is_a_centre() -> None:
    patches = np.repeat(np.random.default_rng(3).normal(size=(5, 7)).astype(np.float32) * 30, 40, axis=0)
    assert len(gathered(patches, 100, seed=0).matrix) == 5


def test_the_seed_decides_and_progress_is_told() -> None:
    patches = np.random.default_rng(6).normal(size=(coreset._POOL * 2, 4)).astype(np.float32)  # noqa: SLF001 - beyond one pool
    told: list[int] = []
    gathering = Gathering(300, Sketch(np.eye(4, dtype=np.float32)), 1, told.append)
    gathering.add(patches, 0, np.arange(len(patches)))
    first = gathering.finish()
    assert (first.origin == gathered(patches, 300, seed=1).origin).all()
    assert (first.origin != gathered(patches, 300, seed=2).origin).any()
    assert told == sorted(told)
    assert told[-1] == 300
