"""The books of a line: whatever happens to results, they add up, and if they do not, the device says so."""

import logging
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.capture.sources import Fault, Feed
from edge.health.ask import Heard, troubles
from edge.health.message import Count, Health
from edge.health.standing import standing
from edge.health.words import facts
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.books import Loss
from edge.report.jsonl import JsonLines
from edge.report.wire import to_wire
from edge.types import Decision, Reason, Verdict
from tests.lines import BAD, GOOD, LOST, Books, Fed, checkup_of, line_of, tell
from tests.results import result

VERDICTS = st.sampled_from([GOOD, BAD, LOST])
STEP = st.one_of(
    st.tuples(st.just("part"), VERDICTS, st.booleans()),
    st.tuples(st.just("deliver"), st.integers(0, 1), st.integers(1, 5)),
    st.tuples(st.just("lose"), st.integers(0, 1), st.integers(1, 5), st.sampled_from(Loss)),
)


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(STEP, max_size=40), st.integers(0, 3))
def test_whatever_happens_inspected_is_delivered_waiting_and_lost(recipe: Recipe, steps: list, carried: int) -> None:
    sinks = Books("mqtt", carried), Books("results")
    line = line_of(recipe, sinks)
    checkup = checkup_of(line)
    told = {"parts": list[Verdict](), "samples": list[Verdict]()}
    for step in steps:
        match step:
            case ("part", verdict, sample):
                tell(line, verdict, sample=sample)
                told["samples" if sample else "parts"].append(verdict)
            case ("deliver", which, most):
                sinks[which].deliver(most)
            case ("lose", which, most, cause):
                sinks[which].lose(most, cause)
        health = checkup.health()
        results = health.inspected + health.sampled
        assert health.reconciles
        assert health.in_hand == 0
        for books in health.delivery:
            assert results + books.carried == books.delivered + books.waiting + books.lost
            assert books.lost == sum(loss.count for loss in books.losses)
    health = checkup.health()
    assert (health.inspected, health.sampled) == (len(told["parts"]), len(told["samples"]))
    for verdict in (GOOD, BAD, LOST):
        found = [c.count for c in health.parts if (c.verdict, c.reason) == (verdict.decision, verdict.reason)]
        assert sum(found) == told["parts"].count(verdict)
    assert Health.model_validate_json(to_wire(health)) == health


def test_books_that_do_not_add_up_are_said_once_and_so_is_that_they_do_again(
    recipe: Recipe, caplog: pytest.LogCaptureFixture
) -> None:
    sound, broken = Books("results"), Books("mqtt")
    line = line_of(recipe, (sound, broken))
    checkup = checkup_of(line)
    for _ in range(3):
        tell(line, GOOD)
    broken.deliver(3)
    broken.forgets = 1
    found = [checkup.health(), checkup.health()]
    assert [health.reconciles for health in found] == [False, False]
    assert {books.to: books.reconciles for books in found[0].delivery} == {"results": True, "mqtt": False}
    assert [r.getMessage() for r in caplog.records] == [
        "the books of mqtt do not add up: 3 results and 0 carried over, but 2 delivered, 0 waiting, 0 lost"
    ]
    broken.forgets = 0
    assert checkup.health().reconciles
    assert checkup.health().reconciles
    assert [r.levelno for r in caplog.records] == [logging.ERROR, logging.WARNING]


@pytest.mark.parametrize("where", [0, 1])
def test_a_part_that_comes_while_the_books_are_read_makes_them_be_read_again(recipe: Recipe, where: int) -> None:
    sinks = Books("mqtt"), Books("results")
    line = line_of(recipe, sinks)
    tell(line, GOOD)
    sinks[where].meanwhile = lambda: tell(line, BAD)
    health = checkup_of(line).health()
    assert (health.inspected, health.in_hand, health.reconciles) == (2, 0, True)
    assert [books.waiting for books in health.delivery] == [2, 2]


def test_a_part_that_goes_into_the_sinks_while_they_are_read_is_waited_for(recipe: Recipe) -> None:
    sinks = Books("mqtt"), Books("results")
    line = line_of(recipe, sinks)
    line.board.begin()
    sinks[0].put(result(1))

    def finish() -> None:
        sinks[1].put(result(1))
        line.board.told(GOOD, 0.0, 0.0, pictured=True, sample=False)

    sinks[1].meanwhile = finish
    health = checkup_of(line).health()
    assert (health.inspected, health.in_hand, health.reconciles) == (1, 0, True)
    assert [books.waiting for books in health.delivery] == [1, 1]


def test_a_line_that_hangs_in_a_sink_is_told_with_its_result_in_hand(recipe: Recipe) -> None:
    line = line_of(recipe, (Books("results"),))
    tell(line, GOOD)
    line.board.begin()
    line.sinks[0].put(result(2))
    health = checkup_of(line).health()
    assert (health.inspected, health.in_hand, health.reconciles) == (1, 1, True)
    assert health.delivery[0].waiting == 2


def test_lines_that_the_disk_did_not_take_are_lost_and_counted(recipe: Recipe) -> None:
    full = JsonLines(Path("/dev/full"))
    line = line_of(recipe, (full,))
    for _ in range(3):
        tell(line, GOOD)
    books = checkup_of(line).health().delivery[0]
    full.close()
    assert (books.to, books.delivered, books.lost, books.reconciles) == ("results", 0, 3, True)
    assert [(loss.cause, loss.count) for loss in books.losses] == [(Loss.UNWRITTEN, 3)]


def test_times_are_of_pictures_in_milliseconds_and_samples_of_the_shift_check_take_as_long(recipe: Recipe) -> None:
    line = line_of(recipe, ())
    checkup = checkup_of(line)
    assert (checkup.health().inspect_ms, checkup.health().capture_to_decision_ms) == (None, None)
    tell(line, GOOD, taken_s=1.0, began_s=1.5, ended_s=1.75)
    tell(line, GOOD, taken_s=2.0, began_s=2.0, ended_s=2.125, sample=True)
    tell(line, LOST, taken_s=3.0, began_s=9.0, ended_s=9.0)
    health = checkup.health()
    assert health.inspect_ms is not None
    assert health.inspect_ms.model_dump() == {"p50": 125, "p95": 250, "p99": 250, "max": 250, "count": 2, "sum": 375}
    assert health.capture_to_decision_ms is not None
    assert (health.capture_to_decision_ms.p50, health.capture_to_decision_ms.max) == (125, 750)
    assert health.parts == (
        Count(verdict=Decision.NOT_DECIDABLE, reason=Reason.CAMERA_LOST, count=1),
        Count(verdict=Decision.OK, reason=Reason.WITHIN_THRESHOLD, count=1),
    )
    assert health.samples == (Count(verdict=Decision.OK, reason=Reason.WITHIN_THRESHOLD, count=1),)


@pytest.mark.parametrize("reason", [Reason.FROZEN, Reason.WRONG_SETTINGS])
def test_a_camera_whose_pictures_are_not_judged_is_told_everywhere(recipe: Recipe, tmp_path: Path, reason: Reason) -> None:
    fed = Fed(Feed(up=True, since_s=time.monotonic(), frames=9, freeze_told=False))
    line = line_of(recipe, (), fed)
    checkup = checkup_of(line, tmp_path)
    assert standing(line) == "judging; no part yet"
    well = checkup.states()
    fed.now = replace(fed.now, fault=Fault(reason, "as it is"))
    assert checkup.states() != well, "health is told at once"
    assert standing(line) == f"judges no part, {reason}: as it is; no part yet"
    health = checkup.health()
    assert health.source is not None
    assert (health.source.up, health.source.fault, health.source.fault_detail) == (True, reason, "as it is")
    assert troubles(Heard("itself", "online", health), health.sent_utc) == [f"no part is judged, {reason}: as it is"]
    assert "a frozen picture cannot be told yet" in dict(facts(health, health.sent_utc))["camera"]


def test_a_source_that_may_go_away_is_told_and_another_is_not(recipe: Recipe, tmp_path: Path) -> None:
    line = line_of(recipe, (), Fed(Feed(up=False, since_s=0.0, losses=2, frames=9, dropped=4, newest_s=None)))
    health = checkup_of(line, tmp_path).health()
    assert health.source is not None
    assert (health.source.up, health.source.losses, health.source.frames, health.source.dropped) == (False, 2, 9, 4)
    assert health.source.newest_age_s is None
    assert health.broker is None
    assert (health.machine.disk_free_bytes or 0) > 0
    assert checkup_of(line_of(recipe, ()), tmp_path).health().source is None
