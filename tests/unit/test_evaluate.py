"""Labelled pictures are counted as they should be, and shown."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.evaluate.evaluate import Judged, evaluate, summarise
from calibration.evaluate.pixels import PixelRanking
from calibration.evaluate.sweep import sweep
from calibration.progress import steps
from edge.errors import BadConfig, BadPicture
from edge.recipe.recipe import open_recipe
from edge.types import Decision, Reason
from tests.commands import goodpart


def test_only_nok_of_goods_are_false_rejects_and_only_ok_of_defects_are_escapes() -> None:
    def one(kind: str, decision: Decision, score: float) -> Judged:
        reason = {Decision.OK: Reason.WITHIN_THRESHOLD, Decision.NOK: Reason.ABOVE_THRESHOLD}
        return Judged(Path("x"), kind, decision, reason.get(decision, Reason.TOO_DARK), score)

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


def test_other_thresholds_are_counted_and_unfit_pictures_stay_undecided_at_all_of_them() -> None:
    goods = [Judged(Path("g"), "good", Decision.OK, Reason.WITHIN_THRESHOLD, float(value)) for value in range(10)]
    defects = [Judged(Path("d"), "crack", Decision.NOK, Reason.ABOVE_THRESHOLD, float(value)) for value in (5, 20)]
    dark = Judged(Path("u"), "crack", Decision.NOT_DECIDABLE, Reason.TOO_DARK, 1.0)
    rows = {row.threshold: row for row in sweep([*goods, *defects, dark], 4.5)}
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


def test_folders_that_seem_swapped_are_said(recipe_dir: Path, test_set: Path, tmp_path: Path) -> None:
    (test_set / "good").rename(test_set / "kept")
    (test_set / "scratch").rename(test_set / "good")
    (test_set / "kept").rename(test_set / "scratch")
    ended = goodpart("calibrate", "evaluate", recipe_dir, test_set, cwd=tmp_path)
    assert "are good/ and the folders of defects swapped" in ended.out
    assert "are good/ and the folders of defects swapped" in (tmp_path / "evaluate-plate.html").read_text()
