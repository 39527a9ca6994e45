"""A picture unlike the goods is not fit to be judged."""

import numpy as np
import pytest

from calibration.limits import learn_limits
from edge.capture.fitness import look_at, unfit
from edge.types import Pixels, Reason
from tests.conftest import part_picture


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
