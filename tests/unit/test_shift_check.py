"""The line is released by samples that come out right in their order, and by nothing else."""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.shift.card import SampleCard
from edge.shift.check import Moment, Phase, ShiftCheck, Weighed
from edge.shift.times import ShiftTimes
from edge.types import Decision, Reason, Score, Verdict

SAMPLES = (
    SampleCard(name="gold-1", kind="good", expected=Decision.OK, score=1.0),
    SampleCard(name="gold-2", kind="good", expected=Decision.OK, score=2.0),
    SampleCard(name="crack-1", kind="crack", expected=Decision.NOK, score=9.0),
)
OK = Verdict(Decision.OK, Reason.WITHIN_THRESHOLD, score=Score(1.5, "top1", 1))
NOK = Verdict(Decision.NOK, Reason.ABOVE_THRESHOLD, score=Score(8.5, "top1", 1))
UNSURE = Verdict(Decision.NOT_DECIDABLE, Reason.WITHIN_THRESHOLD, score=Score(4.5, "top1", 1))
DARK = Verdict.not_decidable(Reason.TOO_DARK, "too dark")
MIDNIGHT = datetime(2026, 11, 24)  # noqa: DTZ001 - the clock on the wall has no zone


class Shift:
    """A check and its clocks; a shot every second."""

    def __init__(self, *, tries: int = 3, pause_s: float = 0.0, at: tuple[time, ...] = ()) -> None:
        self.now = Moment(100.0, MIDNIGHT + timedelta(hours=1))
        self.check = ShiftCheck(SAMPLES, ShiftTimes(at, self.now.wall), tries=tries, pause_s=pause_s, start=self.now)

    def sees(self, *verdicts: Verdict, asked: bool = False) -> list[Weighed]:
        weighed = []
        for verdict in verdicts:
            self.now = Moment(self.now.mono_s + 1, self.now.wall + timedelta(seconds=1))
            weighed.append(self.check.weigh(verdict, self.now, asked=asked))
        return weighed

    def sets_the_clock(self, hour: int, minute: int = 0) -> None:
        self.now = Moment(self.now.mono_s, MIDNIGHT + timedelta(hours=hour, minutes=minute))


def test_all_right_in_order_releases_the_line_and_each_step_says_what_to_present() -> None:
    shift = Shift()
    assert "present golden sample gold-1 (1 of 3)" in shift.check.greeting
    first, second, third, part = shift.sees(OK, OK, NOK, NOK)
    assert [w.sample for w in (first, second, third, part)] == [*SAMPLES, None]
    assert [w.verdict for w in (first, second, third, part)] == [OK, OK, NOK, NOK]
    assert "present golden sample gold-2 (2 of 3)" in first.said[0].words
    assert "present red rabbit crack-1 (3 of 3)" in second.said[0].words
    assert "the line is released" in third.said[0].words
    assert part.said == ()
    assert shift.check.phase is Phase.RELEASED


def test_a_wrong_one_starts_the_round_over() -> None:
    shift = Shift()
    _, wrong = shift.sees(OK, NOK)
    assert "NOK with score 8.500 (2.000 when sealed), not OK; round 1 of 3 failed, start over" in wrong.said[0].words
    assert shift.check.expected == SAMPLES[0]
    shift.sees(OK, OK, NOK)
    assert shift.check.phase is Phase.RELEASED


def test_a_red_rabbit_that_is_not_caught_blocks_the_line_after_so_many_rounds() -> None:
    shift = Shift(tries=2)
    shift.sees(OK, OK, OK)
    last = shift.sees(OK, OK, OK)[-1]
    assert "the line is blocked" in last.said[0].words
    for part in shift.sees(OK, NOK, DARK, OK, OK, NOK):
        assert (part.verdict.decision, part.verdict.reason) == (Decision.NOT_DECIDABLE, Reason.SHIFT_CHECK_FAILED)
        assert "red rabbit crack-1" in part.verdict.detail
        assert (part.sample, part.said) == (None, ())


def test_a_blocked_line_is_released_by_a_round_that_was_asked_for() -> None:
    shift = Shift(tries=1)
    shift.sees(NOK)
    again = shift.sees(OK, asked=True)[0]
    assert again.sample == SAMPLES[0]
    assert "as asked" in again.said[0].words
    shift.sees(OK, NOK)
    assert shift.check.phase is Phase.RELEASED
    assert shift.sees(OK)[0] == Weighed(OK)


def test_a_blocked_line_gets_all_its_tries_again_at_the_next_listed_time() -> None:
    shift = Shift(tries=2, at=(time(6),))
    shift.sees(NOK, NOK)
    assert shift.check.phase is Phase.BLOCKED
    shift.sets_the_clock(6)
    shift.sees(NOK, OK, OK, NOK)
    assert shift.check.phase is Phase.RELEASED


def test_a_listed_time_stops_production_and_one_that_comes_in_a_round_does_not_restart_it() -> None:
    shift = Shift(at=(time(6), time(14)))
    shift.sees(OK)
    shift.sets_the_clock(6)
    assert [w.sample for w in shift.sees(OK, NOK, OK)] == [SAMPLES[1], SAMPLES[2], None]
    shift.sets_the_clock(14)
    due = shift.sees(OK)[0]
    assert due.sample == SAMPLES[0]
    assert "as it is due" in due.said[0].words


def test_a_picture_of_which_nothing_was_measured_consumes_no_sample_and_says_nothing() -> None:
    shift = Shift()
    dark, again, right = shift.sees(DARK, DARK, OK)
    assert dark == again == Weighed(DARK, SAMPLES[0])
    assert right.sample == SAMPLES[0]


@pytest.mark.parametrize("would_be", [OK, NOK])
def test_a_sample_that_was_judged_too_late_neither_passes_nor_fails_and_is_asked_for_again(would_be: Verdict) -> None:
    late = replace(would_be, decision=Decision.NOT_DECIDABLE, reason=Reason.LATE, detail="312 ms after the trigger")
    shift = Shift(tries=1)
    for weighed in shift.sees(late, late):
        assert (weighed.verdict, weighed.sample) == (late, SAMPLES[0])
        [said] = weighed.said
        assert "golden sample gold-1 does not count, it was judged too late: 312 ms after the trigger" in said.words
        assert said.words.endswith("once more, present golden sample gold-1 (1 of 3)")
        assert said.enters is None
    assert (shift.check.phase, shift.check.expected) == (Phase.WAITING, SAMPLES[0])
    shift.sees(OK, OK, late)
    assert (shift.check.phase, shift.check.expected) == (Phase.WAITING, SAMPLES[2])
    shift.sees(NOK)
    assert shift.check.phase is Phase.RELEASED


def test_a_sample_in_doubt_is_a_wrong_one() -> None:
    shift = Shift(tries=1)
    shift.sees(UNSURE)
    assert shift.check.phase is Phase.BLOCKED


def test_shots_while_a_sample_is_laid_down_are_nobodys() -> None:
    shift = Shift(pause_s=3)
    seen = shift.sees(NOK, NOK, OK, NOK, NOK, OK)
    assert [w.sample for w in seen] == [None, None, SAMPLES[0], None, None, SAMPLES[1]]
    assert {w.verdict.reason for w in seen if w.sample is None} == {Reason.SHIFT_CHECK_DUE}
    assert {w.verdict.decision for w in seen if w.sample is None} == {Decision.NOT_DECIDABLE}


def test_the_pause_is_measured_by_the_clock_that_does_not_step() -> None:
    shift = Shift(pause_s=3)
    shift.sets_the_clock(5)
    assert shift.sees(OK)[0].sample is None


@given(
    verdicts=st.lists(st.sampled_from([OK, NOK, UNSURE, DARK]), max_size=60),
    asked=st.sets(st.integers(0, 59)),
    tries=st.integers(1, 3),
)
def test_no_part_is_judged_unless_the_last_round_came_out_right(
    verdicts: list[Verdict], asked: set[int], tries: int
) -> None:
    shift = Shift(tries=tries)
    round_so_far: list[Verdict] = []
    for number, verdict in enumerate(verdicts):
        before = shift.check.phase
        (weighed,) = shift.sees(verdict, asked=number in asked)
        if number in asked:
            round_so_far = []
        if weighed.sample is not None:
            assert weighed.verdict is verdict
            if verdict is not DARK:
                round_so_far = [*round_so_far, verdict]
        elif weighed.verdict is verdict:
            assert before is Phase.RELEASED
            assert round_so_far[-3:] == [OK, OK, NOK]
        else:
            assert weighed.verdict.reason is Reason.SHIFT_CHECK_FAILED
            assert before is Phase.BLOCKED
