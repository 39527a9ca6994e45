"""What a bank needs besides its coreset is learned from goods measured without their own part."""

import numpy as np
import pytest

from calibration.coreset import Coreset
from calibration.memory import SKETCH_DIM, Sample, learn_sketch, remember
from edge.inspect.sketch import Sketch
from edge.types import Floats, PatchGrid
from tests import oracle


def grid(patches: Floats) -> PatchGrid:
    return PatchGrid(patches, 5, 10, np.zeros(1, np.float32))


def test_distances_of_a_part_ignore_its_own_patches_in_the_bank() -> None:
    rng = np.random.default_rng(5)
    pictures = [rng.normal(size=(50, 6)).astype(np.float32) for _ in range(8)]
    parts = np.array([0, 0, 1, 1, 2, 2, 3, 3], np.int32)
    origin = np.stack([rng.integers(8, size=60), rng.integers(50, size=60)], axis=1).astype(np.int32)
    matrix = np.stack([pictures[picture][place] for picture, place in origin])
    sample = Sample(tuple(grid(pictures[i]) for i in (0, 2, 4, 6)), parts[[0, 2, 4, 6]])
    memory = remember(Coreset(matrix, origin, 400), Sketch(np.eye(6, dtype=np.float32)), sample, parts, np.arange(50))
    for number, part in enumerate(sample.parts):
        others = matrix[parts[origin[:, 0]] != part]
        expected = oracle.nearest(others, sample.grids[number].patches).reshape(5, 10)
        assert memory.apart[number] == pytest.approx(expected, rel=1e-3, abs=1e-3)
    covered = max(oracle.nearest(matrix, g.patches).max() for g in sample.grids)
    assert memory.radius == pytest.approx(covered, rel=1e-3)


def test_axes_are_orthonormal_and_hold_most_of_what_differs() -> None:
    rng = np.random.default_rng(1)
    strong = rng.normal(size=(10, 80))
    patches = (rng.normal(size=(400, 10)) @ strong + rng.normal(size=(400, 80)) * 0.1 + 50).astype(np.float32)
    axes = learn_sketch(Sample((grid(patches),), np.zeros(1, np.int32)), np.arange(50)).axes
    assert axes.shape == (80, SKETCH_DIM)
    assert axes.T @ axes == pytest.approx(np.eye(SKETCH_DIM), abs=1e-5)
    assert np.var((patches - patches.mean(axis=0)) @ axes[:, :10], axis=0).sum() > 0.99 * np.var(patches, axis=0).sum()


@pytest.mark.parametrize("dim", [1, 5])
def test_patches_of_few_numbers_are_their_own_sketch(dim: int) -> None:
    patches = np.random.default_rng(2).normal(size=(50, dim)).astype(np.float32)
    sketch = learn_sketch(Sample((grid(patches),), np.zeros(1, np.int32)), np.arange(50))
    assert sketch.axes.shape == (dim, dim)
    assert np.linalg.norm(sketch(patches), axis=1) == pytest.approx(np.linalg.norm(patches, axis=1), rel=1e-5)
