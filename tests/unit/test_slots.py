"""Good, trial and previous: every way from one state to another."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.errors import BadRecipe
from edge.recipe.slots import Held, Slots, Trial

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
A, B, C, D = (Held(id=letter * 64, name=f"plate-{letter}") for letter in "abcd")
BEGUN = Slots(good=A)


def activated(slots: Slots, recipe: Held) -> Slots:
    return slots.activated(recipe, NOW, running=True)


def test_a_trial_judges_while_the_good_one_stays_and_then_takes_its_place() -> None:
    trial = activated(BEGUN, B)
    assert (trial.in_use, trial.good, trial.previous) == (B, A, None)
    confirmed = trial.confirmed()
    assert (confirmed.in_use, confirmed.good, confirmed.trial, confirmed.previous) == (B, B, None, A)


def test_rollback_ends_a_trial_and_then_goes_to_what_was_good_before_once() -> None:
    proved = activated(BEGUN, B).confirmed()
    without = activated(proved, C).rolled_back()
    assert without == proved
    before = without.rolled_back()
    assert (before.good, before.previous) == (A, None)
    with pytest.raises(BadRecipe, match="nothing was good before plate-a"):
        before.rolled_back()


def test_each_death_counts_once_and_the_parts_begin_anew_but_an_orderly_end_keeps_them() -> None:
    first = activated(BEGUN, B)
    again = first.counted(30, 30, 2).ended().started()
    assert again.trial
    assert (again.trial.deaths, again.trial.parts) == (0, 30)
    died = again.started()
    assert died.trial
    assert (died.trial.deaths, died.trial.parts, died.trial.running) == (1, 0, True)
    assert (died.trial.scored, died.trial.rejects) == (30, 2), "what speaks against it is not forgotten by dying"
    assert BEGUN.started() == BEGUN
    assert BEGUN.ended() == BEGUN


def test_the_good_one_needs_no_trial_and_a_trial_that_is_activated_again_begins_anew() -> None:
    assert activated(activated(BEGUN, B), A) == BEGUN
    doubted = activated(BEGUN, B).started().doubted("too many rejects")
    again = activated(doubted, B).trial
    assert again
    assert (again.deaths, again.doubt) == (0, "")


def test_a_state_of_before_the_rejects_were_counted_is_read() -> None:
    state = json.loads(activated(BEGUN, B).model_dump_json())
    del state["trial"]["scored"], state["trial"]["rejects"]
    assert Slots.model_validate_json(json.dumps(state)) == activated(BEGUN, B)


def test_a_state_that_names_a_recipe_twice_is_none() -> None:
    with pytest.raises(ValidationError, match="three recipes"):
        Slots(good=A, previous=A)
    with pytest.raises(ValidationError, match="three recipes"):
        Slots(good=A, trial=Trial(recipe=A, since_utc=NOW))


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "confirm", "roll back", "start", "end", "count", "doubt"])))
def test_whatever_happens_there_is_a_good_one_and_the_file_says_the_same(steps: list[str]) -> None:
    slots = BEGUN
    for step in steps:
        match step:
            case "confirm" if slots.trial:
                slots = slots.confirmed()
            case "roll back" if slots.trial or slots.previous:
                slots = slots.rolled_back()
            case "start":
                slots = slots.started()
            case "end":
                slots = slots.ended()
            case "count" if slots.trial:
                slots = slots.counted(7, 9, 1)
            case "doubt" if slots.trial:
                slots = slots.doubted("odd")
            case "a" | "b" | "c" | "d":
                slots = activated(slots, {"a": A, "b": B, "c": C, "d": D}[step])
        assert slots.in_use in slots.all
        assert Slots.model_validate_json(slots.model_dump_json()) == slots
