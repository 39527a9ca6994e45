"""The way to judge is the default, unless another way is clearly better on these parts."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from calibration.judgement import (
    CLEARLY_PAINTED,
    DEFAULT,
    LEFT_OUT,
    Trial,
    Way,
    enough_for_trial,
    judge_ways,
    scale_of,
    ways,
)
from calibration.memory import Sample
from calibration.normal import EVERYWHERE, NEARBY
from calibration.progress import steps
from edge.recipe.manifest import JudgementCard
from edge.types import Floats, PatchGrid

ROWS, COLS, DIM = 6, 32, 8
WATCHED = np.ones((ROWS, COLS), np.bool_)
BANK, DAMAGES = 24, 2
EVEN = np.ones((ROWS * COLS, DIM), np.float32)
EVERY = ways(None, None, None, labelled=True)


def grid(patches: Floats) -> PatchGrid:
    return PatchGrid(patches.astype(np.float32), ROWS, COLS, np.zeros(1, np.float32))


def make(spread: Floats, defect: float, *, seed: int = 0, feature: int = -1, given: bool = False) -> Trial:
    """Goods vary by `spread` (places×features); a defect moves one feature by `defect` in a square of 3×3 places."""
    rng = np.random.default_rng(seed)
    goods = [rng.normal(0, spread).astype(np.float32) for _ in range(BANK + LEFT_OUT)]
    left_out, defects = goods[BANK:], []
    for patches in left_out:
        for _ in range(DAMAGES):
            damaged = patches.copy().reshape(ROWS, COLS, -1)
            row, col = rng.integers(0, ROWS - 2), rng.integers(0, COLS // 2 - 2)
            damaged[row : row + 3, col : col + 3, feature] += defect
            defects.append(grid(damaged.reshape(patches.shape)))
    bank = Sample(tuple(map(grid, goods[:BANK])), np.arange(BANK, dtype=np.int32))
    of = None if given else np.repeat(np.arange(LEFT_OUT), DAMAGES)
    return Trial(bank, tuple(map(grid, left_out)), tuple(defects), of)


def loud_and_quiet() -> Floats:
    """Half of the features are a hundred times as loud as the others."""
    spread = EVEN.copy()
    spread[:, : DIM // 2] = 100
    return spread


def calm_and_restless() -> Floats:
    """The left half of the picture hardly varies, the right one does."""
    spread = np.full((ROWS, COLS, DIM), 0.2, np.float32)
    spread[:, COLS // 2 :] = 5
    return spread.reshape(-1, DIM)


def choose(candidates: list[Way], trial: Trial, watched: NDArray[np.bool_] = WATCHED, seed: int = 0) -> JudgementCard:
    with steps() as shown, threadpool_limits(1):
        return judge_ways(candidates, trial, watched, seed, shown)


@cache
def judged(*, loud: bool, given: bool) -> JudgementCard:
    """All scalings compared where loud features hide the defects, or where they do not."""
    return choose(ways(None, NEARBY, "top1", labelled=True), make(loud_and_quiet() if loud else EVEN, 8.0, given=given))


def test_features_as_they_are_are_multiplied_by_one() -> None:
    patches = np.random.default_rng(0).normal(3, [1, 10, 100], (500, 3)).astype(np.float32)
    np.testing.assert_array_equal(scale_of(patches, "none"), np.ones(3, np.float32))


def test_standardised_features_have_unit_variance() -> None:
    patches = np.random.default_rng(0).normal(3, [0.01, 1, 1000], (500, 3)).astype(np.float32)
    scale = scale_of(patches, "full")
    assert (scale.dtype, scale.shape) == (np.float32, (3,))
    np.testing.assert_allclose((patches * scale).std(axis=0), 1, rtol=1e-5)


def test_half_standardised_features_keep_the_root_of_their_spread() -> None:
    patches = np.random.default_rng(0).normal(3, [0.01, 1, 1000], (500, 3)).astype(np.float32)
    np.testing.assert_allclose((patches * scale_of(patches, "half")).std(axis=0), np.sqrt(patches.std(axis=0)), rtol=1e-5)


@pytest.mark.parametrize("scaling", ["none", "half", "full"])
def test_a_feature_that_never_changes_is_scaled_finitely(scaling) -> None:
    patches = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    patches[:, 1] = 7
    scale = scale_of(patches, scaling)
    assert np.isfinite(scale).all()
    assert np.isfinite(patches * scale).all()
    assert (scale > 0).all()


def test_the_default_is_the_first_of_all_ways() -> None:
    found = ways(None, None, None, labelled=True)
    assert found[0] == DEFAULT
    assert len(found) == len(set(found)) == 12


@pytest.mark.parametrize(
    ("fixed", "first", "count"),
    [
        (("full", None, None), Way("full", NEARBY, "top1"), 4),
        ((None, EVERYWHERE, None), Way("half", EVERYWHERE, "top1"), 6),
        ((None, None, "max"), Way("half", NEARBY, "max"), 6),
        (("none", EVERYWHERE, None), Way("none", EVERYWHERE, "top1"), 2),
        (("none", EVERYWHERE, "max"), Way("none", EVERYWHERE, "max"), 1),
    ],
)
def test_what_is_decided_stays_and_the_nearest_to_the_default_comes_first(fixed, first: Way, count: int) -> None:
    found = ways(*fixed, labelled=True)
    assert found[0] == first
    assert len(set(found)) == count
    for name, value in zip(("scaling", "smoothing", "score"), fixed, strict=True):
        assert value is None or {getattr(way, name) for way in found} == {value}


def test_only_labelled_defects_choose_the_score() -> None:
    found = ways(None, None, None, labelled=False)
    assert found[0] == DEFAULT
    assert {way.score for way in found} == {"top1"}
    assert len(found) == 6
    assert {way.score for way in ways(None, None, "max", labelled=False)} == {"max"}


def test_a_way_says_in_words_what_it_does() -> None:
    every = [str(way) for way in ways(None, None, None, labelled=True)]
    assert len(set(every)) == 12
    assert str(DEFAULT) == "features half standardised, spread by place, top1"
    assert str(Way("none", EVERYWHERE, "max")) == "features as they are, one spread everywhere, max"


def test_a_trial_needs_goods_to_spare() -> None:
    assert enough_for_trial(44)
    assert not enough_for_trial(43)


@pytest.mark.parametrize("seed", range(3))
def test_where_no_way_sees_the_defects_the_first_one_stays(seed: int) -> None:
    card = choose(EVERY, make(EVEN, 0.05, seed=seed), seed=seed)
    assert (card.scaling, card.smoothing, card.score) == (DEFAULT.scaling, DEFAULT.smoothing, DEFAULT.score)
    assert "no other way is clearly better" in card.why


def test_where_every_way_sees_the_defects_the_first_one_stays() -> None:
    card = choose(EVERY, make(EVEN, 50.0))
    assert [tried.way for tried in card.tried] == [str(way) for way in EVERY]
    assert {tried.auroc for tried in card.tried} == {1.0}
    assert (card.scaling, card.smoothing, card.score) == (DEFAULT.scaling, DEFAULT.smoothing, DEFAULT.score)


def test_features_are_standardised_where_loud_ones_hide_defects() -> None:
    card = judged(loud=True, given=False)
    aurocs = {tried.way: tried.auroc for tried in card.tried}
    assert card.scaling == "full"
    assert aurocs[str(Way("full", NEARBY, "top1"))] > aurocs[str(DEFAULT)] + CLEARLY_PAINTED
    assert "clearly" not in card.why


def test_features_are_not_standardised_where_the_loud_one_shows_the_defects() -> None:
    spread = np.ones((ROWS * COLS, 48), np.float32)
    spread[:, 0] = 100
    candidates = [Way("full", NEARBY, "top1"), Way("none", NEARBY, "top1")]
    assert choose(candidates, make(spread, 300.0, feature=0)).scaling == "none"


@pytest.mark.parametrize("first", [NEARBY, EVERYWHERE])
def test_the_spread_is_learned_by_place_where_some_places_vary_more(first: float) -> None:
    candidates = sorted([Way("none", NEARBY, "max"), Way("none", EVERYWHERE, "max")], key=lambda w: w.smoothing != first)
    assert choose(candidates, make(calm_and_restless(), 6.0)).smoothing == NEARBY


def test_places_that_are_not_watched_change_no_comparison() -> None:
    watched = WATCHED.copy()
    watched[:, COLS // 2 :] = False
    trial = make(EVEN, 5.0)

    def loud(one: PatchGrid) -> PatchGrid:
        patches = one.patches.copy()
        patches[~watched.ravel()] *= 1000
        return replace(one, patches=patches)

    goods, defects = tuple(map(loud, trial.goods)), tuple(map(loud, trial.defects))
    shouting = Trial(Sample(tuple(map(loud, trial.bank.grids)), trial.bank.parts), goods, defects, trial.of)
    candidates = ways("half", None, "top1", labelled=False)
    quiet_aurocs, loud_aurocs = ([t.auroc for t in choose(candidates, one, watched).tried] for one in (trial, shouting))
    assert loud_aurocs == pytest.approx(quiet_aurocs, abs=1e-3)
    assert max(quiet_aurocs) > 0.9


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("loud", [False, True])
def test_the_reason_names_the_way_the_gain_its_error_and_the_pictures(given: bool, loud: bool) -> None:
    card = judged(loud=loud, given=given)
    assert card.scaling == ("full" if loud else "half")
    assert card.why.startswith(str(Way(card.scaling, card.smoothing, card.score)))
    assert card.why.endswith(".")
    assert re.search(r"\d\.\d{3}.*\(standard error \d\.\d{3}\)", card.why)
    assert f"{LEFT_OUT} goods left out against {LEFT_OUT * DAMAGES} defects {'given' if given else 'painted on'}" in card.why


def test_given_and_painted_defects_have_the_same_aurocs() -> None:
    assert judged(loud=True, given=True).tried == judged(loud=True, given=False).tried


@pytest.mark.parametrize("given", [False, True])
def test_the_same_seed_gives_the_same_judgement(given: bool) -> None:
    again = choose(ways(None, NEARBY, "top1", labelled=True), make(loud_and_quiet(), 8.0, given=given))
    assert again == judged(loud=True, given=given)


def test_labelled_defects_need_not_be_as_many_as_the_goods() -> None:
    trial = make(loud_and_quiet(), 8.0, given=True)
    few = Trial(trial.bank, trial.goods, trial.defects[:5], None)
    assert "against 5 defects given" in choose(ways(None, NEARBY, "top1", labelled=True)[:2], few).why


def test_a_trial_changes_none_of_its_patches() -> None:
    trial = make(EVEN, 8.0)
    grids = [*trial.bank.grids, *trial.goods, *trial.defects]
    before = [one.patches.copy() for one in grids]
    choose([Way("full", NEARBY, "top1")], trial)
    assert all(np.array_equal(one.patches, kept) for one, kept in zip(grids, before, strict=True))
