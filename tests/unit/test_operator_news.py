"""What the page is told: a colour only while there is a fresh verdict on a part of production, and words for all else."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.app.line import make_gate
from edge.capture.sources import Fault, Feed
from edge.events import Events
from edge.page.journal import Journal, Ruling
from edge.page.news import News
from edge.page.rulings import Rulings
from edge.page.shelf import Shelf
from edge.page.state import Lamp
from edge.page.words import PLAIN, plain
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.message import Box, Nearest
from edge.shift.card import SampleCard, ShiftCard
from edge.shift.config import ShiftCheckConfig
from edge.shift.gate import Gate
from edge.types import Decision, Reason, Score, Verdict
from tests.lines import BAD, FRAME, GOOD, LOST, Fed, Quiet, checkup_of, line_of, tell
from tests.results import result

UNSURE = Verdict(Decision.NOT_DECIDABLE, Reason.GRAY_ZONE)


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


class Room:
    """A line, its shelf and the news of it."""

    def __init__(
        self, recipe: Recipe, folder: Path, source: Quiet | None = None, silent_s: float = 15.0, gate: Gate | None = None
    ) -> None:
        self.line, self.shelf = replace(line_of(recipe, (), source), gate=gate), Shelf()
        self.rulings = Rulings(Journal(folder / "d.jsonl"), Events())
        self.news = News(self.line, self.shelf, checkup_of(self.line, folder), self.rulings, silent_s)

    def judge(self, verdict: Verdict, seq: int = 1, **more: object) -> None:
        found = {"verdict": verdict.decision, "reason": verdict.reason, **more}
        self.shelf.saw(FRAME, verdict, result(seq).model_copy(update=found))
        tell(self.line, verdict, sample="purpose" in more)

    @property
    def lamp(self) -> tuple[Lamp, str]:
        now = self.news.now()
        return now.lamp, now.word


@pytest.fixture
def room(recipe: Recipe, tmp_path: Path) -> Room:
    return Room(recipe, tmp_path)


def test_every_reason_has_plain_words() -> None:
    assert set(PLAIN) == set(Reason)
    assert len(set(PLAIN.values())) == len(PLAIN)
    assert all("_" not in words and not words.endswith(".") for words in PLAIN.values())


@pytest.mark.parametrize(("places", "words"), [(0, ""), (1, ", at 1 place"), (3, ", at 3 places")])
def test_a_reject_says_at_how_many_places(places: int, words: str) -> None:
    box = Box(x=0, y=0, width=1, height=1, peak=3.0, nearest=Nearest(picture="a.png", row=0, col=0))
    found = {"verdict": Decision.NOK, "reason": Reason.ABOVE_THRESHOLD, "regions": (box,) * places}
    assert plain(result(1).model_copy(update=found)) == f"Does not look like the good parts{words}"


def test_each_verdict_has_its_lamp(room: Room) -> None:
    found = []
    for seq, verdict in enumerate((GOOD, BAD, UNSURE), 1):
        room.judge(verdict, seq)
        found.append(room.lamp)
    assert found == [(Lamp.OK, "OK"), (Lamp.NOK, "NOK"), (Lamp.NOT_DECIDABLE, "NOT DECIDABLE")]


def test_without_a_part_yet_there_is_no_colour(room: Room) -> None:
    assert room.lamp == (Lamp.SILENT, "NO NEWS")
    assert room.news.now().reason == "No part has been judged yet"


def test_an_old_verdict_loses_its_colour(recipe: Recipe, tmp_path: Path) -> None:
    room = Room(recipe, tmp_path, silent_s=0.001)
    room.judge(GOOD)
    time.sleep(0.01)
    assert room.lamp == (Lamp.SILENT, "NO NEWS")
    assert room.news.now().part_id == "part-1"


def test_a_paused_line_has_no_colour(room: Room) -> None:
    room.judge(GOOD)
    room.line.controls.pause()
    assert room.lamp == (Lamp.PAUSED, "PAUSED")
    room.line.controls.resume()
    assert room.lamp == (Lamp.OK, "OK")


def test_a_sample_of_the_shift_check_is_no_verdict_on_a_part(room: Room) -> None:
    room.judge(GOOD, 1)
    room.judge(BAD, 2, purpose="red_rabbit", sample="scratched")
    assert room.lamp == (Lamp.SILENT, "NO NEWS")
    assert "sample" in room.news.now().reason


def test_the_shift_check_says_which_sample_to_lay_down_and_that_it_failed(recipe: Recipe, tmp_path: Path) -> None:
    samples = (
        SampleCard(name="master", kind="good", expected=Decision.OK, score=1.0),
        SampleCard(name="scratched", kind="scratch", expected=Decision.NOK, score=9.0),
    )
    card = ShiftCard(made_utc=datetime.now(UTC), recipe_name=recipe.manifest.name, recipe_id=recipe.id, samples=samples)
    (tmp_path / "shift.json").write_text(card.model_dump_json())
    config = ShiftCheckConfig(samples=str(tmp_path / "shift.json"), tries=1)
    gate = make_gate(config, recipe, lambda: False, Events())
    room = Room(recipe, tmp_path, gate=gate)
    now = room.news.now()
    assert (now.lamp, now.word, now.reason) == (Lamp.SHIFT_CHECK, "SHIFT CHECK", "Lay down golden sample master")
    passes = Verdict(Decision.OK, Reason.WITHIN_THRESHOLD, score=Score(1.0, "top1", 1))
    gate.weigh(replace(FRAME, taken_mono_s=time.monotonic()), passes)
    assert room.news.now().reason == "Lay down red rabbit scratched"
    gate.weigh(replace(FRAME, taken_mono_s=time.monotonic()), passes)
    assert "shift check failed" in room.news.now().notices[0]


def test_a_lost_camera_is_a_notice(recipe: Recipe, tmp_path: Path) -> None:
    room = Room(recipe, tmp_path, Fed(Feed(up=False, since_s=time.monotonic() - 20)))
    room.judge(LOST)
    assert room.lamp == (Lamp.NOT_DECIDABLE, "NOT DECIDABLE")
    assert room.news.now().notices[0] == "No pictures have come for 20 s"


def test_a_camera_whose_parts_are_not_judged_is_a_notice(recipe: Recipe, tmp_path: Path) -> None:
    fault = Fault(Reason.FROZEN, "the last 20 frames of the camera are equal byte by byte, for 2.0 s")
    room = Room(recipe, tmp_path, Fed(Feed(up=True, since_s=time.monotonic(), fault=fault)))
    assert room.news.now().notices[0] == f"No part is judged, FROZEN: {fault.detail}"


def test_what_is_no_production_says_so(room: Room) -> None:
    assert room.news.now().notices == ("Replay: these are pictures of before, not the line",)


def test_counts_and_first_pass_are_of_parts_since_the_start(room: Room) -> None:
    assert room.news.now().first_pass is None
    for seq, verdict in enumerate((GOOD, GOOD, GOOD, BAD, UNSURE), 1):
        room.judge(verdict, seq)
    room.judge(BAD, 6, purpose="red_rabbit", sample="scratched")
    now = room.news.now()
    assert now.counts == {Decision.OK: 3, Decision.NOK: 1, Decision.NOT_DECIDABLE: 1}
    assert now.first_pass == pytest.approx(3 / 5)
    assert now.latency_ms == 12.0


def test_the_gallery_shows_rejects_newest_first_with_what_was_said(room: Room) -> None:
    for seq, verdict in enumerate((BAD, GOOD, UNSURE), 1):
        room.judge(verdict, seq)
    room.rulings.rule(room.shelf.rejects()[0], Ruling.ACCEPTED, "AB", "")
    cards = room.news.gallery().cards
    assert [(card.part_id, card.ruling, card.who, card.undoable) for card in cards] == [
        ("part-3", Ruling.ACCEPTED, "AB", True),
        ("part-1", None, "", False),
    ]


def test_the_trend_marks_what_was_not_measured(room: Room) -> None:
    room.judge(GOOD, 1)
    room.judge(UNSURE, 2, score=None)
    trend = room.news.trend()
    assert (trend.scores, trend.verdicts) == ((1.0, None), (Decision.OK, Decision.NOT_DECIDABLE))


def test_health_is_in_words(room: Room) -> None:
    room.judge(GOOD)
    health = room.news.health()
    assert health.troubles == ()
    assert {"recipe", "parts", "device"} <= {fact.what for fact in health.facts}
