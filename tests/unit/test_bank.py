"""The exact walk gives what brute force gives, whatever the bank and however bad the index."""

import hnswlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import BadRecipe
from edge.inspect.bank import BruteForceBank, HnswBank
from edge.inspect.score import Normal, measure
from edge.types import Floats, PatchGrid, ScoreKind
from tests import oracle

ROWS, COLS = 10, 12


def hnsw(matrix: Floats, *, m: int = 8, ef_construction: int = 100, ef: int = 8) -> HnswBank:
    index = hnswlib.Index("l2", matrix.shape[1])
    index.init_index(len(matrix), M=m, ef_construction=ef_construction, random_seed=0)
    index.add_items(matrix, num_threads=1)
    return HnswBank(matrix, index, ef)


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


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    seed=st.integers(0, 2**32 - 1),
    vectors=st.integers(1, 400),
    dim=st.integers(1, 40),
    kind=st.sampled_from(["top1", "max"]),
    m=st.integers(2, 8),
)
def test_walk_over_a_poor_index_scores_exactly_as_brute_force(
    shape: str, seed: int, vectors: int, dim: int, kind: ScoreKind, m: int
) -> None:
    matrix, patches = bank_and_patches(shape, seed, vectors, dim)
    rng = np.random.default_rng(seed + 1)
    normal = Normal(
        rng.normal(1, 0.5, (ROWS, COLS)).astype(np.float32), rng.uniform(0.1, 3, (ROWS, COLS)).astype(np.float32)
    )
    walked, heat = measure(hnsw(matrix, m=m, ef_construction=5, ef=1), normal, grid_of(patches), kind)
    brute, exact_heat = measure(BruteForceBank(matrix), normal, grid_of(patches), kind)
    assert walked.value == brute.value
    assert walked.value == pytest.approx(oracle.score(matrix, normal, patches, kind), rel=1e-9, abs=1e-9)
    assert (heat.z >= exact_heat.z - 1e-5 * np.abs(exact_heat.z) - 1e-5).all()
    assert heat.z.max() == exact_heat.z.max()


@pytest.mark.parametrize("shape", SHAPES)
def test_exact_distance_does_not_depend_on_how_patches_are_batched(shape: str) -> None:
    matrix, patches = bank_and_patches(shape, 7, 3000, 152)
    bank = BruteForceBank(matrix)
    one_by_one = np.concatenate([bank.nearest(patches[i : i + 1]) for i in range(len(patches))])
    assert (bank.nearest(patches) == one_by_one).all()
    assert bank.nearest(patches) == pytest.approx(oracle.nearest(matrix, patches), rel=1e-12, abs=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_hnsw_distance_is_never_below_the_true_one(shape: str) -> None:
    matrix, patches = bank_and_patches(shape, 3, 3000, 152)
    assert (hnsw(matrix).nearest_at_most(patches) >= oracle.nearest(matrix, patches)).all()


def test_the_walk_verifies_few_patches_on_an_ordinary_picture() -> None:
    matrix, patches = bank_and_patches("noise", 5, 2000, 32)
    flat = Normal(np.zeros((ROWS, COLS), np.float32), np.ones((ROWS, COLS), np.float32))
    score, _ = measure(hnsw(matrix, ef=50), flat, grid_of(patches), "top1")
    assert score.verified < ROWS * COLS / 2


@pytest.mark.parametrize("poison", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["top1", "max"])
def test_a_patch_that_is_not_finite_gives_a_score_that_is_not(poison: float, kind: ScoreKind) -> None:
    matrix, patches = bank_and_patches("noise", 5, 100, 8)
    patches[3, 2] = poison
    flat = Normal(np.zeros((ROWS, COLS), np.float32), np.ones((ROWS, COLS), np.float32))
    score, heat = measure(hnsw(matrix), flat, grid_of(patches), kind)
    assert np.isnan(score.value)
    assert np.isnan(heat.z).all()


def test_an_index_over_other_rows_than_the_matrix_is_refused() -> None:
    matrix, _ = bank_and_patches("noise", 5, 100, 8)
    index = hnswlib.Index("l2", 8)
    index.init_index(100)
    index.add_items(matrix[:50])
    with pytest.raises(BadRecipe, match="build the recipe again"):
        HnswBank(matrix, index, 8)
