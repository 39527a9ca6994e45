"""Each method's threshold is the one its definition gives, computed here in another way."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from calibration.threshold.choose import Asked, choose_threshold, finite_band
from calibration.threshold.conformal import choose_conformal
from calibration.threshold.cost import choose_cost, cost_band
from calibration.threshold.labelled import choose_labelled
from calibration.threshold.order import quantile_band, rejected_share
from calibration.threshold.parts import Parts
from edge.errors import BadConfig, TooFewGoods
from edge.recipe.manifest import HeldOutCard
from edge.recipe.promise import Manual, Promise

NONE = np.empty(0)


def parts(goods: np.ndarray, defects: np.ndarray = NONE) -> Parts:
    cards = tuple(
        HeldOutCard(picture=f"{n}.png", part=str(n), sha256="0" * 64, score=float(score)) for n, score in enumerate(goods)
    )
    return Parts(cards, goods, defects)


def test_conformal_takes_the_rank_of_its_formula_and_needs_fewer_goods() -> None:
    threshold, promise = choose_conformal(np.arange(1.0, 60.0), 0.05)
    assert (threshold, promise.rank, promise.parts) == (57.0, 57, 59)
    assert choose_conformal(np.arange(1.0, 20.0), 0.05)[1].rank == 19
    with pytest.raises(TooFewGoods, match="19 are needed") as caught:
        choose_conformal(np.arange(18.0), 0.05)
    offered = float(str(caught.value).rstrip(".").rsplit(" ", 1)[1])
    assert choose_conformal(np.arange(18.0), offered)[1].rank == 18


def test_conformal_rejects_the_next_good_part_as_rarely_as_it_says() -> None:
    rng = np.random.default_rng(5)
    rejected = [rng.uniform() > choose_conformal(rng.uniform(size=39), 0.1)[0] for _ in range(4000)]
    assert np.mean(rejected) == pytest.approx(0.1, abs=0.015)


def test_labelled_promises_few_escapes_and_holds_in_simulation() -> None:
    rng = np.random.default_rng(6)
    kept = 0
    for _ in range(2000):
        # For uniform scores the share of defects at or below a threshold t is t.
        threshold, _ = choose_labelled(rng.uniform(size=20), rng.uniform(size=80), 0.1, 0.9)
        kept += threshold <= 0.1
    assert kept / 2000 >= 0.9 - 3 * np.sqrt(0.9 * 0.1 / 2000)


def test_labelled_lies_just_below_a_defect_and_counts_the_goods_above() -> None:
    defects = np.arange(10.0, 69.0)
    threshold, promise = choose_labelled(np.array([1.0, 10.0, 11.0]), defects, 0.05, 0.95)
    assert threshold < 10.0 == pytest.approx(threshold)
    assert (promise.rank, promise.defects, promise.rejected, promise.parts) == (1, 59, 2, 3)
    with pytest.raises(TooFewGoods, match="59 are needed"):
        choose_labelled(NONE, defects[1:], 0.05, 0.95)


def test_cost_finds_the_cheapest_threshold_of_all() -> None:
    rng = np.random.default_rng(7)
    goods, defects = rng.normal(0, 1, 60), rng.normal(2, 1, 30)
    threshold, promise = choose_cost(goods, defects, 30, 2, 0.05)

    def cost(level: float) -> float:
        return float(0.05 * 30 * (defects <= level).mean() + 0.95 * 2 * (goods > level).mean())

    every = [cost(level) for level in np.linspace(-5, 8, 20001)]
    assert cost(threshold) == pytest.approx(min(every)) == pytest.approx(promise.expected)
    assert (promise.escaped, promise.rejected) == ((defects <= threshold).sum(), (goods > threshold).sum())
    low, high = cost_band(goods, defects, promise, seed=0)
    assert low <= threshold <= high
    assert cost_band(goods, defects, promise, seed=0) == (low, high)


def test_the_share_rejected_and_the_band_hold_in_simulation() -> None:
    rng = np.random.default_rng(8)
    inside = outside = 0
    low, high = rejected_share(55, 59)
    for _ in range(2000):
        scores = np.sort(rng.uniform(size=59))
        inside += low <= 1 - scores[54] <= high
        band = quantile_band(scores, 0.2)
        outside += not band[0] <= 0.8 <= band[1]
    assert inside / 2000 == pytest.approx(0.95, abs=0.015)
    assert outside / 2000 <= 0.065
    assert quantile_band(np.arange(20.0), 0.05)[1] == np.inf


def test_a_gray_zone_lies_below_the_threshold_with_a_promise_of_its_own() -> None:
    chosen = choose_threshold(parts(np.arange(100.0)), Asked(gray=0.2))
    assert chosen.gray_zone is not None
    assert chosen.gray_zone.above < chosen.threshold
    assert chosen.gray_zone.promise.max_false_reject == 0.2
    with pytest.raises(BadConfig, match=r"--gray 0\.05"):
        choose_threshold(parts(np.arange(100.0)), Asked(gray=0.05))


def test_escapes_with_a_gray_zone_are_only_those_below_it() -> None:
    defects = np.array([1.0, 85.0, 200.0])
    without = choose_threshold(parts(np.arange(100.0), defects), Asked())
    zoned = choose_threshold(parts(np.arange(100.0), defects), Asked(gray=0.4))
    assert without.escapes is not None
    assert zoned.escapes is not None
    assert (without.escapes.count, zoned.escapes.count) == (2, 1)


def test_stricter_promises_say_how_many_parts_are_missing() -> None:
    steps = {step.max_false_reject: step for step in choose_threshold(parts(np.arange(70.0)), Asked()).steps}
    assert (steps[0.05].missing, steps[0.05].threshold) == (0, 69.0)
    assert (steps[0.01].parts, steps[0.01].missing, steps[0.01].threshold) == (299, 229, None)


def test_a_threshold_by_hand_says_whose_decision_it_was_and_promises_nothing() -> None:
    chosen = choose_threshold(parts(np.arange(70.0)), Asked("manual", value=60.5, reason="agreed with QA"))
    assert chosen.promise == Manual(reason="agreed with QA", parts=70, rejected=9)
    assert "agreed with QA" in chosen.promise.sentence()
    assert chosen.band is None
    assert finite_band(chosen, parts(np.arange(70.0))) is None


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        (Asked("labelled"), "--defects"),
        (Asked("cost"), "--defects"),
        (Asked("manual", value=3.0), "--reason"),
        (Asked("manual", reason="why"), "--value"),
    ],
)
def test_what_a_method_needs_is_named(asked: Asked, missing: str) -> None:
    with pytest.raises(BadConfig, match=missing):
        choose_threshold(parts(np.arange(70.0)), asked)


@pytest.mark.parametrize(
    "asked", [Asked(), Asked("conformal"), Asked("labelled"), Asked("cost", escape_cost=9, defect_rate=0.1)]
)
def test_every_promise_reads_itself_back_and_speaks(asked: Asked) -> None:
    chosen = choose_threshold(parts(np.arange(70.0), np.arange(60.0, 130.0)), asked)
    adapter: TypeAdapter[Promise] = TypeAdapter(Promise)
    assert adapter.validate_json(chosen.promise.model_dump_json()) == chosen.promise
    assert chosen.promise.sentence().endswith(".")
