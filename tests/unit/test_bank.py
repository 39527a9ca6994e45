"""The exact walk gives what brute force gives, whatever the bank, the sketch and however bad the index."""

import hnswlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import BadRecipe
from edge.inspect.bank import Bank
from edge.inspect.finder import HnswFinder, ScanFinder
from edge.inspect.score import Normal, measure
from edge.inspect.sketch import Sketch
from edge.types import Doubles, Floats, PatchGrid, ScoreKind
from tests import oracle

ROWS, COLS = 10, 12
EVERYWHERE = np.ones((ROWS, COLS), np.bool_)


def axes_of(matrix: Floats, count: int) -> Sketch:
    """Any orthonormal axes will do for exactness; these are the first of a rotation that depends on the matrix."""
    rotation, _ = np.linalg.qr(np.random.default_rng(matrix.shape[1]).normal(size=(matrix.shape[1],) * 2))
    return Sketch(np.ascontiguousarray(rotation[:, :count], dtype=np.float32))


def hnsw(matrix: Floats, *, axes: int = 48, m: int = 8, ef_construction: int = 100, ef: int = 8, stride: int = 1) -> Bank:
    sketch = axes_of(matrix, axes)
    sketches = sketch(matrix)
    index = hnswlib.Index("l2", sketches.shape[1])
    index.init_index(len(matrix), M=m, ef_construction=ef_construction, random_seed=0)
    index.add_items(sketches, num_threads=1)
    return Bank(matrix, sketch, sketches, HnswFinder(sketches, index, ef, stride))


def scan(matrix: Floats, *, axes: int = 48) -> Bank:
    sketch = axes_of(matrix, axes)
    return Bank(matrix, sketch, sketch(matrix), ScanFinder(sketch(matrix)))


def exactly(bank: Bank, patches: Floats) -> Doubles:
    """Every distance, verified."""
    found = bank.find(PatchGrid(patches, 1, len(patches), np.zeros(1, np.float32)))
    bank.verify(found, np.arange(len(patches)))
    assert np.linalg.norm(patches.astype(float) - bank.matrix[found.rows], axis=1) == pytest.approx(
        found.distances, abs=1e-9
    )
    return found.distances


def grid_of(patches: Floats) -> PatchGrid:
    return PatchGrid(patches, ROWS, COLS, np.zeros(1, np.float32))


def bank_and_patches(shape: str, seed: int, vectors: int, dim: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    count = ROWS * COLS
    match shape:
        case "noise":
            matrix, patches = rng.normal(size=(vectors, dim)), rng.normal(size=(count, dim))
        case "clusters far apart":
            centres = rng.normal(size=(5, dim)) * 1000
            matrix = centres[rng.integers(5, size=vectors)] + rng.normal(size=(vectors, dim)) * 1e-2
            patches = centres[rng.integers(5, size=count)] + rng.normal(size=(count, dim)) * 1e-2
        case "many equal vectors":
            matrix = rng.integers(0, 2, size=(vectors, dim)).astype(float)
            patches = rng.integers(0, 2, size=(count, dim)).astype(float)
        case "patches from the bank":
            matrix = rng.normal(size=(vectors, dim))
            patches = matrix[rng.integers(vectors, size=count)]
        case "far from the origin":
            matrix = rng.normal(size=(vectors, dim)) + 1e3
            patches = rng.normal(size=(count, dim)) + 1e3
        case _:
            raise ValueError(shape)
    return matrix.astype(np.float32), patches.astype(np.float32)


SHAPES = ["noise", "clusters far apart", "many equal vectors", "patches from the bank", "far from the origin"]


@settings(max_examples=150)
@given(
    shape=st.sampled_from(SHAPES),
    seed=st.integers(0, 2**32 - 1),
    vectors=st.integers(1, 400),
    dim=st.integers(1, 60),
    axes=st.integers(1, 60),
    kind=st.sampled_from(["top1", "max"]),
    m=st.integers(2, 8),
    stride=st.integers(1, 16),
    above=st.sampled_from([-1.0, 1.0, np.inf]),
    share=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_walk_over_a_poor_index_scores_exactly_as_brute_force(
    shape: str,
    seed: int,
    vectors: int,
    dim: int,
    axes: int,
    kind: ScoreKind,
    m: int,
    stride: int,
    above: float,
    share: float,
) -> None:
    matrix, patches = bank_and_patches(shape, seed, vectors, dim)
    rng = np.random.default_rng(seed + 1)
    mean, std = rng.normal(1, 0.5, (ROWS, COLS)), rng.uniform(0.1, 3, (ROWS, COLS))
    watched = rng.random((ROWS, COLS)) < share
    watched[rng.integers(ROWS), rng.integers(COLS)] = True
    normal = Normal(mean.astype(np.float32), std.astype(np.float32), watched)
    poor = hnsw(matrix, axes=min(axes, dim), m=m, ef_construction=5, ef=1, stride=stride)
    score, heat = measure(poor, normal, grid_of(patches), kind, above)
    z = oracle.z(matrix, normal, patches)
    assert score.value == oracle.score(z, kind)
    assert (heat.z[watched] >= z - 1e-5 * np.abs(z) - 1e-5).all()
    assert heat.z.max() == np.float32(z.max())
    assert (heat.z[~watched] == heat.z[watched].min()).all()
    scanned, _ = measure(scan(matrix, axes=min(axes, dim)), normal, grid_of(patches), kind, above)
    assert scanned.value == score.value


@pytest.mark.parametrize("shape", SHAPES)
def test_exact_distance_does_not_depend_on_how_patches_are_batched(shape: str) -> None:
    matrix, patches = bank_and_patches(shape, 7, 3000, 152)
    bank = hnsw(matrix)
    one_by_one = np.concatenate([exactly(bank, patches[i : i + 1]) for i in range(len(patches))])
    assert (exactly(bank, patches) == one_by_one).all()
    assert (one_by_one == oracle.nearest(matrix, patches)).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stride", [1, 2, 5])
def test_a_distance_that_was_not_verified_is_never_below_the_true_one(shape: str, stride: int) -> None:
    matrix, patches = bank_and_patches(shape, 3, 3000, 152)
    found = hnsw(matrix, stride=stride).find(grid_of(patches))
    assert (found.distances >= oracle.nearest(matrix, patches)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_sketches_are_never_further_apart_than_patches_but_for_the_rounding_that_is_allowed(shape: str) -> None:
    matrix, patches = bank_and_patches(shape, 11, 500, 152)
    sketch = axes_of(matrix, 48)
    short = np.linalg.norm(sketch(patches)[:, None].astype(float) - sketch(matrix)[None], axis=2) ** 2
    true = np.linalg.norm(patches[:, None].astype(float) - matrix[None], axis=2) ** 2
    norms = np.linalg.norm(patches, axis=1)[:, None] + np.linalg.norm(matrix, axis=1)[None]
    assert (short <= true + sketch.rounding * norms**2).all()


def test_the_walk_verifies_few_patches_on_an_ordinary_picture() -> None:
    matrix, patches = bank_and_patches("noise", 5, 2000, 32)
    flat = Normal(np.zeros((ROWS, COLS), np.float32), np.ones((ROWS, COLS), np.float32), EVERYWHERE)
    score, _ = measure(hnsw(matrix, ef=50), flat, grid_of(patches), "top1")
    assert score.verified < ROWS * COLS / 2


@pytest.mark.parametrize("poison", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["top1", "max"])
def test_a_patch_that_is_not_finite_gives_a_score_that_is_not(poison: float, kind: ScoreKind) -> None:
    matrix, patches = bank_and_patches("noise", 5, 100, 8)
    patches[3, 2] = poison
    flat = Normal(np.zeros((ROWS, COLS), np.float32), np.ones((ROWS, COLS), np.float32), EVERYWHERE)
    score, heat = measure(hnsw(matrix), flat, grid_of(patches), kind)
    assert np.isnan(score.value)
    assert np.isnan(heat.z).all()


def test_an_index_over_other_rows_than_the_matrix_is_refused() -> None:
    matrix, _ = bank_and_patches("noise", 5, 100, 8)
    index = hnswlib.Index("l2", 8)
    index.init_index(100)
    index.add_items(matrix[:50])
    with pytest.raises(BadRecipe, match="build the recipe again"):
        HnswFinder(matrix, index, 8, 1)
