"""Labelled pictures are counted as they should be, and shown."""

import json
import shutil
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.integrate import trapezoid

from calibration.evaluate.evaluate import evaluate, summarise
from calibration.evaluate.judged import Judged, by_part
from calibration.evaluate.pixels import PixelRanking
from calibration.evaluate.sweep import curves, ranking, sweep
from calibration.evaluate.words import evaluation_in_words
from calibration.goods import Good
from calibration.progress import steps
from calibration.rates import Rate
from edge.errors import BadConfig, BadPicture
from edge.recipe.recipe import open_recipe
from edge.types import Decision, Reason
from tests.commands import goodpart
from tests.conftest import part_picture

REASONS = {Decision.OK: Reason.WITHIN_THRESHOLD, Decision.NOK: Reason.ABOVE_THRESHOLD}
NAMES = count()


def one(kind: str, decision: Decision, score: float, part: str = "", reason: Reason | None = None) -> Judged:
    """A picture of a part of its own, where none is named."""
    name = f"{part or 'part'}__{next(NAMES)}"
    reason = reason or REASONS.get(decision, Reason.TOO_DARK)
    return Judged(Good(Path(f"{name}.png"), part or name, f"sha256 of {name}"), kind, decision, reason, score)


def at(score: float, kind: str = "good", part: str = "", threshold: float = 4.0, gray_from: float = 3.0) -> Judged:
    """A picture as a recipe with a gray zone judges its score."""
    if gray_from < score <= threshold:
        return one(kind, Decision.NOT_DECIDABLE, score, part, Reason.GRAY_ZONE)
    return one(kind, Decision.NOK if score > threshold else Decision.OK, score, part)


def test_only_nok_of_goods_are_false_rejects_and_only_ok_of_defects_are_escapes() -> None:
    found = summarise(
        (
            one("good", Decision.OK, 1),
            one("good", Decision.NOK, 5),
            one("good", Decision.NOT_DECIDABLE, 2),
            one("crack", Decision.NOK, 6),
            one("crack", Decision.OK, 1.5),
            one("hole", Decision.NOT_DECIDABLE, np.nan),
        ),
        PixelRanking(),
    )
    assert found.false_reject is not None
    assert found.escape is not None
    assert (found.false_reject.count, found.false_reject.total) == (1, 3)
    assert (found.escape.count, found.escape.total) == (1, 3)
    assert found.escape_by_kind["crack"].count == 1
    assert found.escape_by_kind["hole"].count == 0
    assert found.not_decidable == 2
    assert found.image_auroc == pytest.approx(4 / 6)


def test_a_test_set_is_judged_with_masks_and_without(recipe_dir: Path, test_set: Path) -> None:
    recipe = open_recipe(recipe_dir)
    with steps() as shown:
        plain = evaluate(recipe, test_set, shown)
        masks = test_set / "ground_truth" / "scratch"
        masks.mkdir(parents=True)
        for picture in (test_set / "scratch").iterdir():
            mask = np.zeros((120, 160), np.uint8)
            cv2.line(mask, (60, 25), (105, 95), 255, 3)
            cv2.imwrite(str(masks / f"{picture.stem}_mask.png"), mask)
        masked = evaluate(recipe, test_set, shown)
    assert plain.image_auroc == masked.image_auroc == 1.0
    assert plain.pixel_auroc is None
    assert masked.pixel_auroc is not None
    assert masked.pixel_auroc > 0.9
    assert masked.aupro is not None
    assert masked.aupro > 0.5
    assert masked.escape is not None
    assert masked.escape.count == 0


def test_pictures_that_cannot_be_judged_are_counted(recipe_dir: Path, test_set: Path) -> None:
    (test_set / "good" / "empty.png").touch()
    cv2.imwrite(str(test_set / "scratch" / "small.png"), np.full((50, 50, 3), 90, np.uint8))
    with steps() as shown:
        found = evaluate(open_recipe(recipe_dir), test_set, shown)
    assert found.not_decidable == 2
    assert found.image_auroc is not None


def test_other_layouts_and_broken_masks_are_refused(recipe_dir: Path, test_set: Path, tmp_path: Path) -> None:
    recipe = open_recipe(recipe_dir)
    with steps() as shown:
        with pytest.raises(BadConfig, match="cannot be listed"):
            evaluate(recipe, tmp_path / "absent", shown)
        with pytest.raises(BadConfig, match="holds no folders"):
            evaluate(recipe, test_set / "good", shown)
        masks = test_set / "ground_truth" / "scratch"
        masks.mkdir(parents=True)
        (masks / "part-200_mask.png").write_bytes(b"no mask")
        with pytest.raises(BadPicture, match="part-200_mask"):
            evaluate(recipe, test_set, shown)


def test_pictures_of_one_part_count_once_by_the_worst_and_folders_tell_parts_apart() -> None:
    judged = [
        one("good", Decision.OK, 1.0, "p1"),
        one("good", Decision.NOK, 5.0, "p1"),
        one("good", Decision.NOT_DECIDABLE, 9.0, "p2"),
        one("good", Decision.OK, 2.0, "p2"),
        one("good", Decision.OK, 2.0, "p3"),
        one("crack", Decision.OK, 1.5, "p1"),
        one("crack", Decision.NOK, 6.0, "p1"),
        one("crack", Decision.OK, 0.5, "p2"),
        one("crack", Decision.OK, 1.2, "p2"),
    ]
    found = summarise(judged, PixelRanking())
    assert found.false_reject == Rate.of(1, 3)
    assert found.escape == Rate.of(1, 2)
    assert found.escape_by_kind == {"crack": Rate.of(1, 2)}
    assert (found.not_decidable, len(found.parts), len(found.judged)) == (1, 5, 9)
    assert found.image_auroc == pytest.approx(2 / 6), "goods 5, 9, 2 against defects 6, 1.2"
    assert "9 of 5 parts (a part counts once, by its worst picture)" in evaluation_in_words(found)
    false_positive, true_positive = ranking(found.parts)
    assert trapezoid(true_positive, false_positive) == pytest.approx(2 / 6), "the curve is that of the number"


@pytest.mark.parametrize("gray_from", [3.0, None])
def test_the_recipes_own_row_says_what_its_verdicts_say_also_with_a_gray_zone(gray_from: float | None) -> None:
    threshold = 4.0
    rng = np.random.default_rng(0)
    judged = [
        at(float(score), kind, f"{kind}-{number // 2}", threshold, threshold if gray_from is None else gray_from)
        for kind, middle in (("good", 2.5), ("crack", 4.0))
        for number, score in enumerate(rng.normal(middle, 1, 60))
    ]
    judged += [one(kind, Decision.NOT_DECIDABLE, 9.9, f"{kind}-{part}") for kind in ("good", "crack") for part in (1, 77)]
    found = summarise(judged, PixelRanking())
    (own,) = [row for row in sweep(found.parts, threshold, gray_from) if row.threshold == threshold]
    assert (own.false_reject, own.escape) == (found.false_reject, found.escape)
    assert own.goods_undecided is not None
    assert own.defects_undecided is not None
    assert own.goods_undecided.count + own.defects_undecided.count == found.not_decidable
    levels, rejected, escaped = curves(found.parts, gray_from)
    assert found.false_reject is not None
    assert found.escape is not None
    # Between two scores the share is that at the lower one.
    here = int(np.searchsorted(levels, threshold, "right")) - 1
    assert (rejected[here], escaped[here]) == (found.false_reject.value, pytest.approx(found.escape.value))


def test_a_gray_zone_begins_at_the_same_score_at_every_threshold_above_it() -> None:
    parts = by_part([at(score) for score in (1.0, 2.0, 3.5, 5.0)] + [at(score, "crack") for score in (2.5, 3.5, 6.0)])
    lowest = {row.threshold: row for row in sweep(parts, 3.5, 3.0)}[3.5]
    highest = {row.threshold: row for row in sweep(parts, 4.0, 3.0)}[5.0]
    assert (lowest.false_reject, lowest.escape) == (Rate.of(1, 4), Rate.of(1, 3))
    assert (highest.false_reject, highest.escape) == (Rate.of(0, 4), Rate.of(1, 3))
    assert (highest.goods_undecided, highest.defects_undecided) == (Rate.of(2, 4), Rate.of(1, 3))
    below = {row.threshold: row for row in sweep(parts, 2.0, 3.0)}[2.0]
    assert (below.false_reject, below.escape, below.goods_undecided) == (Rate.of(2, 4), Rate.of(0, 3), Rate.of(0, 4))


def test_other_thresholds_are_counted_and_unfit_pictures_stay_undecided_at_all_of_them() -> None:
    goods = [one("good", Decision.OK, float(value)) for value in range(10)]
    defects = [one("crack", Decision.NOK, float(value)) for value in (5, 20)]
    dark = one("crack", Decision.NOT_DECIDABLE, 1.0)
    rows = {row.threshold: row for row in sweep(by_part([*goods, *defects, dark]), 4.5)}
    own, highest = rows[4.5], rows[9.0]
    assert own.false_reject is not None
    assert own.escape is not None
    assert highest.false_reject is not None
    assert highest.escape is not None
    assert (own.false_reject.count, own.false_reject.total, own.escape.count, own.escape.total) == (5, 10, 0, 3)
    assert (highest.false_reject.count, highest.escape.count) == (0, 1)
    assert list(rows) == sorted(rows)


def test_the_command_writes_the_page_and_one_object(recipe_dir: Path, test_set: Path, tmp_path: Path) -> None:
    ended = goodpart("calibrate", "evaluate", recipe_dir, test_set, "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["image_auroc"], len(found["pictures"]), found["page"]) == (1.0, 8, "evaluate-plate.html")
    page = (tmp_path / "evaluate-plate.html").read_text()
    assert "Goods that look worst" in page
    assert "part-200.png" in page


def test_pictures_that_the_recipe_was_made_from_are_said(
    recipe_dir: Path, goods_dir: Path, test_set: Path, tmp_path: Path
) -> None:
    kept = open_recipe(recipe_dir).manifest.goods
    shutil.copy(goods_dir / kept.bank[0].picture, test_set / "good" / "new.png")
    shutil.copy(goods_dir / kept.held_out[0].picture, test_set / "good")
    found = json.loads(goodpart("calibrate", "evaluate", recipe_dir, test_set, "--json", cwd=tmp_path).out)
    assert found["known"] == {
        "bank": [{"path": str(test_set / "good" / "new.png"), "of": kept.bank[0].picture}],
        "held_out": [{"path": str(test_set / "good" / kept.held_out[0].picture), "of": kept.held_out[0].picture}],
    }
    in_bank, held_out = found["notes"]
    assert f"new.png, there {kept.bank[0].picture}) shows a part that is in the recipe's bank" in in_bank
    assert "shows a part that is among the recipe's held-out goods" in held_out
    assert in_bank in (tmp_path / found["page"]).read_text().replace("&#39;", "'")


def test_several_pictures_of_a_part_are_told_by_the_recipes_pattern_or_by_ones_own(
    recipe_dir: Path, test_set: Path, tmp_path: Path
) -> None:
    for number in (1, 2):
        cv2.imwrite(str(test_set / "good" / f"one__{number}.png"), part_picture(900 + number))
    args = ("calibrate", "evaluate", recipe_dir, test_set)
    found = json.loads(goodpart(*args, "--json", cwd=tmp_path).out)
    assert (found["parts"], found["false_reject"]["total"], len(found["pictures"])) == (9, 5, 10)
    words = goodpart(*args, "--part-pattern", "(?P<part>part).*", cwd=tmp_path).out
    assert "pictures       10 of 4 parts (a part counts once, by its worst picture)" in words


def test_folders_that_seem_swapped_are_said(recipe_dir: Path, test_set: Path, tmp_path: Path) -> None:
    (test_set / "good").rename(test_set / "kept")
    (test_set / "scratch").rename(test_set / "good")
    (test_set / "kept").rename(test_set / "scratch")
    ended = goodpart("calibrate", "evaluate", recipe_dir, test_set, cwd=tmp_path)
    assert "are good/ and the folders of defects swapped" in ended.out
    assert "are good/ and the folders of defects swapped" in (tmp_path / "evaluate-plate.html").read_text()
