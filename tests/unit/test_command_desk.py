"""From message to answer on a line without pictures: once only, not too fast, within limits, also after a restart."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PosixPath
from typing import Any

import pytest

from edge.capture.triggers import Offered, Triggers
from edge.command.actions import Actions, Powers
from edge.command.controls import Controls
from edge.command.desk import Answer, Desk
from edge.command.gatekeeper import Now, Request
from edge.command.lessons import Lessons, Teaching
from edge.command.memory import MOST_KEPT, Memory
from edge.command.rate import RateLimit
from edge.command.recipes import RecipeChanges
from edge.events import Events
from edge.recipe.opener import Opener
from edge.recipe.promise import GrayZone
from edge.recipe.recipe import Recipe, open_recipe
from tests.asking import ALL, rules, vouched, wish
from tests.results import STATION

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


class Counter:
    """A desk with a clock that the test turns, and the answers it has given."""

    def __init__(
        self,
        recipe: Recipe,
        ledger: Path | None,
        *,
        boot: str = "boot-1",
        recipes: dict[str, Path] | None = None,
        teaching: Teaching | None = None,
    ):
        self.now, self.mono_s = Now(START, synchronised=True), 100.0
        self.controls, self.triggers = Controls(recipe), Triggers()
        changes = RecipeChanges(self.controls, recipes or {}, Opener(threads=1), None, Events())
        self.actions = Actions(self.controls, self.triggers, Powers(ALL, (8.0, 12.0)), changes, Lessons(teaching))
        limit = RateLimit(6000, self.mono_s)
        self.desk = Desk(rules(), limit, Memory(ledger, STATION, boot), self.actions, boot, lambda: self.now)
        self.answers: list[Answer] = []

    def ask(self, document: dict[str, Any], **more: Any) -> dict[str, Any]:
        before = len(self.answers)
        self.desk.receive(Request(json.dumps(document).encode(), self.mono_s, **more), self.answers.append)
        self.desk.close(60)
        assert len(self.answers) == before + 1
        found: dict[str, Any] = json.loads(self.answers[-1].payload)
        return found

    def code(self, document: dict[str, Any]) -> str:
        return str(self.ask(document)["code"])


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "commands.json"


@pytest.fixture
def counter(recipe: Recipe, ledger: Path) -> Counter:
    return Counter(recipe, ledger)


def threshold(recipe: Recipe, value: float = 9.5, **more: object) -> dict[str, Any]:
    return vouched(wish("set_threshold", START, **{"recipe_id": recipe.id, "threshold": value, "min": 8, "max": 12} | more))


def test_an_answer_carries_the_mark_and_goes_where_it_is_wanted_or_to_the_stations_own_topic(counter: Counter) -> None:
    own = "goodpart/v1/test/lab/line-1/camera-1/response"
    for back, wanted in ((None, own), ("goodpart/answers/7", "goodpart/answers/7"), ("elsewhere", own)):
        answer = counter.ask(wish("ping", START), response_topic=back, correlation=b"\x00mark")
        assert answer["code"] == ("REFUSED_RESPONSE_TOPIC" if back == "elsewhere" else "OK")
        assert (counter.answers[-1].topic, counter.answers[-1].correlation) == (wanted, b"\x00mark")
    assert answer["station"] == STATION.model_dump()
    assert answer["boot_id"] == "boot-1"


def test_pause_and_resume_are_seen_in_the_status(counter: Counter) -> None:
    assert counter.ask(wish("status", START))["line"]["state"] == "RUNNING"
    assert counter.code(vouched(wish("pause", START))) == "OK"
    assert counter.ask(wish("status", START))["line"]["state"] == "PAUSED"
    assert counter.code(wish("trigger", START, part_id="p", job_id="j")) == "REFUSED_STATE"
    assert counter.code(wish("resume", START)) == "OK"
    assert not counter.controls.paused


def test_a_command_that_comes_twice_is_done_once(counter: Counter) -> None:
    trigger = wish("trigger", START, part_id="p", job_id="j")
    assert counter.ask(trigger)["code"] == "OK"
    counter.triggers.taken()
    again = counter.ask(trigger)
    assert (again["code"], again["ok"]) == ("DONE_BEFORE", True)
    assert counter.triggers.free, "no second part was asked for"
    assert counter.code(trigger | {"part_id": "q"}) == "REFUSED_REUSED_ID"
    counter.now = Now(START + timedelta(hours=1), synchronised=True)
    assert counter.code(trigger) == "DONE_BEFORE", "who asks late learns that it was done"


def test_a_trigger_behind_a_waiting_one_is_refused_and_may_be_sent_again(counter: Counter) -> None:
    first, second = (wish("trigger", START, part_id=p, job_id="j") for p in "pq")
    assert [counter.code(first), counter.code(second)] == ["OK", "BUSY"]
    counter.triggers.taken()
    assert counter.code(second) == "OK"
    waiting = counter.triggers.waiting(threading.Event())
    assert waiting
    assert (waiting.part_id, waiting.order.job_id, waiting.order.command_id) == ("q", "j", second["command_id"])


def test_a_trigger_that_another_one_just_beats_may_be_sent_again_too(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    beaten = wish("trigger", START, part_id="p", job_id="j")
    with monkeypatch.context() as patch:
        patch.setattr(Triggers, "offer", lambda *_: Offered.BUSY)
        assert counter.code(beaten) == "BUSY"
    assert counter.code(beaten) == "OK"
    counter.triggers.taken()
    assert counter.code(beaten) == "DONE_BEFORE"


def test_a_threshold_within_limits_is_told_wherever_it_counts(counter: Counter, recipe: Recipe) -> None:
    command = threshold(recipe)
    answer = counter.ask(command)
    assert answer["code"] == "OK"
    assert "promise of the recipe does not hold" in answer["detail"]
    line = counter.ask(wish("status", START))["line"]
    assert (line["threshold"], line["threshold_command_id"]) == (9.5, command["command_id"])
    assert line["promise_holds"] is False
    assert line["recipe_id"] == recipe.id, "the identity is that of the sealed recipe"
    assert counter.controls.recipe.manifest.threshold == 9.5


@pytest.mark.parametrize(
    "more", [{"min": 5, "threshold": 6}, {"max": 99, "threshold": 50}, {"min": 9}, {"recipe_id": "0" * 64}], ids=str
)
def test_a_threshold_beyond_the_stations_limits_or_for_another_recipe_is_refused(
    counter: Counter, recipe: Recipe, more: dict[str, object]
) -> None:
    command = threshold(recipe, **more)
    assert counter.code(command) == "REFUSED_LIMITS"
    assert counter.controls.recipe is recipe


def test_another_recipe_comes_into_use_and_a_broken_one_does_not(recipe: Recipe, recipe_dir: Path, ledger: Path) -> None:
    (broken := ledger.parent / "broken").mkdir()
    counter = Counter(recipe, ledger, recipes={"same": recipe_dir, "broken": broken})
    counter.ask(threshold(recipe))
    failed = counter.ask(vouched(wish("activate_recipe", START, recipe="broken")))
    assert (failed["code"], failed["ok"]) == ("FAILED", False)
    assert "recipe.json" in failed["detail"]
    assert counter.controls.recipe.manifest.threshold == 9.5, "the old one stays"
    assert counter.code(vouched(wish("activate_recipe", START, recipe="unknown"))) == "REFUSED_STATE"
    assert counter.code(vouched(wish("activate_recipe", START, recipe="same"))) == "OK"
    assert counter.controls.recipe.manifest.threshold == recipe.manifest.threshold, "with the threshold it was sealed with"
    assert counter.controls.recipe.threshold_command_id is None


def test_while_a_recipe_is_opened_the_line_has_the_old_one_and_other_commands_are_answered(
    recipe: Recipe, ledger: Path
) -> None:
    there = threading.Event()

    class Slow(PosixPath):
        """A folder on a drive that does not answer at first."""

        def __truediv__(self, name: str) -> Path:  # type: ignore[override] # one name is all it is asked for
            there.wait(60)
            return Path(self, name)

    counter = Counter(recipe, ledger, recipes={"slow": Slow(ledger.parent)})
    activate, answers = vouched(wish("activate_recipe", START, recipe="slow")), counter.answers

    def send(document: dict[str, Any]) -> None:
        counter.desk.receive(Request(json.dumps(document).encode(), 100.0), answers.append)

    send(activate)
    assert answers == [], "it is answered when it is done"
    send(wish("status", START))
    send(activate)
    send(vouched(wish("activate_recipe", START, recipe="slow")))
    assert json.loads(answers[0].payload)["line"]["activating"] == "slow"
    assert [json.loads(a.payload)["code"] for a in answers[1:]] == ["BUSY", "BUSY"]
    assert counter.controls.recipe is recipe
    there.set()
    counter.desk.close(60)
    last = json.loads(answers[-1].payload)
    assert (last["command_id"], last["code"]) == (activate["command_id"], "FAILED")


def test_a_threshold_that_would_turn_the_gray_zone_over_is_refused(recipe: Recipe, ledger: Path) -> None:
    gray = GrayZone.model_construct(above=9.75)
    counter = Counter(replace(recipe, manifest=recipe.manifest.model_copy(update={"gray_zone": gray})), ledger)
    answer = counter.ask(threshold(recipe, 9.5))
    assert (answer["code"], "gray zone" in answer["detail"]) == ("FAILED", True)
    assert counter.controls.recipe.threshold_command_id is None
    assert counter.code(threshold(recipe, 9.875)) == "OK"


def test_what_was_done_before_a_restart_is_not_done_again_and_the_answer_says_what_became_of_it(
    recipe: Recipe, ledger: Path
) -> None:
    command = threshold(recipe)
    assert Counter(recipe, ledger).code(command) == "OK"
    restarted = Counter(recipe, ledger, boot="boot-2")
    answer = restarted.ask(command)
    assert answer["code"] == "DONE_BEFORE"
    assert "before a restart" in answer["detail"]
    assert restarted.controls.recipe is recipe


def test_a_command_that_a_power_cut_interrupted_is_not_done_again(recipe: Recipe, ledger: Path) -> None:
    command = threshold(recipe)
    first = Counter(recipe, ledger)
    first.actions.do = lambda *_: None  # type: ignore[method-assign,assignment] # the power goes in the middle
    first.desk.receive(Request(json.dumps(command).encode(), 100.0), first.answers.append)
    assert first.code(command) == "BUSY"
    answer = Counter(recipe, ledger, boot="boot-2").ask(command)
    assert answer["code"] == "FAILED"
    assert "ended while" in answer["detail"]


def test_a_signed_command_that_cannot_be_noted_is_not_done(counter: Counter, recipe: Recipe, ledger: Path) -> None:
    (ledger.parent / f"{ledger.name}.draft").mkdir()
    assert counter.code(threshold(recipe)) == "FAILED"
    assert counter.controls.recipe is recipe


def test_a_clock_that_is_set_back_cannot_bring_a_forgotten_command_back(recipe: Recipe, ledger: Path) -> None:
    counter = Counter(recipe, ledger)
    old = vouched(wish("pause", START))
    assert counter.code(old) == "OK"
    counter.controls.resume()
    # The file as it would be after many more commands, without writing each of them.
    content = json.loads(ledger.read_text())
    deed = content["deeds"][0]
    content["deeds"] = [{**deed, "command_id": f"other-{n}"} for n in range(MOST_KEPT)]
    content["deeds"][0] = deed
    ledger.write_text(json.dumps(content))
    later = Counter(recipe, ledger, boot="boot-2")
    later.now = Now(START + timedelta(seconds=30), synchronised=True)
    assert later.code(vouched(wish("pause", START + timedelta(seconds=20)))) == "OK"
    later.controls.resume()
    later.now = Now(START, synchronised=True)
    assert later.code(old) == "REFUSED_EXPIRED"
    assert not later.controls.paused
    assert len(json.loads(ledger.read_text())["deeds"]) == MOST_KEPT


@pytest.fixture
def journal(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.WARNING):
        yield caplog


def test_a_flood_is_answered_once_counted_and_logged_at_its_beginning_and_end(
    recipe: Recipe, journal: pytest.LogCaptureFixture
) -> None:
    counter = Counter(recipe, None)
    limit = RateLimit(60, 100.0)
    desk = Desk(rules(), limit, Memory(None, STATION, "b"), counter.actions, "b", lambda: counter.now)
    answers: list[Answer] = []

    def send(mono_s: float) -> None:
        desk.receive(Request(json.dumps(wish("ping", START)).encode(), mono_s), answers.append)

    for _ in range(500):
        send(100.0)
    codes = [json.loads(a.payload)["code"] for a in answers]
    assert codes == ["OK"] * 10 + ["REFUSED_RATE"], "ten seconds' worth at once"
    assert len(journal.records) == 2, "the flood, and its one answer"
    for step in range(50):
        send(101.0 + step)  # as fast as it may be: the flood is not over
        send(101.0 + step)
    assert len(answers) == 11 + 50
    assert len(journal.records) == 2
    send(99.0)  # a clock that goes back gives nothing
    assert len(answers) == 61
    send(200.0)
    assert "541 were refused" in journal.records[-1].message


def test_every_refusal_stands_in_the_journal(counter: Counter, journal: pytest.LogCaptureFixture) -> None:
    counter.ask(wish("pause", START))
    assert "REFUSED_SIGNATURE" in journal.records[-1].message
    assert journal.records[-1].levelname == "WARNING"


def test_the_ledger_holds_no_more_than_it_must(counter: Counter, recipe: Recipe, ledger: Path) -> None:
    counter.ask(threshold(recipe))
    counter.ask(wish("ping", START))
    deeds = json.loads(ledger.read_text())["deeds"]
    assert [d["code"] for d in deeds] == ["OK"], "harmless commands are remembered in memory alone"
