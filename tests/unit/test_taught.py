"""What is taught lies beside the bank: scores equal brute force over both, and nothing reaches further than it should."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.inspect.score import Normal, measure
from edge.inspect.taught import Taught
from edge.recipe.promise import Labelled
from edge.recipe.recipe import Recipe, TaughtPart, open_recipe
from edge.teach.choose import choose_patches
from edge.teach.lesson import judged
from edge.types import Decision, Floats, PatchGrid, ScoreKind
from tests import oracle
from tests.conftest import part_picture
from tests.stained import stained
from tests.unit.test_bank import COLS, ROWS, SHAPES, bank_and_patches, grid_of, hnsw, scan

REACH = 1


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


def nearest_of_both(matrix: Floats, taught: Taught, patches: Floats) -> np.ndarray:
    """Place by place, over the bank and what was taught near there."""
    found = []
    for place, patch in enumerate(patches):
        row, col = divmod(place, COLS)
        near = [
            t
            for t, at in enumerate(taught.places)
            if abs(at // COLS - row) <= taught.reach and abs(at % COLS - col) <= taught.reach
        ]
        found.append(oracle.nearest(np.concatenate([matrix, taught.patches[near]]), patch[None])[0])
    return np.array(found)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    seed=st.integers(0, 2**32 - 1),
    vectors=st.integers(1, 200),
    dim=st.integers(1, 40),
    count=st.integers(1, 40),
    reach=st.sampled_from([0, 1, 3, 100]),
    kind=st.sampled_from(["top1", "max"]),
    above=st.sampled_from([-1.0, 1.0, np.inf]),
    apart=st.sampled_from([0.0, 1e-3, 1.0]),
)
def test_a_score_equals_brute_force_over_the_bank_and_what_was_taught_near_each_place(
    shape: str, seed: int, vectors: int, dim: int, count: int, reach: int, kind: ScoreKind, above: float, apart: float
) -> None:
    matrix, patches = bank_and_patches(shape, seed, vectors, dim)
    rng = np.random.default_rng(seed + 1)
    places = rng.integers(ROWS * COLS, size=count)
    near = patches[places] + apart * rng.normal(size=(count, dim)).astype(np.float32)
    taught = Taught(near.astype(np.float32), places, COLS, reach)
    mean, std = rng.normal(1, 0.5, (ROWS, COLS)), rng.uniform(0.1, 3, (ROWS, COLS))
    watched = rng.random((ROWS, COLS)) < 0.7
    watched[0, 0] = True
    normal = Normal(mean.astype(np.float32), std.astype(np.float32), watched)
    exact = normal.z(nearest_of_both(matrix, taught, patches))[watched.ravel()]
    for bank in (hnsw(matrix, axes=min(20, dim), m=4, ef_construction=5, ef=1, stride=3), scan(matrix, axes=min(20, dim))):
        score, heat = measure(bank.with_taught(taught), normal, grid_of(patches), kind, above)
        assert score.value == oracle.score(exact, kind)
        assert (heat.z[watched] >= exact - 1e-5 * np.abs(exact) - 1e-5).all()
        assert (heat.nearest < vectors + count).all()
        without, _ = measure(bank, normal, grid_of(patches), kind, above)
        assert score.value <= without.value, "what is taught only lowers scores"
        assert without.value == oracle.score(oracle.z(matrix, normal, patches), kind), "the bank is as it was"


def taught_by(recipe: Recipe, seed: int, most: int = 64) -> tuple[Recipe, TaughtPart]:
    grid = recipe.twin().eye(stained(seed))
    assert isinstance(grid, PatchGrid)
    part = choose_patches(recipe, grid, f"part-{seed}.png", most, REACH)
    return recipe.with_taught((*recipe.taught, part), REACH), part


def test_few_patches_of_the_places_that_stood_out_make_a_part_good_and_others_like_it_better(recipe: Recipe) -> None:
    before, other = judged(recipe, stained(200)), judged(recipe, stained(201))
    taught, part = taught_by(recipe, 200)
    after = judged(taught, stained(200))
    assert (before.decision, after.decision) == (Decision.NOK, Decision.OK)
    assert before.heat is not None
    stood_out = np.flatnonzero(before.heat.z > recipe.manifest.threshold)
    assert 0 < len(part.places) < len(stood_out)
    assert set(part.places) <= set(stood_out)
    assert len(set(part.places)) == len(part.places)
    better = judged(taught, stained(201)).score
    assert better
    assert other.score
    assert better.value < 0.75 * other.score.value


def test_the_greedy_choice_takes_at_each_step_the_patch_that_helps_most(recipe: Recipe) -> None:
    def excess(of: Recipe) -> float:
        """Of all places together above the threshold, every distance measured."""
        grid = recipe.twin().eye(stained(200))
        assert isinstance(grid, PatchGrid)
        found = of.bank.find(grid)
        of.bank.verify(found, np.arange(len(grid.patches)))
        return float(np.maximum(of.normal.z(found.distances) - of.manifest.threshold, 0).sum())

    _, one = taught_by(recipe, 200, most=1)
    _, all_of_them = taught_by(recipe, 200)
    each = [
        TaughtPart("", all_of_them.patches[i : i + 1], all_of_them.places[i : i + 1]) for i in range(len(all_of_them.places))
    ]
    left = [excess(recipe.with_taught((part,), REACH)) for part in each]
    assert excess(recipe.with_taught((one,), REACH)) == pytest.approx(min(left))
    assert excess(recipe.with_taught((all_of_them,), REACH)) == 0


def test_what_is_taught_at_one_place_excuses_nothing_elsewhere(recipe: Recipe) -> None:
    taught, _ = taught_by(recipe, 200)
    for picture in (stained(200, at=(130, 100)), part_picture(200, defect=True)):
        assert judged(recipe, picture).score == judged(taught, picture).score


def test_a_region_whose_nearest_good_patch_was_taught_names_that_part(recipe: Recipe) -> None:
    taught, part = taught_by(recipe, 200, most=1)
    row = len(recipe.origin)
    good = taught.good_patch(row)
    assert (good.picture, good.number) == ("part-200.png", None)
    assert (good.row, good.col) == divmod(int(part.places[0]), recipe.eye.cols)
    both, second = taught_by(taught, 201, most=1)
    assert both.good_patch(row + 1).picture == "part-201.png"
    with pytest.raises(IndexError):
        both.good_patch(row + 1 + len(second.places))


def test_a_promise_about_goods_holds_beside_taught_parts_and_one_about_escapes_does_not(recipe: Recipe) -> None:
    taught, _ = taught_by(recipe, 200, most=1)
    assert taught.promise_holds
    promise = Labelled(max_escape=0.05, confidence=0.95, defects=60, rank=1, parts=15, rejected=0)
    manifest = taught.manifest.model_copy(update={"promise": promise})
    assert replace(recipe, manifest=manifest).promise_holds
    assert not replace(taught, manifest=manifest).promise_holds
    assert not recipe.with_threshold(9.0, "command").promise_holds


def test_twins_judge_at_the_same_time_as_one_judges_alone(recipe: Recipe) -> None:
    pictures = [part_picture(seed, defect=seed % 2 == 0) for seed in range(400, 404)]
    alone = [judged(recipe, picture).score for picture in pictures]
    found: dict[int, list[object]] = {}

    def work(number: int, twin: Recipe) -> None:
        found[number] = [judged(twin, picture).score for _ in range(2) for picture in pictures]

    threads = [threading.Thread(target=work, args=(n, recipe.twin())) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[n] for n in range(2)] == [alone * 2] * 2
