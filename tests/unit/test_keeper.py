"""A trial in a running station: what its parts decide, in which order, and what is left of it for the next start."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edge.events import EventCode, Events
from edge.recipe.config import RecipeStoreConfig
from edge.recipe.doubt import too_many
from edge.recipe.keeper import SlotKeeper
from edge.recipe.manifest import SCALE_FILE
from edge.recipe.opener import Opener
from edge.recipe.recipe import Recipe
from edge.recipe.slot_file import SLOTS_FILE, read_slots
from edge.recipe.slots import Slots
from edge.types import Decision, Reason, Score, Verdict
from tests.conftest import MAX_FALSE_REJECT
from tests.recipes import renamed

PATIENCE_S = 60
MEASURED = Score(1.0, "top1", 4)
GOOD = Verdict(Decision.OK, Reason.WITHIN_THRESHOLD, score=MEASURED)
BAD = Verdict(Decision.NOK, Reason.ABOVE_THRESHOLD, score=MEASURED)
BROKEN = Verdict.not_decidable(Reason.NOT_FINITE, "nan")
TO_DOUBT = next(n for n in range(1, 100) if too_many(n, n, MAX_FALSE_REJECT))


@dataclass
class GatedOpener:
    """Opens what is known without a rehearsal; shut: waits before it opens anything."""

    real: Opener = field(default_factory=lambda: Opener(threads=1))
    gate: threading.Event = field(default_factory=threading.Event)
    waits: threading.Event = field(default_factory=threading.Event)
    signed: None = None

    def __post_init__(self) -> None:
        self.gate.set()

    def open(self, folder: Path) -> Recipe:
        if not self.gate.is_set():
            self.waits.set()
        assert self.gate.wait(PATIENCE_S)
        return self.real.open(folder)

    def open_new(self, folder: Path) -> Recipe:
        return self.open(folder)


@dataclass
class Station:
    """A store that begins with `first`; the test judges parts with what is in use."""

    folder: Path
    first: Path
    opener: GatedOpener = field(default_factory=GatedOpener)
    said: list[tuple[EventCode, str]] = field(default_factory=list)

    def keeper(self, on_doubt: str, parts: int = 4) -> SlotKeeper:
        self.events = Events()
        self.events.listen(lambda happening: self.said.append((happening.code, happening.detail)))
        config = RecipeStoreConfig(path=str(self.folder / "store"), trial_parts=parts, on_doubt=on_doubt)
        return SlotKeeper(config, self.opener, self.events)

    def take(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def judge(self, keeper: SlotKeeper, *verdicts: Verdict) -> None:
        for verdict in verdicts:
            keeper.judged(self.recipe, verdict, self.take)

    def begin(self, keeper: SlotKeeper) -> None:
        self.recipe = keeper.begin(self.first)

    def on_trial(self, keeper: SlotKeeper, second: Path) -> None:
        self.begin(keeper)
        keeper.activate(second, self.take)
        assert self.name == "plate-2"

    @property
    def name(self) -> str:
        return self.recipe.manifest.name

    @property
    def codes(self) -> list[EventCode]:
        return [code for code, _ in self.said]

    @property
    def slots(self) -> Slots:
        slots = read_slots(self.folder / "store")
        assert slots
        return slots

    def rewrite(self, **trial: object) -> None:
        """As a process that was killed has left it."""
        state = json.loads(self.slots.model_dump_json())
        state["trial"] |= trial
        (self.folder / "store" / SLOTS_FILE).write_text(json.dumps(state))


@pytest.fixture
def station(recipe_dir: Path, tmp_path: Path) -> Station:
    return Station(tmp_path, recipe_dir)


@pytest.fixture
def second(recipe_dir: Path, tmp_path: Path) -> Iterator[Path]:
    return renamed(recipe_dir, tmp_path / "second", "plate-2")


def test_a_doubt_rolls_back_and_parts_that_are_judged_meanwhile_prove_nothing(station: Station, second: Path) -> None:
    with station.keeper("rollback") as keeper:
        station.on_trial(keeper, second)
        station.opener.gate.clear()
        station.judge(keeper, BROKEN, *[GOOD] * 10)
        assert station.name == "plate-2", "the good one is still being opened"
        station.opener.gate.set()
    assert station.name == "plate"
    assert station.slots == Slots(good=station.slots.good)
    assert station.slots.good.name == "plate"
    told = [EventCode.RECIPE_DOUBTED, EventCode.RECIPE_ROLLED_BACK, EventCode.RECIPE_ACTIVATED]
    assert station.codes == [EventCode.RECIPE_ACTIVATED, *told]


def test_where_a_doubt_is_only_told_the_trial_goes_on_and_enough_parts_prove_it(station: Station, second: Path) -> None:
    with station.keeper("tell") as keeper:
        station.on_trial(keeper, second)
        station.judge(keeper, BROKEN, *[GOOD] * 3)
    assert (station.name, station.slots.good.name, station.slots.trial) == ("plate-2", "plate-2", None)
    assert station.codes == [EventCode.RECIPE_ACTIVATED, EventCode.RECIPE_DOUBTED, EventCode.RECIPE_CONFIRMED]


def test_a_doubted_recipe_that_cannot_be_rolled_back_is_never_taken_for_good(station: Station, second: Path) -> None:
    with station.keeper("rollback") as keeper:
        station.on_trial(keeper, second)
        scale = keeper.store.path_of(station.slots.good) / SCALE_FILE
        sealed = scale.read_bytes()
        scale.write_bytes(b"damaged")
        station.judge(keeper, BROKEN, *[GOOD] * 10)
    assert station.slots.trial
    assert "no finite score" in station.slots.trial.doubt
    scale.write_bytes(sealed)
    with station.keeper("rollback") as keeper:
        station.begin(keeper)
        assert (station.name, keeper.slots.trial) == ("plate", None)
    assert EventCode.RECIPE_CONFIRMED not in station.codes


@pytest.mark.parametrize(("on_doubt", "judges"), [("rollback", "plate"), ("tell", "plate-2")])
def test_a_process_killed_between_doubt_and_rollback_is_made_good_by_the_next_start(
    station: Station, second: Path, on_doubt: str, judges: str
) -> None:
    with station.keeper(on_doubt) as keeper:
        station.on_trial(keeper, second)
    station.rewrite(doubt="it rejected too many", running=True)
    with station.keeper(on_doubt) as keeper:
        station.begin(keeper)
        assert station.name == judges
    if on_doubt == "rollback":
        code, words = station.said[-1]
        assert code is EventCode.RECIPE_ROLLED_BACK
        assert "in doubt before this start: it rejected too many" in words


def test_a_doubt_that_the_disk_does_not_take_is_told_and_rolls_back_all_the_same(
    station: Station, second: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with station.keeper("rollback") as keeper:
        station.on_trial(keeper, second)
        monkeypatch.setattr("os.fsync", full)
        station.judge(keeper, BROKEN)
    assert station.name == "plate"
    assert EventCode.RECIPE_DOUBTED in station.codes
    assert EventCode.RECIPE_ROLLED_BACK in station.codes


def test_a_rollback_for_one_trial_leaves_another_that_has_come_meanwhile(
    station: Station, second: Path, recipe_dir: Path, tmp_path: Path
) -> None:
    third = station.opener.real.open(renamed(recipe_dir, tmp_path / "third", "plate-3"))
    doubted = threading.Event()
    with station.keeper("rollback") as keeper:
        station.on_trial(keeper, second)
        station.opener.open_new = lambda _folder: third
        station.events.listen(lambda happening: happening.code is EventCode.RECIPE_DOUBTED and doubted.set())
        station.opener.gate.clear()
        station.judge(keeper, BROKEN)
        assert doubted.wait(PATIENCE_S)
        keeper.activate(tmp_path / "third", station.take)
        station.opener.gate.set()
    assert station.name == "plate-3"
    assert station.slots.trial
    assert station.slots.trial.recipe.name == "plate-3"


def test_a_person_s_rollback_goes_on_though_a_doubt_is_told_meanwhile(station: Station, second: Path) -> None:
    doubted = threading.Event()
    with station.keeper("tell") as keeper:
        station.on_trial(keeper, second)
        station.events.listen(lambda happening: happening.code is EventCode.RECIPE_DOUBTED and doubted.set())
        station.opener.gate.clear()
        asked = threading.Thread(target=keeper.roll_back, args=("by a person", station.take))
        asked.start()
        assert station.opener.waits.wait(PATIENCE_S)
        station.judge(keeper, BROKEN)
        assert doubted.wait(PATIENCE_S)
        station.opener.gate.set()
        asked.join(PATIENCE_S)
    assert station.name == station.slots.good.name == "plate"
    assert station.slots.trial is None


def test_rejects_count_towards_a_doubt_through_restarts(station: Station, second: Path) -> None:
    with station.keeper("tell", 100) as keeper:
        station.on_trial(keeper, second)
        station.judge(keeper, *[BAD] * (TO_DOUBT - 1))
    assert EventCode.RECIPE_DOUBTED not in station.codes
    with station.keeper("tell", 100) as keeper:
        station.begin(keeper)
        station.judge(keeper, BAD)
    assert station.said[-1][0] is EventCode.RECIPE_DOUBTED
    assert f"it rejected {TO_DOUBT} of {TO_DOUBT} parts" in station.said[-1][1]
    trial = station.slots.trial
    assert trial
    assert (trial.parts, trial.scored, trial.rejects) == (TO_DOUBT, TO_DOUBT, TO_DOUBT)


def test_parts_judged_with_another_threshold_prove_nothing(station: Station, second: Path) -> None:
    with station.keeper("tell") as keeper:
        station.on_trial(keeper, second)
        station.recipe = replace(station.recipe, threshold_command_id="raise-it")
        station.judge(keeper, BROKEN, *[GOOD] * 10)
    assert station.slots.trial
    assert station.codes == [EventCode.RECIPE_ACTIVATED]
