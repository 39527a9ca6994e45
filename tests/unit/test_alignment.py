"""Reference and limits are learned from the goods, and goods that do not align are named."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.alignment import learn_alignment
from calibration.goods import Good, find_goods
from calibration.progress import steps
from edge.errors import BadConfig
from edge.inspect.align import open_aligner
from edge.inspect.refine import Alignment, NotAligned
from edge.inspect.view_card import RoiCard
from edge.types import Doubles
from tests.moved import BOX, HEIGHT, WIDTH, error_px, grey, move, see

SHIFT, TURN = 8.0, 3.0


def movements(count: int) -> list[Doubles]:
    rng = np.random.default_rng(0)
    return [move(tuple(rng.uniform(-SHIFT, SHIFT, 2)), rng.uniform(-TURN, TURN)) for _ in range(count)]


def write_goods(folder: Path, count: int = 12, photograph: str = "gravel") -> list[Good]:
    """Parts that lie a little differently, each with its own noise."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    for at, movement in enumerate(movements(count)):
        pixels = np.clip(see(photograph, movement) + rng.normal(0, 5, (HEIGHT, WIDTH, 3)), 0, 255)
        cv2.imwrite(str(folder / f"good-{at:02d}.png"), pixels.astype(np.uint8))
    return find_goods(folder)


def learn(goods: list[Good], method="template", roi: RoiCard | None = BOX, **more):
    with steps() as shown:
        return learn_alignment(goods, method, roi, shown, **more)


@pytest.mark.parametrize("method", ["template", "keypoints"])
def test_limits_hold_for_all_goods_and_for_a_little_more(tmp_path: Path, method) -> None:
    goods = write_goods(tmp_path / "goods")
    learned = learn(goods, method)
    align = open_aligner(learned.card, learned.reference, BOX)
    assert all(isinstance(align(cv2.imread(str(good.path))), Alignment) for good in goods)
    assert SHIFT / 2 < learned.card.largest_shift_px < 6 * SHIFT
    assert TURN / 2 < learned.card.largest_rotation_deg < 4 * TURN
    assert 0.5 < learned.card.least_agreement < 0.65
    assert learned.card.scale_min < 1 < learned.card.scale_max
    for pixels in (see("page"), see("gravel", move((60, 0))), see("gravel", move(degrees=25))):
        assert isinstance(align(pixels), NotAligned)


def test_a_pattern_that_repeats_itself_must_agree_better(tmp_path: Path) -> None:
    goods = write_goods(tmp_path / "goods", 6, "brick")
    learned = learn(goods)
    assert learned.card.least_agreement > 0.75
    align = open_aligner(learned.card, learned.reference, BOX)
    for shift in ((60, 0), (0, 40), (-45, 30)):
        found = align(see("brick", move(shift)))
        assert isinstance(found, NotAligned), found


def test_a_named_reference_is_taken(tmp_path: Path) -> None:
    goods = write_goods(tmp_path / "goods")
    learned = learn(goods, reference=goods[5].path)
    assert learned.reference_of == goods[5].path
    np.testing.assert_array_equal(learned.reference, grey(cv2.imread(str(goods[5].path))))
    align = open_aligner(learned.card, learned.reference, BOX)
    fifth, seventh = movements(8)[5], movements(8)[7]
    assert error_px(align(see("gravel", seventh)), seventh @ np.linalg.inv(fifth)) < 1


def test_a_good_that_is_unlike_the_others_is_not_the_reference(tmp_path: Path) -> None:
    goods = write_goods(tmp_path / "goods", 6)
    cv2.imwrite(str(goods[0].path), cv2.GaussianBlur(cv2.imread(str(goods[0].path)), (0, 0), 2))
    assert learn(goods).reference_of != goods[0].path


def test_the_same_goods_and_seed_give_the_same_alignment(tmp_path: Path) -> None:
    goods = write_goods(tmp_path / "goods")
    first, again = learn(goods, seed=3), learn(goods, seed=3)
    assert (first.card, first.reference_of, first.sentence) == (again.card, again.reference_of, again.sentence)


def test_how_well_the_goods_align_is_one_sentence(tmp_path: Path) -> None:
    goods = write_goods(tmp_path / "goods", 6)
    sentence = learn(goods, reference=goods[0].path).sentence
    assert sentence.startswith("All 6 good pictures align with good-00.png: they shift by up to ")


def test_goods_that_cannot_be_aligned_are_counted_and_the_worst_is_named(tmp_path: Path) -> None:
    goods = write_goods(tmp_path / "goods")
    cv2.imwrite(str(goods[4].path), see("page"))
    with pytest.raises(
        BadConfig, match=r"1 of 12 good pictures cannot be aligned with good-\d\d\.png, worst .*good-04\.png"
    ):
        learn(goods)


def test_goods_of_another_size_are_refused(tmp_path: Path) -> None:
    goods = write_goods(tmp_path / "goods", 4)
    cv2.imwrite(str(goods[2].path), see("gravel")[:100])
    with pytest.raises(BadConfig, match=r"good-02\.png: has 320×100 pixels, others 320×240"):
        learn(goods)


def test_a_region_beyond_the_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="beyond the 320×240"):
        learn(write_goods(tmp_path / "goods", 2), roi=RoiCard(x=300, y=0, width=30, height=30))


def test_a_region_with_nothing_to_align_by_names_the_picture(tmp_path: Path) -> None:
    goods = write_goods(tmp_path / "goods", 2)
    for good in goods:
        pixels = cv2.imread(str(good.path))
        pixels[:60, :60] = 128
        cv2.imwrite(str(good.path), pixels)
    with pytest.raises(BadConfig, match=r"good-0\d\.png: alignment: the reference is flat"):
        learn(goods, roi=RoiCard(x=5, y=5, width=50, height=50))


def test_without_a_region_parts_are_aligned_by_the_whole_picture(tmp_path: Path) -> None:
    learned = learn(write_goods(tmp_path / "goods", 5), roi=None)
    assert learned.card.largest_outside > 0.01
