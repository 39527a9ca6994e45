"""What is odd about a picture is said in words, and only what is."""

import cv2
import numpy as np
import pytest

from calibration.collect.hints import Glance, Odd, glance, hints, no_part
from calibration.collect.outlook import outlook
from calibration.threshold.order import plan_held_out
from edge.errors import TooFewGoods
from edge.types import Reason
from tests.conftest import part_picture

BEFORE = [glance(part_picture(seed)) for seed in range(5)]


def odd(picture: np.ndarray, last: Glance | None = None) -> set[Odd]:
    found = hints(glance(picture), [b.fitness for b in BEFORE], {b.size for b in BEFORE}, last)
    assert all(hint.words for hint in found)
    return {hint.kind for hint in found}


def test_another_good_part_is_nothing_odd() -> None:
    assert odd(part_picture(50), BEFORE[-1]) == set()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda p: cv2.GaussianBlur(p, (0, 0), 2), Odd.BLURRED),
        (lambda p: (p * 0.7).astype(np.uint8), Odd.DARKER),
        (lambda p: cv2.add(p, np.full_like(p, 60)), Odd.BRIGHTER),
        (lambda p: (p * 0.3 + 80).astype(np.uint8), Odd.FLATTER),
        (lambda p: cv2.rectangle(p.copy(), (0, 0), (40, 40), (255, 255, 255), -1), Odd.WHITE),
        (lambda p: cv2.rectangle(p.copy(), (0, 0), (80, 119), (0, 0, 0), -1), Odd.BLACK),
        (lambda p: cv2.resize(p, None, fx=2, fy=2), Odd.SIZE),
    ],
)
def test_each_oddity_is_seen(change, kind: Odd) -> None:
    assert kind in odd(change(part_picture(50)))


def test_a_picture_that_differs_by_noise_and_flicker_only_has_not_changed() -> None:
    large = cv2.resize(part_picture(50), (640, 480), interpolation=cv2.INTER_LINEAR)
    noise = np.random.default_rng(0).normal(4, 3, large.shape)
    again = np.clip(large + noise, 0, 255).astype(np.uint8)
    assert Odd.UNCHANGED in odd(again, glance(large))
    assert Odd.UNCHANGED not in odd(cv2.resize(part_picture(51), (640, 480)), glance(large))


def test_with_two_pictures_nothing_is_compared_but_size_and_sameness() -> None:
    blurred = glance(cv2.GaussianBlur(part_picture(50), (0, 0), 4))
    assert hints(blurred, [b.fitness for b in BEFORE[:2]], {(160, 120)}, BEFORE[1]) == ()


def test_what_all_pictures_have_is_not_said_again_and_again() -> None:
    backlit = cv2.rectangle(part_picture(50), (0, 0), (60, 119), (255, 255, 255), -1)
    seen = glance(backlit)
    assert Odd.WHITE in {hint.kind for hint in hints(seen, [], (), None)}
    assert Odd.WHITE not in {hint.kind for hint in hints(seen, [seen.fitness] * 3, (), None)}


def test_the_numbers_are_the_textbooks() -> None:
    picture = np.zeros((40, 50, 3), np.uint8)
    picture[:10] = 255
    seen = glance(picture)
    # Every 4th row of 40: rows 0, 4, 8 are white, 3 of 10; variance 0.3 · 0.7.
    assert seen.fitness.brightness == pytest.approx(0.3 * 255)
    assert seen.fitness.contrast == pytest.approx(255 * np.sqrt(0.3 * 0.7), abs=0.01)
    assert (seen.fitness.white, seen.fitness.black) == (0.25, 0.75)
    # The Laplacian is -255 and 255 on the two rows beside the edge of 40, else 0.
    assert seen.fitness.sharpness == pytest.approx(255**2 * 2 / 40, abs=0.01)


@pytest.mark.parametrize(("tone", "reason"), [(3, Reason.TOO_DARK), (128, Reason.NO_CONTRAST), (255, Reason.TOO_BRIGHT)])
def test_one_flat_tone_shows_no_part(tone: int, reason: Reason) -> None:
    noise = np.random.default_rng(0).normal(0, 1, (120, 160, 3))
    found = no_part(glance(np.clip(tone + noise, 0, 255).astype(np.uint8)))
    assert found is not None
    assert found[0] is reason


def test_a_dark_field_picture_with_a_few_bright_edges_may_show_a_part() -> None:
    picture = np.zeros((120, 160, 3), np.uint8)
    cv2.circle(picture, (80, 60), 30, (200, 200, 200), 2)
    assert no_part(glance(picture)) is None


def test_the_outlook_is_what_build_will_say() -> None:
    assert outlook(0).needed == 118, "59 held out, and as many in the bank"
    assert plan_held_out(118, 0.05, 0.95) == 59
    assert outlook(118).missing == 0
    assert outlook(117).missing == 1
    with pytest.raises(TooFewGoods):
        plan_held_out(117, 0.05, 0.95)
    assert outlook(10).could is None
    could = outlook(60).could
    assert could == pytest.approx(1 - 0.05 ** (1 / 30))
    assert plan_held_out(60, could + 1e-9, 0.95) == 30
