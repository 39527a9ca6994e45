"""Rates and rankings are the textbook's."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from calibration.evaluate import Judged, PixelRanking, Rate, evaluate, summarise
from calibration.progress import steps
from edge.errors import BadConfig, BadPicture
from edge.recipe.recipe import open_recipe
from edge.types import Decision


def test_clopper_pearson_intervals_are_the_textbooks() -> None:
    none = Rate.of(0, 100)
    assert none is not None
    assert (none.low, none.high) == (0, pytest.approx(0.0362, abs=1e-4))
    some = Rate.of(3, 20)
    assert some is not None
    assert (some.low, some.high) == (pytest.approx(0.0321, abs=1e-4), pytest.approx(0.3789, abs=1e-4))
    assert Rate.of(0, 0) is None


def test_pixel_auroc_equals_the_librarys_but_for_its_bins() -> None:
    rng = np.random.default_rng(0)
    ranking = PixelRanking()
    all_z, all_truth = [], []
    for _ in range(5):
        truth = rng.uniform(size=(40, 50)) < 0.1
        z = (rng.normal(size=(40, 50)) * 3 + truth * 2).astype(np.float32)
        ranking.add(z, truth)
        all_z.append(z.ravel())
        all_truth.append(truth.ravel())
    assert ranking.auroc() == pytest.approx(roc_auc_score(np.concatenate(all_truth), np.concatenate(all_z)), abs=2e-4)


def test_pixel_auroc_needs_both_classes() -> None:
    ranking = PixelRanking()
    ranking.add(np.ones((4, 4), np.float32), np.zeros((4, 4), np.bool_))
    assert ranking.auroc() is None


def test_only_nok_of_goods_are_false_rejects_and_only_ok_of_defects_are_escapes() -> None:
    def one(kind: str, decision: Decision, score: float) -> Judged:
        return Judged(Path("x"), kind, decision, score)

    found = summarise(
        (
            one("good", Decision.OK, 1),
            one("good", Decision.NOK, 5),
            one("good", Decision.NOT_DECIDABLE, 2),
            one("crack", Decision.NOK, 6),
            one("crack", Decision.OK, 1.5),
            one("hole", Decision.NOT_DECIDABLE, np.nan),
        ),
        None,
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
