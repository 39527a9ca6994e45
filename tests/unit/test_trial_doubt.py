"""What speaks against a recipe on trial, and what does not."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate

from edge.recipe.doubt import ERROR, log_evidence, too_many
from edge.recipe.proving import Doubted, Proved, Proving
from edge.types import Decision, Reason, Score, Verdict

MEASURED = Score(1.0, "top1", 4)
GOOD = Verdict(Decision.OK, Reason.WITHIN_THRESHOLD, score=MEASURED)
BAD = Verdict(Decision.NOK, Reason.ABOVE_THRESHOLD, score=MEASURED)
LOST = Verdict.not_decidable(Reason.CAMERA_LOST, "away")
BROKEN = Verdict.not_decidable(Reason.NOT_FINITE, "nan")


@pytest.mark.parametrize(("parts", "rejects", "promised"), [(1, 1, 0.05), (40, 5, 0.05), (60, 0, 0.2), (9, 9, 0.01)])
def test_the_evidence_is_the_integral_it_says_it_is(parts: int, rejects: int, promised: float) -> None:
    def likelihood(p: float) -> float:
        return p**rejects * (1 - p) ** (parts - rejects)

    whole = integrate.quad(likelihood, promised, 1)[0] / (1 - promised) / likelihood(promised)
    assert math.exp(log_evidence(parts, rejects, promised)) == pytest.approx(whole, rel=1e-6)


def test_a_recipe_that_keeps_its_promise_is_doubted_no_more_often_than_stated() -> None:
    """By Ville's inequality with a laxer error, which can be seen: one in fifty trials at most, over 200 looks each."""
    chance = np.random.default_rng(11)
    limit, doubted = math.log(50), 0
    for rejected in chance.random((400, 200)) < 0.05:
        counts = np.cumsum(rejected)
        looks = np.flatnonzero(rejected)
        doubted += any(log_evidence(int(n) + 1, int(counts[n]), 0.05) > limit for n in looks)
    assert doubted / 400 <= 1 / 50


def test_a_recipe_that_rejects_everything_is_doubted_within_a_few_parts_and_a_few_rejects_are_no_doubt() -> None:
    assert next(n for n in range(1, 100) if too_many(n, n, 0.05)) == 4
    assert not too_many(100, 12, 0.05)
    assert too_many(100, 25, 0.05)
    assert ERROR == 1e-4


def test_enough_parts_prove_a_recipe_once_and_what_was_not_measured_proves_nothing() -> None:
    proving = Proving("id", 3, 0.05, parts=1)
    assert [proving.judged("id", LOST), proving.judged("other", GOOD), proving.judged("id", GOOD)] == [None] * 3
    assert proving.judged("id", BAD) == Proved()
    assert proving.judged("id", GOOD) is None
    assert proving.parts == 4


def test_a_recipe_too_slow_for_the_takt_is_proved_by_none_of_its_parts() -> None:
    proving = Proving("id", 3, 0.05)
    late = replace(GOOD, decision=Decision.NOT_DECIDABLE, reason=Reason.LATE)
    assert [proving.judged("id", late) for _ in range(10)] == [None] * 10
    assert proving.parts == 0


def test_a_score_that_is_no_number_is_a_doubt_that_is_said_once_and_does_not_end_the_trial() -> None:
    proving = Proving("id", 4, None)
    assert isinstance(proving.judged("id", BROKEN), Doubted)
    assert "no finite score" in proving.doubt
    assert [proving.judged("id", verdict) for verdict in (BROKEN, GOOD, GOOD)] == [None, None, Proved()]


def test_too_many_rejects_are_said_with_their_numbers_and_a_recipe_without_a_promise_is_not_held_to_one() -> None:
    proving = Proving("id", 100, 0.05)
    found = [proving.judged("id", BAD) for _ in range(4)]
    assert found[:3] == [None] * 3
    assert isinstance(found[3], Doubted)
    assert "rejected 4 of 4 parts and promised at most 5 % of good ones" in found[3].why
    assert [Proving("id", 100, None).judged("id", BAD) for _ in range(50)] == [None] * 50
