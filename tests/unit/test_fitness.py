"""A picture unlike the goods is not fit to be judged."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.limits import learn_limits
from edge.capture.fitness import Look, look_at, sharpness_of, unfit
from edge.recipe.recipe import open_recipe
from edge.types import Pixels, Reason
from tests.commands import goodpart
from tests.conftest import part_picture, station_file, write_parts
from tests.fake_cameras import noisy


def coloured(pixels: Pixels) -> Pixels:
    tinted = pixels.astype(np.float32) * np.array([0.5, 0.9, 1.0], np.float32)
    return tinted.astype(np.uint8)


GREY = learn_limits([look_at(part_picture(seed)) for seed in range(10)])
COLOUR = learn_limits([look_at(coloured(part_picture(seed))) for seed in range(10)])


def test_other_good_parts_and_defective_ones_are_fit() -> None:
    assert unfit(look_at(part_picture(50)), GREY) is None
    assert unfit(look_at(part_picture(51, defect=True)), GREY) is None
    assert unfit(look_at(coloured(part_picture(50))), COLOUR) is None


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (part_picture(1)[:-1], Reason.WRONG_SIZE),
        (np.rot90(part_picture(1)), Reason.WRONG_SIZE),
        (np.repeat(part_picture(1), 2, axis=1), Reason.WRONG_SIZE),
        (np.zeros((120, 160, 3), np.uint8), Reason.TOO_DARK),
        (part_picture(1) // 4, Reason.TOO_DARK),
        (np.full((120, 160, 3), 255, np.uint8), Reason.TOO_BRIGHT),
        (np.full((120, 160, 3), 120, np.uint8), Reason.NO_CONTRAST),
        (coloured(part_picture(1)), Reason.WRONG_COLOUR),
    ],
)
def test_what_grey_goods_do_not_look_like_is_named(pixels: Pixels, reason: Reason) -> None:
    found = unfit(look_at(pixels), GREY)
    assert found is not None
    assert found[0] is reason


def test_a_grey_picture_is_unfit_where_goods_have_colour() -> None:
    found = unfit(look_at(part_picture(1)), COLOUR)
    assert found is not None
    assert found[0] is Reason.WRONG_COLOUR


def test_goods_of_differing_sizes_allow_sizes_around_theirs() -> None:
    limits = learn_limits([look_at(part_picture(1)), look_at(part_picture(2)[:100])])
    assert unfit(look_at(part_picture(3)[:110]), limits) is None
    assert unfit(look_at(part_picture(3)[:60]), limits) is not None
    assert unfit(look_at(part_picture(3)[:, :-1]), limits) is not None


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def test_a_part_out_of_focus_is_too_blurred_and_others_are_not() -> None:
    assert all(unfit(look_at(part_picture(seed)), GREY) is None for seed in range(50, 80))
    found = [unfit(look_at(blurred(part_picture(seed), 4)), GREY) for seed in range(50, 80)]
    assert all(fault and fault[0] is Reason.TOO_BLURRED for fault in found)


def test_sharpness_does_not_change_with_exposure_and_hardly_with_noise() -> None:
    sharp, part = sharpness_of(part_picture(1)), part_picture(1)
    assert sharpness_of((part * 0.6).astype(np.uint8)) == pytest.approx(sharp, rel=0.05)
    assert sharpness_of(noisy(part, 1)) == pytest.approx(sharp, rel=0.1)
    assert sharpness_of(blurred(part, 2)) < 0.8 * sharp
    assert sharpness_of(np.zeros((120, 160, 3), np.uint8)) == 0


def look(sharpness: float = 0.1, white: float = 0.0) -> Look:
    return Look(160, 120, 110.0, 30.0, 0.0, sharpness, white)


def test_a_good_that_is_itself_blurred_does_not_set_the_limit() -> None:
    goods = [look(0.1 + 0.001 * number) for number in range(20)]
    assert learn_limits([*goods, look(0.01)]).sharpness_min == pytest.approx(0.1 / 1.25)
    assert learn_limits(goods).sharpness_min == pytest.approx(0.1 / 1.25)


def test_more_white_than_the_goods_have_is_over_exposed() -> None:
    limits = learn_limits([look(white=0.01 * number) for number in range(11)])
    assert limits.white_max == pytest.approx(2 * 0.095 + 0.05)
    assert unfit(look(white=0.23), limits) is None
    assert unfit(look(white=0.25), limits) == (Reason.OVER_EXPOSED, "25.0% is pure white, above 24.0%")


def test_glare_on_a_part_is_over_exposed() -> None:
    part = part_picture(1)
    cv2.circle(part, (60, 60), 30, (255, 255, 255), -1)
    found = unfit(look_at(part), GREY)
    assert found is not None
    assert found[0] is Reason.OVER_EXPOSED


def test_goods_that_are_white_all_over_may_be_so() -> None:
    limits = learn_limits([look(white=0.9) for _ in range(5)])
    assert limits.white_max == 1.0


def test_a_recipe_of_before_is_read_without_these_limits_and_check_says_so(recipe_dir: Path, tmp_path: Path) -> None:
    old = Path(shutil.copytree(recipe_dir, tmp_path / "old"))
    manifest = json.loads((old / "recipe.json").read_text())
    for key in ("sharpness_min", "white_max"):
        del manifest["fitness"][key]
    (old / "recipe.json").write_text(json.dumps(manifest))
    limits = open_recipe(old).manifest.fitness
    assert unfit(look_at(blurred(part_picture(50), 4)), limits) is None
    parts = write_parts(tmp_path / "parts", range(300, 301))
    checked = goodpart("check", station_file(tmp_path, old, {"kind": "folder", "path": str(parts)}, results={"path": "-"}))
    assert "blur and glare are not looked for, build it again for that" in checked.out
    assert checked.code == 0
