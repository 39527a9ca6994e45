"""The threshold's promise is the textbook's, and holds when it is tried."""

import numpy as np
import pytest

from calibration.threshold.order import best_promise, choose, confidence_of, parts_needed, plan_held_out, require_enough
from edge.errors import TooFewGoods


@pytest.mark.parametrize(("share", "parts"), [(0.05, 59), (0.01, 299), (0.001, 2995)])
def test_wilks_numbers_come_out(share: float, parts: int) -> None:
    assert parts_needed(share, 0.95) == parts
    assert confidence_of(parts, parts, share) >= 0.95
    assert confidence_of(parts - 1, parts - 1, share) < 0.95
    assert best_promise(parts, 0.95) <= share


def test_the_lowest_threshold_that_keeps_the_promise_is_chosen() -> None:
    scores = np.arange(1.0, 94.0)
    threshold, guarantee = choose(scores, 0.05, 0.95)
    assert (threshold, guarantee.rank, guarantee.parts) == (92.0, 92, 93)
    assert confidence_of(92, 93, 0.05) >= 0.95 > confidence_of(91, 93, 0.05)


def test_the_order_of_scores_does_not_matter() -> None:
    scores = np.random.default_rng(0).normal(size=80)
    assert choose(scores, 0.1, 0.9) == choose(np.sort(scores), 0.1, 0.9)


def test_the_promised_confidence_holds_in_simulation() -> None:
    rng = np.random.default_rng(11)
    kept = 0
    for _ in range(2000):
        # For uniform scores the share of goods above a threshold t is 1 - t.
        threshold, _ = choose(rng.uniform(size=70), 0.1, 0.9)
        kept += 1 - threshold <= 0.1
    assert kept / 2000 >= 0.9 - 3 * np.sqrt(0.9 * 0.1 / 2000)


def test_too_few_scores_are_refused() -> None:
    with pytest.raises(TooFewGoods, match="59 are needed"):
        choose(np.arange(58.0), 0.05, 0.95)


def test_as_many_parts_are_held_out_as_the_promise_needs() -> None:
    assert plan_held_out(200, 0.05, 0.95) == 59
    assert plan_held_out(1000, 0.05, 0.95) == 200


@pytest.mark.parametrize("parts", [1, 5, 10])
def test_a_handful_of_parts_is_refused(parts: int) -> None:
    with pytest.raises(TooFewGoods, match="collect at least 20"):
        plan_held_out(parts, 0.5, 0.5)


def test_a_promise_that_cannot_be_kept_is_refused_with_one_that_can() -> None:
    with pytest.raises(TooFewGoods) as caught:
        plan_held_out(50, 0.05, 0.95)
    message = str(caught.value)
    assert "collect 118 good parts" in message
    offered = float(message.rstrip(".").rsplit(" ", 1)[1])
    assert plan_held_out(50, offered, 0.95) == 25


def test_a_split_made_by_hand_must_suffice_on_both_sides() -> None:
    require_enough(10, 59, 0.05, 0.95)
    with pytest.raises(TooFewGoods, match="too few for a bank"):
        require_enough(9, 59, 0.05, 0.95)
    with pytest.raises(TooFewGoods, match="give 59"):
        require_enough(10, 58, 0.05, 0.95)
