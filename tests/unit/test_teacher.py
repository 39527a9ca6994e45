"""A person accepts a rejected part: what is taught, what is refused, and what is taken back."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import pytest

from edge.command.controls import Controls
from edge.errors import BadConfig, NotTaught
from edge.events import EventCode, Events
from edge.evidence.pictures import raw_file
from edge.host.clock import Boot
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.message import EvidenceRef, Result, make_result
from edge.shift.card import SampleCard
from edge.teach.config import TeachConfig
from edge.teach.guard import MOST_DEFECTS, Guard, Rabbits
from edge.teach.ledger import Ledger
from edge.teach.lesson import judged
from edge.teach.rejects import Rejects
from edge.teach.teacher import Teacher
from edge.types import Decision, Frame, Origin, Pixels
from tests.conftest import part_picture
from tests.results import STATION
from tests.stained import stained

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
GENEROUS = TeachConfig(max_score_ratio=4, most_patches=32)
RABBIT = SampleCard(name="scratched master", kind="scratch", expected=Decision.NOK, score=20.0)


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


@dataclass
class Station:
    """A line without a source: the test judges pictures with what is in use, and keeps evidence as the keeper does."""

    folder: Path
    recipe: Recipe
    limits: TeachConfig = GENEROUS
    samples: tuple[str, ...] = ()
    defects: Path | None = None
    results: Path | None = None
    boot: Boot = field(default_factory=Boot)
    now: datetime = NOW
    said: list[EventCode] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "evidence").mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        rabbits = Rabbits(self.folder / "rabbits", self.folder / "evidence")
        self.rejects = Rejects(rabbits, self.results)
        self.controls, events = Controls(self.recipe), Events()
        events.listen(lambda happening: self.said.append(happening.code))
        self.ledger = Ledger(self.folder / "ledger")
        guard = Guard(rabbits, self.samples, self.defects)
        self.teacher = Teacher(
            self.controls, self.ledger, self.limits, self.rejects, self.folder / "evidence", guard, events, lambda: self.now
        )

    def restart(self) -> None:
        self.teacher.close()
        self.start()

    def judge(self, pixels: Pixels, name: str = "part", sample: SampleCard | None = None) -> Result:
        recipe = self.controls.recipe
        shot, verdict = Frame(name, 0, 0.0, NOW, pixels), judged(recipe, pixels)
        plain = make_result(
            shot, verdict, STATION, recipe, self.boot, 0.01, sample, origin=Origin.LIVE, clock_synced=True, latency_s=0.01
        )
        path, raw = f"{name}-{plain.seq}.png", raw_file(pixels)
        (self.folder / "evidence" / path).write_bytes(raw)
        kept = EvidenceRef(path=path, sha256=hashlib.sha256(raw).hexdigest(), overlay=None)
        result = plain.model_copy(update={"evidence": kept})
        self.rejects.put(result)
        return result

    def refused(self, part: str) -> str:
        before = self.ledger.entries, self.controls.recipe
        with pytest.raises(NotTaught) as err:
            self.teacher.accept(part, "Ada", "looks fine")
        assert (self.ledger.entries, self.controls.recipe) == before
        assert self.said[-1] is EventCode.TEACHING_REFUSED
        return str(err.value)


Make = Callable[..., Station]


@pytest.fixture
def make(recipe: Recipe, tmp_path: Path) -> Make:
    return lambda **more: Station(tmp_path, recipe, **more)


def test_an_accepted_part_is_ok_from_now_on_through_a_restart_and_until_it_is_taken_back(make: Make) -> None:
    station = make()
    result = station.judge(stained(200))
    assert (result.verdict, result.taught) == (Decision.NOK, 0)
    sentence = station.teacher.accept(result.result_id, "Ada", "a new supplier's stamp")
    assert "counts as good from now on" in sentence
    assert "more defects may escape" in sentence
    for _ in range(2):
        again = station.judge(stained(200))
        assert (again.verdict, again.taught) == (Decision.OK, 1)
        assert again.recipe_id == result.recipe_id, "the identity is that of the sealed recipe"
        station.restart()
    (entry,) = station.teacher.taught()
    assert (entry.who, entry.reason, entry.result_id) == ("Ada", "a new supplier's stamp", result.result_id)
    assert entry.score_before == result.score
    assert entry.score_after <= entry.threshold < entry.score_before
    assert "counts as good no longer" in station.teacher.undo("Bob", "it was a crack")
    back = station.judge(stained(200))
    assert (back.verdict, back.score, back.taught) == (Decision.NOK, result.score, 0)
    station.restart()
    assert station.judge(stained(200)).score == result.score
    assert station.said == [EventCode.PART_TAUGHT, EventCode.TEACHING_UNDONE]


def test_a_part_is_taken_back_by_its_name_and_others_stay(make: Make) -> None:
    station = make()
    parts = [station.judge(stained(seed, at), f"part-{seed}") for seed, at in ((200, (30, 20)), (201, (130, 100)))]
    for part in parts:
        station.teacher.accept(part.result_id, "Ada", "fine")
    assert parts[0].evidence
    station.teacher.undo("Ada", "no", parts[0].evidence.path)
    assert [entry.part_id for entry in station.teacher.taught()] == ["part-201"]
    with pytest.raises(NotTaught, match="is not taught"):
        station.teacher.undo("Ada", "no", parts[0].result_id)
    station.teacher.undo("Ada", "no")
    with pytest.raises(NotTaught, match="nothing is taught"):
        station.teacher.undo("Ada", "no")


def test_what_was_taught_belongs_to_its_recipe_and_a_threshold_set_meanwhile_stays(make: Make, recipe: Recipe) -> None:
    station = make()
    station.teacher.accept(station.judge(stained(200)).result_id, "Ada", "fine")
    limit = recipe.manifest.threshold * 1.01
    station.controls.change_recipe(lambda now: now.with_threshold(limit, "command"))
    assert (len(station.controls.recipe.taught), station.controls.recipe.manifest.threshold) == (1, limit)
    other = Recipe(recipe.manifest, "b" * 64, *(getattr(recipe, name) for name in list(Recipe.__dataclass_fields__)[2:]))
    station.controls.change_recipe(lambda _: other)
    assert station.controls.recipe.taught == ()
    assert station.refused(station.judge(part_picture(200, defect=True)).result_id).endswith("allows 4.")
    station.controls.change_recipe(lambda _: recipe)
    assert len(station.controls.recipe.taught) == 1


def test_with_a_threshold_that_a_command_set_nothing_is_taught_but_what_was_taught_can_be_taken_back(
    make: Make, recipe: Recipe
) -> None:
    station = make()
    station.teacher.accept(station.judge(stained(200)).result_id, "Ada", "fine")
    part = station.judge(stained(201, (130, 100)))
    limit = recipe.manifest.threshold * 1.01
    station.controls.change_recipe(lambda now: now.with_threshold(limit, "raise-it"))
    refusal = station.refused(part.result_id)
    assert f"threshold {limit:.4g} was set by command raise-it" in refusal
    assert "activate recipe plate again or restart the station" in refusal
    assert "0 parts are taught" in station.teacher.undo("Bob", "a crack")
    assert (station.controls.recipe.taught, station.controls.recipe.manifest.threshold) == ((), limit)
    station.controls.change_recipe(lambda _: recipe)
    station.teacher.accept(part.result_id, "Ada", "fine")


def test_a_part_that_is_named_is_taken_back_when_another_recipe_is_in_use(make: Make, recipe: Recipe) -> None:
    station = make()
    part = station.judge(stained(200))
    station.teacher.accept(part.result_id, "Ada", "fine")
    station.controls.change_recipe(lambda now: replace(now, id="b" * 64))
    with pytest.raises(NotTaught, match="nothing is taught"):
        station.teacher.undo("Ada", "a mistake")
    assert "0 parts are taught" in station.teacher.undo("Ada", "a mistake", part.result_id)
    station.controls.change_recipe(lambda _: recipe)
    assert station.judge(stained(200)).verdict is Decision.NOK
    station.restart()
    assert station.controls.recipe.taught == ()


def test_only_a_rejected_part_of_this_recipe_with_its_own_picture_is_taught(make: Make) -> None:
    station = make()
    good, bad = station.judge(part_picture(100)), station.judge(stained(200), "bad")
    assert "no rejected part" in station.refused(good.result_id)
    assert "no rejected part" in station.refused("unknown")
    assert bad.evidence
    picture = station.folder / "evidence" / bad.evidence.path
    raw = picture.read_bytes()
    cv2.imwrite(str(picture), stained(201))
    assert "somebody has changed it" in station.refused(bad.result_id)
    picture.unlink()
    assert "cannot be read" in station.refused(bad.result_id)
    picture.write_bytes(raw)
    station.rejects.put(bad.model_copy(update={"result_id": "x", "score": bad.score + 0.5}))
    assert "picture or device was changed" in station.refused("x")
    station.rejects.put(bad.model_copy(update={"result_id": "y", "recipe_id": "b" * 64}))
    assert "which is not in use" in station.refused("y")
    outside = bad.evidence.model_copy(update={"path": "../ledger"})
    station.rejects.put(bad.model_copy(update={"result_id": "z", "evidence": outside}))
    assert "not in the evidence folder" in station.refused("z")
    station.teacher.accept(bad.result_id, "Ada", "fine")
    assert "is taught already" in station.refused(bad.result_id)
    station.rejects.put(bad.model_copy(update={"result_id": "w", "evidence": bad.evidence}))
    assert "is taught already" in station.refused("w")


def test_a_part_far_above_the_threshold_or_strange_in_too_many_places_is_refused(make: Make) -> None:
    station = make()
    assert "teach.max_score_ratio allows 4" in station.refused(station.judge(part_picture(200, defect=True)).result_id)
    station.limits = GENEROUS.model_copy(update={"most_patches": 1})
    station.restart()
    assert "even with 1 of its patches it is NOK" in station.refused(station.judge(stained(200)).result_id)


def test_no_more_parts_are_taught_than_a_day_and_a_recipe_may_have(make: Make) -> None:
    station = make(limits=GENEROUS.model_copy(update={"most_per_day": 1, "most_parts": 2}))
    places = [(30, 20), (130, 20), (130, 100)]
    parts = [station.judge(stained(200 + i, at)).result_id for i, at in enumerate(places)]
    station.teacher.accept(parts[0], "Ada", "fine")
    assert "most_per_day is 1" in station.refused(parts[1])
    station.now += timedelta(hours=25)
    station.teacher.accept(parts[1], "Ada", "fine")
    station.now += timedelta(hours=25)
    assert "most_parts is 2" in station.refused(parts[2])
    station.teacher.undo("Ada", "no")
    station.teacher.accept(parts[2], "Ada", "fine")


def test_a_red_rabbit_must_stay_rejected_and_must_have_been_seen(make: Make) -> None:
    station = make(samples=(RABBIT.name,))
    part = station.judge(stained(200)).result_id
    assert "red rabbit scratched master has no picture here yet" in station.refused(part)
    # The rabbit is the very look that somebody wants to teach.
    station.judge(stained(200), "rabbit", RABBIT)
    assert "red rabbit scratched master would no longer be rejected" in station.refused(part)
    station.judge(part_picture(200, defect=True), "rabbit", RABBIT)
    for picture in (station.folder / "evidence").glob("rabbit-*.png"):
        picture.unlink()  # as the ring does
    station.restart()
    station.teacher.accept(station.judge(stained(200)).result_id, "Ada", "fine")


def test_known_defects_must_stay_rejected_and_one_that_escapes_anyway_hinders_nobody(make: Make, tmp_path: Path) -> None:
    defects = tmp_path / "defects"
    defects.mkdir()
    cv2.imwrite(str(defects / "unseen.png"), part_picture(100))
    cv2.imwrite(str(defects / "scratch.png"), part_picture(200, defect=True))
    station = make(defects=defects)
    cv2.imwrite(str(defects / "stain.png"), stained(200))
    part = station.judge(stained(200)).result_id
    assert "known defect stain.png would no longer be rejected" in station.refused(part)
    (defects / "stain.png").unlink()
    station.teacher.accept(part, "Ada", "fine")
    (defects / "broken.png").write_bytes(b"no picture")
    assert "cannot be tried" in station.refused(station.judge(stained(201, (130, 100))).result_id)
    shutil.rmtree(defects)
    assert "cannot be listed" in station.refused(station.judge(stained(201, (130, 100))).result_id)


def test_a_folder_of_defects_that_is_missing_or_too_large_is_found_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be listed"):
        Guard(Rabbits(tmp_path, tmp_path), (), tmp_path / "none")
    for number in range(MOST_DEFECTS + 1):
        (tmp_path / f"{number}.png").touch()
    with pytest.raises(BadConfig, match="at most 200"):
        Guard(Rabbits(tmp_path, tmp_path), (), tmp_path)


def test_a_part_of_before_the_start_is_found_in_the_file_of_results(make: Make, tmp_path: Path) -> None:
    station = make(results=tmp_path / "results.jsonl")
    result = station.judge(stained(200))
    assert result.evidence
    (tmp_path / "results.jsonl").write_text(f"{result.model_dump_json()}\n{result.model_dump_json()[:200]}")
    station.restart()
    station.teacher.accept(result.evidence.path, "Ada", "fine")
    assert station.teacher.taught()[0].result_id == result.result_id


def test_a_ledger_that_cannot_be_written_teaches_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    station = make()
    part = station.judge(stained(200)).result_id

    def full(_entry: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(station.ledger, "append", full)
        assert "No space left" in station.refused(part)
    assert station.judge(stained(200)).verdict is Decision.NOK
