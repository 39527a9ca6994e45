"""Which recipe a job has, and what becomes of parts whose job has none."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.changeover.changeover import Changeover
from edge.changeover.config import ChangeoverConfig, RuleConfig
from edge.command.controls import Controls
from edge.errors import BadRecipe
from edge.events import EventCode, Events, Happening
from edge.host.clock import Boot
from edge.host.pulse import Beat, Pulse
from edge.loop import Line
from edge.recipe.opener import Opener
from edge.recipe.recipe import Recipe, open_recipe
from edge.types import Decision, Order, Origin, Reason, Shot, Verdict
from tests.lines import FRAME, Quiet
from tests.recipes import renamed
from tests.results import STATION

RULES = (
    RuleConfig(match="4711-*", recipe="m8"),
    RuleConfig(match="47*", recipe="m6"),
    RuleConfig(match="[AB]-?", recipe="m6"),
)


JOB = Order("4712", "c1")


def config(*rules: RuleConfig, preload: bool = True) -> ChangeoverConfig:
    return ChangeoverConfig(rules=rules or RULES, preload=preload)


@pytest.mark.parametrize(
    ("what", "name"), [("4711-3", "m8"), ("4712", "m6"), ("A-7", "m6"), ("a-7", None), ("C-1", None), ("", None)]
)
def test_the_first_rule_that_matches_decides_and_case_counts(what: str, name: str | None) -> None:
    assert config().recipe_for(what) == name


def test_a_rule_for_everything_is_for_parts_without_a_job_too() -> None:
    assert config(*RULES, RuleConfig(match="*", recipe="rest")).recipe_for("") == "rest"


class Changed:
    """A changeover between two recipes, and what was said."""

    def __init__(self, recipe: Recipe, folders: dict[str, Path], *, preload: bool) -> None:
        self.said: list[Happening] = []
        self.now_s = 0.0
        self.controls, events = Controls(recipe), Events()
        events.listen(self.said.append)
        self.changeover = Changeover(
            config(preload=preload), folders, Opener(threads=1), self.controls, events, lambda: self.now_s
        )

    def part(self, order: Order | None) -> tuple[str, str | None]:
        """The recipe in use for the part, and why it is not judged."""
        verdict = self.changeover.prepare(replace(FRAME, order=order))
        assert verdict is None or verdict.reason is Reason.NO_RECIPE
        return self.controls.recipe.manifest.name, verdict.detail if verdict else None


@pytest.mark.parametrize("preload", [True, False])
def test_a_job_changes_the_recipe_once_and_back_and_each_change_is_an_event(
    recipe_dir: Path, tmp_path: Path, *, preload: bool
) -> None:
    folders = {"m8": recipe_dir, "m6": renamed(recipe_dir, tmp_path / "m6", "plate-6")}
    line = Changed(open_recipe(recipe_dir), folders, preload=preload)
    asked = [Order("4712", "c1"), Order("4712", "c2"), Order("x", "c3", "4711-1"), Order("4712", "c4")]
    assert [line.part(order) for order in asked] == [(name, None) for name in ("plate-6", "plate-6", "plate", "plate-6")]
    assert [happening.code for happening in line.said] == [EventCode.RECIPE_ACTIVATED] * 3


def test_a_recipe_that_cannot_be_used_stops_its_job_alone_and_is_said_once(recipe_dir: Path, tmp_path: Path) -> None:
    line = Changed(open_recipe(recipe_dir), {"m8": recipe_dir, "m6": tmp_path / "gone"}, preload=False)
    assert line.part(Order("4711-1", "c1")) == ("plate", None)
    faults = [line.part(Order("4712", f"c{n}"))[1] for n in range(3)]
    assert faults == [faults[0]] * 3
    assert "recipe m6 of job 4712 cannot be used" in str(faults[0])
    assert line.part(Order("4711-1", "c5")) == ("plate", None)
    assert [happening.code for happening in line.said] == [EventCode.RECIPE_ACTIVATED, EventCode.RECIPE_MISSING]


def test_a_recipe_that_comes_to_its_place_late_is_tried_again_after_a_pause_and_judges_the_job(
    recipe_dir: Path, tmp_path: Path
) -> None:
    line = Changed(open_recipe(recipe_dir), {"m8": recipe_dir, "m6": tmp_path / "late"}, preload=False)
    assert line.part(JOB)[1]
    renamed(recipe_dir, tmp_path / "late", "plate-6")
    line.now_s = 29.9
    assert line.part(JOB)[1], "not at every part: a try costs the takt"
    line.now_s = 30.0
    assert line.part(JOB) == ("plate-6", None)
    assert [happening.code for happening in line.said] == [EventCode.RECIPE_MISSING, EventCode.RECIPE_ACTIVATED]
    assert line.said[0].detail.endswith("It is tried again every 30 s")


def test_a_recipe_that_stays_away_is_said_once_however_often_it_is_tried(recipe_dir: Path, tmp_path: Path) -> None:
    line = Changed(open_recipe(recipe_dir), {"m8": recipe_dir, "m6": tmp_path / "gone"}, preload=False)
    for line.now_s in range(0, 200, 10):
        assert line.part(JOB)[1]
    assert [happening.code for happening in line.said] == [EventCode.RECIPE_MISSING]


def test_whatever_happens_where_a_recipe_is_put_in_use_the_line_goes_on(
    recipe_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folders = {"m8": recipe_dir, "m6": renamed(recipe_dir, tmp_path / "m6", "plate-6")}
    line, hurt = Changed(open_recipe(recipe_dir), folders, preload=True), [True]

    def dress(recipe: Recipe) -> Recipe:
        if recipe.manifest.name == "plate-6" and hurt:
            raise RuntimeError("no room for the taught patches")
        return recipe

    line.controls.dress_with(dress)
    name, fault = line.part(JOB)
    assert (name, "cannot be used: RuntimeError; the journal says more" in str(fault)) == ("plate", True)
    line.now_s = 30.0
    assert line.part(JOB) == ("plate", fault)
    assert caplog.text.count("RuntimeError: no room for the taught patches") == 1
    hurt.clear()
    line.now_s = 60.0
    assert line.part(JOB) == ("plate-6", None)


def test_a_recipe_that_is_preloaded_and_cannot_be_used_is_refused_at_the_start(recipe_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="gone"):
        Changed(open_recipe(recipe_dir), {"m8": recipe_dir, "m6": tmp_path / "gone"}, preload=True)


def test_a_recipe_that_takes_minutes_to_open_is_no_line_that_is_stuck(recipe_dir: Path) -> None:
    now_s = 0.0
    pulse = Pulse(lambda: now_s)

    class Slow(Changeover):
        def prepare(self, shot: Shot) -> Verdict | None:
            nonlocal now_s
            now_s += 240
            stuck.append(pulse.stuck(15))
            return super().prepare(shot)

    class One(Quiet):
        def __iter__(self) -> Iterator[Shot]:
            yield FRAME
            stuck.append(pulse.stuck(15))

    stuck: list[Beat | None] = []
    controls = Controls(open_recipe(recipe_dir))
    slow = Slow(config(preload=False), {}, Opener(threads=1), controls, Events())
    line = Line(STATION, controls, One(), [], Boot(), Origin.LIVE, changeover=slow, pulse=pulse)
    assert line.run() == {Decision.NOT_DECIDABLE: 1}
    assert stuck == [None, None]
