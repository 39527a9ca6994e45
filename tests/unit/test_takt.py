"""A verdict after the takt's deadline is none, and holds nobody up. Time is told by the test."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.capture.triggers import Offered, Trigger, Triggers
from edge.command.controls import Controls
from edge.host.clock import Boot, utc_now
from edge.loop import Line, in_time
from edge.recipe.recipe import open_recipe
from edge.types import Decision, Frame, Origin, Reason, Score, Shot, Verdict
from tests.conftest import part_picture
from tests.lines import BAD, FRAME, GOOD, LOST, Heard, Quiet, checkup_of
from tests.results import STATION

SCORED = replace(BAD, score=Score(7.0, "top1", 16))


@pytest.mark.parametrize("verdict", [GOOD, SCORED, Verdict.not_decidable(Reason.GRAY_ZONE, "between")])
def test_a_verdict_after_the_deadline_says_late_by_how_much_and_what_it_would_have_been(verdict: Verdict) -> None:
    late = in_time(verdict, FRAME, now_mono_s=0.3125, takt_s=0.25)
    assert (late.decision, late.reason, late.score) == (Decision.NOT_DECIDABLE, Reason.LATE, verdict.score)
    assert late.detail == f"312 ms after the frame's arrival, and takt_s is 0.25 s; it would have been {verdict.decision}"


def test_the_takt_runs_from_the_trigger_where_one_asked() -> None:
    asked = replace(FRAME, taken_mono_s=0.2, asked_mono_s=0.0)
    assert in_time(GOOD, asked, 0.3, 0.25).detail.startswith("300 ms after the trigger")
    assert in_time(GOOD, replace(asked, asked_mono_s=None), 0.3, 0.25) is GOOD


def test_the_takt_of_a_file_runs_from_when_it_came_and_not_from_when_it_was_read() -> None:
    waited = replace(FRAME, taken_mono_s=10.0, arrived_mono_s=0.0)
    assert in_time(GOOD, waited, 10.1, 0.25).detail.startswith("10100 ms after the frame's arrival")
    assert in_time(GOOD, replace(waited, arrived_mono_s=9.9), 10.1, 0.25) is GOOD


def test_a_verdict_on_the_deadline_is_in_time_and_without_a_takt_every_one_is() -> None:
    assert in_time(GOOD, FRAME, 0.25, 0.25) is GOOD
    assert in_time(GOOD, FRAME, 1e6, None) is GOOD


def test_what_was_not_decidable_before_keeps_the_reason_that_says_more() -> None:
    assert in_time(LOST, FRAME, 10.0, 0.25) is LOST


class Clock:
    """Monotonic time that goes on by a step at each look."""

    def __init__(self, *steps: float) -> None:
        self._steps, self._now = iter(steps), 0.0

    def __call__(self) -> float:
        self._now += next(self._steps)
        return self._now


class Parts(Quiet):
    """Two good parts, taken at 0 s and at 1 s."""

    def __iter__(self) -> Iterator[Shot]:
        for second in (0.0, 1.0):
            yield Frame(f"part-{second:g}", 1, second, utc_now(), part_picture(300))


def test_a_late_part_keeps_its_score_is_counted_and_does_not_hold_up_the_next(recipe_dir: Path) -> None:
    recipe, heard = open_recipe(recipe_dir), Heard()
    # Each part looks three times: at its beginning, when it is judged, and when it is told.
    clock = Clock(0.1, 0.5, 0.0, 0.5, 0.05, 0.0)
    line = Line(STATION, Controls(recipe), Parts(), [heard], Boot(), Origin.LIVE, takt_s=0.4, clock=clock)
    assert line.run() == {Decision.NOT_DECIDABLE: 1, Decision.OK: 1}
    late, punctual = heard.results
    assert (late.reason, late.detail[:6]) == (Reason.LATE, "600 ms")
    assert late.score == punctual.score
    assert late.score is not None
    assert late.margin is not None
    assert (punctual.reason, punctual.latency_ms) == (Reason.WITHIN_THRESHOLD, pytest.approx(150))
    counted = {(c.verdict, c.reason): c.count for c in checkup_of(line).health().parts}
    assert counted == {("NOT_DECIDABLE", "LATE"): 1, ("OK", "WITHIN_THRESHOLD"): 1}


def test_triggers_that_find_one_waiting_are_refused_and_counted() -> None:
    triggers = Triggers()
    wanted = [Trigger(f"part-{n}", None, float(n), utc_now()) for n in range(4)]
    assert [triggers.offer(trigger) for trigger in wanted[:3]] == [Offered.TAKEN, Offered.BUSY, Offered.BUSY]
    assert triggers.refused == 2
    triggers.taken()
    assert triggers.offer(wanted[3]) is Offered.TAKEN
    assert triggers.close() is wanted[3]
    assert triggers.offer(wanted[0]) is Offered.ENDED
    assert triggers.refused == 2, "after the end nobody is refused, the line is gone"
