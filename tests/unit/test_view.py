"""The encoder sees the region of interest, straight, in tiles; every place of it leads back to the picture."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.inspect.encoder import fit_size
from edge.inspect.geometry import apply, scaling, to_box, translation
from edge.inspect.refine import NotAligned
from edge.inspect.view import Seen, View
from edge.inspect.view_card import PictureCard, RoiCard, TilesCard, ViewCard
from edge.report.overlay import overlay, tint
from edge.types import AnomalyMap, Decision, Pixels, Reason, Score, Verdict
from tests.moved import BOX, HEIGHT, STILL, WIDTH, grey, limits, move, see, tilt

PICTURE = PictureCard(width=WIDTH, height=HEIGHT)


def seen(found: Seen | NotAligned) -> Seen:
    assert isinstance(found, Seen), found
    return found


def random_picture(height: int = HEIGHT, width: int = WIDTH) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(240, 320), (64, 64), (50, 900), (1000, 40), (3, 5)])
def test_without_a_region_the_whole_picture_is_seen_as_ever(size: tuple[int, int]) -> None:
    pixels = random_picture(*size)
    out = np.empty((64, 96, 3), np.uint8)
    found = seen(View(ViewCard(), 64, 96).look(pixels, out))
    assert found.canvas is out
    np.testing.assert_array_equal(out, fit_size(pixels, 64, 96))
    np.testing.assert_allclose(apply(found.to_picture, np.array([[96.0, 64.0]])), [size[::-1]])


def test_a_region_that_has_the_size_of_the_canvas_is_not_copied() -> None:
    pixels = random_picture()
    roi = RoiCard(x=10, y=20, width=96, height=64)
    found = seen(View(ViewCard(picture=PICTURE, roi=roi), 64, 96).look(pixels))
    assert np.shares_memory(found.canvas, pixels)
    np.testing.assert_array_equal(found.canvas, pixels[20:84, 10:106])
    np.testing.assert_array_equal(found.to_picture, translation(10, 20))


def test_the_canvas_is_used_again() -> None:
    view = View(ViewCard(tiles=TilesCard(rows=1, cols=2, overlap=16)), 64, 64)
    first, second = (seen(view.look(pixels)).canvas for pixels in (random_picture(), random_picture(50, 70)))
    assert first is second


@settings(max_examples=50)
@given(
    rows=st.integers(1, 4),
    cols=st.integers(1, 4),
    overlap=st.integers(0, 24),
    x=st.integers(0, 60),
    y=st.integers(0, 60),
    width=st.integers(8, 260),
    height=st.integers(8, 180),
)
def test_tiles_cover_the_region_and_lead_back_to_it(
    rows: int, cols: int, overlap: int, x: int, y: int, width: int, height: int
) -> None:
    tiles = TilesCard(rows=rows, cols=cols, overlap=overlap if rows * cols > 1 else 0)
    roi = RoiCard(x=x, y=y, width=width, height=height)
    view = View(ViewCard(picture=PICTURE, roi=roi, tiles=tiles), 48, 64)
    found = seen(view.look(random_picture()))
    assert found.canvas.shape == (view.height, view.width, 3)
    parts = list(view.tiles(found.canvas))
    assert len(parts) == rows * cols
    assert all(part.shape == (48, 64, 3) and np.shares_memory(part, found.canvas) for part in parts)
    np.testing.assert_array_equal(parts[0][0, 0], found.canvas[0, 0])
    np.testing.assert_array_equal(parts[-1][-1, -1], found.canvas[-1, -1])
    ends = apply(found.to_picture, np.array([[0.0, 0.0], [view.width, view.height]]))
    np.testing.assert_allclose(ends, [[x, y], [x + width, y + height]])
    assert to_box(found.to_picture, 0, 0, view.width, view.height, WIDTH, HEIGHT) == (x, y, width, height)


@pytest.mark.parametrize("size", [(75, 100), (150, 200), (300, 400)])
@pytest.mark.parametrize("method", ["template", "keypoints"])
def test_a_part_that_moved_is_seen_as_if_it_had_not(method, size: tuple[int, int]) -> None:
    """What stays differs by what two interpolations blur, which is more at sharp edges than in the mean."""
    movement = move((7.3, -11.6), 4) if method == "template" else tilt(move((7.3, -11.6), 4))
    card = ViewCard(picture=PICTURE, roi=BOX, alignment=limits(method))
    view = View(card, *size, grey(see("coins")))
    still = seen(View(ViewCard(picture=PICTURE, roi=BOX), *size).look(see("coins"))).canvas
    moved = seen(view.look(see("coins", movement)))
    unaligned = seen(View(ViewCard(picture=PICTURE, roi=BOX), *size).look(see("coins", movement))).canvas
    assert cv2.absdiff(moved.canvas, still).mean() < 6
    assert cv2.absdiff(moved.canvas, still).mean() < cv2.absdiff(unaligned, still).mean() / 4
    middle = np.array([[size[1] / 2, size[0] / 2]])
    there = apply(movement, np.array([[BOX.x + BOX.width / 2, BOX.y + BOX.height / 2]]))
    np.testing.assert_allclose(apply(moved.to_picture, middle), there, atol=1)


def test_an_aligned_view_fills_the_buffer_it_is_given() -> None:
    view = View(ViewCard(picture=PICTURE, roi=BOX, alignment=limits("template")), 300, 400, grey(see("coins")))
    out = np.zeros((300, 400, 3), np.uint8)
    assert seen(view.look(see("coins", move((5, 5))), out)).canvas is out
    assert out.any()


def test_a_part_that_is_not_there_is_said_so() -> None:
    view = View(ViewCard(picture=PICTURE, roi=BOX, alignment=limits("template")), 64, 64, grey(see("coins")))
    found = view.look(see("page"))
    assert isinstance(found, NotAligned)
    assert "agreement" in found.detail


def test_a_picture_of_another_size_has_no_region() -> None:
    found = View(ViewCard(picture=PICTURE, roi=BOX), 64, 64).look(random_picture(100, 100))
    assert isinstance(found, NotAligned)
    assert "100×100" in found.detail
    assert "320×240" in found.detail


def test_a_reference_belongs_to_an_alignment_and_has_the_size_of_the_pictures() -> None:
    card = ViewCard(picture=PICTURE, alignment=limits("template"))
    with pytest.raises(ValueError, match="reference"):
        View(card, 64, 64)
    with pytest.raises(ValueError, match="reference"):
        View(card, 64, 64, np.zeros((10, 10), np.uint8))
    with pytest.raises(ValueError, match="reference"):
        View(ViewCard(), 64, 64, np.zeros((10, 10), np.uint8))


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ({"roi": {"x": 0, "y": 0, "width": 10, "height": 10}}, "need the size"),
        ({"picture": {"width": 99, "height": 50}, "roi": {"x": 0, "y": 0, "width": 100, "height": 50}}, "beyond the 99×50"),
        ({"tiles": {"rows": 1, "cols": 1, "overlap": 16}}, "single tile"),
        ({"tiles": {"rows": 9, "cols": 1}}, "less than or equal to 8"),
        ({"zoom": 2}, "zoom"),
    ],
)
def test_a_card_that_cannot_be_looked_through_is_refused(card: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ViewCard.model_validate(card)


def test_a_box_is_clipped_to_the_picture() -> None:
    to_picture = translation(-5, 90) @ scaling(2, 2)
    assert to_box(to_picture, 0, 0, 10, 10, 100, 100) == (0, 90, 15, 10)
    assert to_box(to_picture, 200, 0, 210, 10, 100, 100)[2] == 0
    assert to_box(scaling(1 / 3, 1 / 3), 1, 1, 3, 3, 100, 100) == (0, 0, 1, 1)


def hot(found: Seen, *places: tuple[int, int]) -> Verdict:
    """NOK with a map of 4×4 places, hot at some."""
    z = np.zeros((4, 4), np.float32)
    for place in places:
        z[place] = 9
    heat = AnomalyMap(z, np.zeros((4, 4), np.intp), found.from_places(4, 4))
    return Verdict(Decision.NOK, Reason.ABOVE_THRESHOLD, score=Score(9, "max", 1), heat=heat)


EVERYWHERE = [(row, col) for row in range(4) for col in range(4)]


def region(x: float, y: float, width: float, height: float) -> Seen:
    return Seen(np.empty((64, 64, 3), np.uint8), translation(x, y) @ scaling(width / 64, height / 64))


def test_heat_lies_on_the_region_and_nowhere_else() -> None:
    pixels = np.full((120, 400, 3), 100, np.uint8)
    changed = (tint(pixels, hot(region(200, 40, 80, 60), (0, 0)), 3.0) != pixels).any(axis=2)
    assert changed[40:55, 200:220].all()
    changed[40:100, 200:280] = False
    assert not changed.any()


def test_a_region_that_is_hot_to_its_rim_is_tinted_to_its_rim() -> None:
    pixels = np.full((120, 400, 3), 100, np.uint8)
    changed = (tint(pixels, hot(region(200, 40, 80, 60), *EVERYWHERE), 3.0) != pixels).any(axis=2)
    expected = np.zeros((120, 400), np.bool_)
    expected[40:100, 200:280] = True
    np.testing.assert_array_equal(changed, expected)


def test_heat_of_a_copy_of_another_size_lies_where_it_lay() -> None:
    pixels = np.full((60, 200, 3), 100, np.uint8)
    changed = (tint(pixels, hot(region(200, 40, 80, 60), *EVERYWHERE), 3.0, (120, 400)) != pixels).any(axis=2)
    expected = np.zeros((60, 200), np.bool_)
    expected[20:50, 100:140] = True
    np.testing.assert_array_equal(changed, expected)


def test_heat_follows_a_small_picture_that_is_enlarged() -> None:
    pixels = np.full((60, 80, 3), 100, np.uint8)
    drawn = overlay(pixels, hot(region(40, 30, 40, 30), (0, 0)), 3.0)[-240:]
    changed = (drawn != 100).any(axis=2)
    assert changed[120:150, 160:190].all()
    assert not changed[:, :160].any()


def test_no_motion_leaves_the_transform_as_it_is() -> None:
    view = View(ViewCard(picture=PICTURE, roi=BOX, alignment=limits("template")), 64, 64, grey(see("brick")))
    found = seen(view.look(see("brick", STILL)))
    wanted = translation(BOX.x, BOX.y) @ scaling(BOX.width / 64, BOX.height / 64)
    np.testing.assert_allclose(found.to_picture, wanted, atol=0.1)
