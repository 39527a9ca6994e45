"""`goodpart calibrate threshold` as the line engineer meets it."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture.pictures import read_picture
from edge.loop import inspect
from edge.recipe.recipe import open_recipe
from edge.types import Decision, Frame, Reason
from tests.commands import goodpart
from tests.conftest import GOODS, part_picture, write_parts

LOOSE = ("--max-false-reject", "0.2")


def choose(recipe: Path, cwd: Path, *more: object) -> dict[str, object]:
    ended = goodpart("calibrate", "threshold", recipe, *LOOSE, "--json", *more, cwd=cwd)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert isinstance(found, dict)
    return found


def test_the_recipes_own_promise_is_repeated_and_nothing_is_changed(recipe_dir: Path, tmp_path: Path) -> None:
    before = open_recipe(recipe_dir)
    found = choose(recipe_dir, tmp_path)
    assert found["threshold"] == before.manifest.threshold
    assert open_recipe(recipe_dir).id == before.id
    page = (tmp_path / "threshold-plate.html").read_text()
    assert before.manifest.promise.sentence() in page


def test_a_new_threshold_is_sealed_with_its_reason_and_its_gray_zone_is_judged(recipe_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "by-hand"
    options = ("--method", "manual", "--value", "1e6", "--reason", "trial run", "--gray", "0.3", "--out", out)
    choose(recipe_dir, tmp_path, *options)
    recipe = open_recipe(out)
    assert recipe.manifest.threshold == 1e6
    assert recipe.manifest.promise.method == "manual"
    scratched = Frame("p", 1, 0.0, recipe.manifest.made_utc, part_picture(300, defect=True))
    verdict = inspect(scratched, recipe)
    assert (verdict.decision, verdict.reason) == (Decision.NOT_DECIDABLE, Reason.GRAY_ZONE)
    assert verdict.regions
    recipe.reproduce_golden()


def test_further_goods_tighten_the_promise_and_stay_in_the_recipe(recipe_dir: Path, tmp_path: Path) -> None:
    more = write_parts(tmp_path / "more", range(400, 415))
    with_more = tmp_path / "with-more"
    held_out = len(open_recipe(recipe_dir).manifest.goods.held_out)
    strict = ("--max-false-reject", "0.1")
    assert "with --goods" in goodpart("calibrate", "threshold", recipe_dir, *strict, cwd=tmp_path).sentence
    choose(recipe_dir, tmp_path, *strict, "--goods", more, "--out", with_more)
    assert len(open_recipe(with_more).manifest.goods.held_out) == held_out + 15
    again = choose(with_more, tmp_path, *strict, "--goods", more)
    assert again["promise"]["parts"] == held_out + 15  # type: ignore[index] # the same pictures count once


def test_goods_of_the_bank_are_refused_as_further_goods(recipe_dir: Path, goods_dir: Path, tmp_path: Path) -> None:
    ended = goodpart("calibrate", "threshold", recipe_dir, *LOOSE, "--goods", goods_dir, cwd=tmp_path)
    assert "in the recipe's bank" in ended.sentence


def test_goods_of_the_recipe_are_refused_as_defects(recipe_dir: Path, goods_dir: Path, tmp_path: Path) -> None:
    kept = open_recipe(recipe_dir).manifest.goods
    defects = write_parts(tmp_path / "scratch", range(300, 303), defect=True)
    shutil.copy(goods_dir / kept.held_out[0].picture, defects / "a.png")
    ended = goodpart("calibrate", "threshold", recipe_dir, *LOOSE, "--defects", defects, cwd=tmp_path)
    assert f"a.png is {kept.held_out[0].picture} among the recipe's good parts" in ended.sentence


def test_several_pictures_of_one_part_count_once_by_the_worst(recipe_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "same"
    folder.mkdir()
    for take, defect in enumerate((False, True)):
        cv2.imwrite(str(folder / f"one__{take}.png"), part_picture(500 + take, defect=defect))
    held_out = len(open_recipe(recipe_dir).manifest.goods.held_out)
    found = choose(recipe_dir, tmp_path, "--goods", folder, "--out", tmp_path / "out")
    assert found["promise"]["parts"] == held_out + 1  # type: ignore[index]
    scores = [card.score for card in open_recipe(tmp_path / "out").manifest.goods.held_out if card.part == "one"]
    assert len(scores) == 2
    assert max(scores) > 2 * min(scores)


def test_defects_come_from_one_folder_or_one_for_each_kind(recipe_dir: Path, test_set: Path, tmp_path: Path) -> None:
    options = ("--method", "labelled", "--max-escape", "0.6", "--confidence", "0.9")
    flat = choose(recipe_dir, tmp_path, *options, "--defects", test_set / "scratch")
    (test_set / "good").rename(tmp_path / "apart")
    nested = choose(recipe_dir, tmp_path, *options, "--defects", test_set)
    assert flat["threshold"] == nested["threshold"]
    assert flat["promise"]["defects"] == 4  # type: ignore[index]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--method", "labelled"), "--defects"),
        (("--method", "manual", "--value", "3"), "--reason"),
        (("--defects", "absent"), "cannot be listed"),
        (("--goods", "absent"), "absent"),
        (("--max-false-reject", "0.001"), "2995 are needed"),
    ],
)
def test_mistakes_are_one_sentence(recipe_dir: Path, tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    assert words in goodpart("calibrate", "threshold", recipe_dir, *options, cwd=tmp_path).sentence


def test_a_picture_that_cannot_be_measured_is_named(recipe_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "goods"
    folder.mkdir()
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert "broken.png" in goodpart("calibrate", "threshold", recipe_dir, *LOOSE, "--goods", folder, cwd=tmp_path).sentence


def test_held_out_scores_in_the_recipe_are_what_the_device_measures(recipe_dir: Path, goods_dir: Path) -> None:
    recipe = open_recipe(recipe_dir)
    assert len(recipe.manifest.goods.bank) + len(recipe.manifest.goods.held_out) == GOODS
    for card in recipe.manifest.goods.held_out[:4]:
        measured = recipe.measure(read_picture(goods_dir / card.picture))
        assert isinstance(measured, tuple)
        assert np.isclose(measured[0].value, card.score, rtol=1e-6)
