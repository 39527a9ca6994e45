"""How to look is chosen from the goods, and what does not suit them is refused before any long work."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.goods import Good, find_goods
from calibration.progress import steps
from calibration.view import ChosenView, ViewPlan, choose_view
from edge.errors import BadConfig, BadPicture
from edge.inspect.encoder import DEFAULT_ENCODER, Encoder, read_encoder
from edge.inspect.view_card import PictureCard, RoiCard
from edge.types import PatchGrid
from tests.conftest import part_picture
from tests.moved import BOX, HEIGHT, WIDTH, grey, move, see

ROI = RoiCard(x=30, y=20, width=100, height=80)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(*read_encoder(DEFAULT_ENCODER))


def write(folder: Path, *sizes: tuple[int, int]) -> list[Good]:
    """Plates, each resized to a height and width."""
    folder.mkdir(exist_ok=True)
    for number, (height, width) in enumerate(sizes):
        cv2.imwrite(str(folder / f"{number:02d}.png"), cv2.resize(part_picture(number), (width, height)))
    return find_goods(folder)


def write_moved(folder: Path) -> list[Good]:
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(8):
        pixels = see("gravel", move(tuple(rng.uniform(-8, 8, 2)))) + rng.normal(0, 4, (HEIGHT, WIDTH, 3))
        cv2.imwrite(str(folder / f"{number:02d}.png"), np.clip(pixels, 0, 255).astype(np.uint8))
    return find_goods(folder)


def write_mask(path: Path, height: int, width: int, white: tuple[int, int, int, int]) -> Path:
    grey = np.zeros((height, width), np.uint8)
    x0, y0, x1, y1 = white
    grey[y0:y1, x0:x1] = 255
    cv2.imwrite(str(path), grey)
    return path


def choose(plan: ViewPlan, goods: list[Good], encoder: Encoder) -> ChosenView:
    with steps() as shown:
        return choose_view(plan, goods, encoder, 0, shown)


def tiles_of(view: ChosenView) -> tuple[int, int]:
    return view.eye.card.tiles.rows, view.eye.card.tiles.cols


def works(view: ChosenView, goods: list[Good]) -> None:
    """The view sees a good, and its map has as many places as are watched or not."""
    found = view.eye(cv2.imread(str(goods[0].path)))
    assert isinstance(found, PatchGrid), found
    assert view.watched.shape == (found.rows, found.cols)


@pytest.mark.parametrize(
    ("size", "tiles"),
    [
        ((120, 160), (1, 1)),
        ((160, 120), (1, 1)),
        ((100, 100), (1, 1)),
        ((100, 150), (1, 1)),
        ((1240, 500), (2, 1)),
        ((500, 1240), (1, 2)),
        ((60, 300), (1, 5)),
        ((30, 900), (1, 8)),
    ],
)
def test_long_narrow_pictures_get_tiles_along_their_length(
    tmp_path: Path, encoder: Encoder, size: tuple[int, int], tiles: tuple[int, int]
) -> None:
    goods = write(tmp_path / "goods", *[size] * 3)
    view = choose(ViewPlan(), goods, encoder)
    assert tiles_of(view) == tiles
    assert view.why[0].startswith(f"{tiles[0]}×{tiles[1]} tiles, ")
    assert f"{size[1]}×{size[0]} pixels" in view.why[0]
    assert view.watched.all()
    assert (view.reference, view.reference_png(), view.eye.card.picture) == (None, None, None)
    works(view, goods)


def test_the_fewest_tiles_that_keep_the_stretch_below_one_and_a_half_are_taken(tmp_path: Path, encoder: Encoder) -> None:
    for width in (149, 151, 250, 400, 700):
        view = choose(ViewPlan(), write(tmp_path / f"{width}", (100, width)), encoder)
        stretch = float(view.why[0].split("stretched by ")[1].split()[0])
        assert 1 <= stretch <= 1.5, (width, view.why)


def test_a_part_without_end_gets_the_most_tiles_and_is_told_how_much_it_is_stretched(
    tmp_path: Path, encoder: Encoder
) -> None:
    view = choose(ViewPlan(), write(tmp_path / "goods", (10, 1000)), encoder)
    assert tiles_of(view) == (1, 8)
    assert float(view.why[0].split("stretched by ")[1].split()[0]) > 10


def test_a_long_region_in_a_square_picture_gets_tiles(tmp_path: Path, encoder: Encoder) -> None:
    goods = write(tmp_path / "goods", *[(300, 300)] * 3)
    view = choose(ViewPlan(roi=RoiCard(x=100, y=0, width=40, height=300)), goods, encoder)
    assert tiles_of(view)[0] > 1 == tiles_of(view)[1]
    works(view, goods)


@pytest.mark.parametrize("tiles", [(1, 1), (1, 2), (3, 2), (8, 8)])
def test_tiles_that_are_asked_for_are_taken(tmp_path: Path, encoder: Encoder, tiles: tuple[int, int]) -> None:
    goods = write(tmp_path / "goods", (120, 160))
    view = choose(ViewPlan(tiles=tiles), goods, encoder)
    assert tiles_of(view) == tiles
    assert view.why[0].startswith(f"{tiles[0]}×{tiles[1]} tiles as asked for")
    assert view.watched.shape == (view.eye.rows, view.eye.cols)


def test_pictures_of_different_sizes_are_looked_at_as_most_of_them_are(tmp_path: Path, encoder: Encoder) -> None:
    goods = write(tmp_path / "goods", (100, 500), (120, 160), (121, 160), (120, 161), (500, 100))
    view = choose(ViewPlan(), goods, encoder)
    assert tiles_of(view) == (1, 1)
    assert view.eye.card.picture is None


def test_a_region_fixes_the_size_of_the_pictures(tmp_path: Path, encoder: Encoder) -> None:
    goods = write(tmp_path / "goods", *[(120, 160)] * 3)
    view = choose(ViewPlan(roi=ROI), goods, encoder)
    assert (view.eye.card.roi, view.eye.card.picture) == (ROI, PictureCard(width=160, height=120))
    works(view, goods)


@pytest.mark.parametrize(
    "roi",
    [
        RoiCard(x=61, y=0, width=100, height=80),
        RoiCard(x=0, y=41, width=100, height=80),
        RoiCard(x=500, y=500, width=1, height=1),
    ],
)
@pytest.mark.parametrize("align", [None, "template"])
def test_a_region_beyond_the_pictures_is_refused(tmp_path: Path, encoder: Encoder, roi: RoiCard, align) -> None:
    goods = write(tmp_path / "goods", *[(120, 160)] * 3)
    with pytest.raises(BadConfig, match=r"^--roi: reaches beyond the 160×120 pixels of the pictures; choose one inside\.$"):
        choose(ViewPlan(roi=roi, align=align), goods, encoder)


def test_a_region_that_fits_exactly_is_taken(tmp_path: Path, encoder: Encoder) -> None:
    goods = write(tmp_path / "goods", (120, 160))
    works(choose(ViewPlan(roi=RoiCard(x=0, y=0, width=160, height=120)), goods, encoder), goods)


@pytest.mark.parametrize("what", ["roi", "mask", "align"])
def test_region_mask_and_alignment_need_pictures_of_one_size(tmp_path: Path, encoder: Encoder, what: str) -> None:
    goods = write(tmp_path / "goods", (120, 160), (120, 160), (240, 320))
    plans = {
        "roi": ViewPlan(roi=ROI),
        "mask": ViewPlan(mask=write_mask(tmp_path / "mask.png", 120, 160, (0, 0, 80, 120))),
        "align": ViewPlan(align="template"),
    }
    with pytest.raises(BadConfig, match="need pictures of one size") as refused:
        choose(plans[what], goods, encoder)
    assert "160×120" in str(refused.value)
    assert "320×240" in str(refused.value)


@pytest.mark.parametrize(
    ("white", "roi", "tiles", "share"),
    [
        ((0, 0, 80, 120), None, None, 0.5),
        ((0, 0, 160, 30), None, None, 0.25),
        ((80, 0, 160, 120), None, (1, 2), 0.5),
        ((30, 20, 130, 60), ROI, None, 0.5),
        ((0, 0, 160, 120), ROI, (2, 2), 1.0),
    ],
)
def test_the_share_that_a_mask_leaves_is_told(
    tmp_path: Path, encoder: Encoder, white: tuple[int, int, int, int], roi: RoiCard | None, tiles, share: float
) -> None:
    goods = write(tmp_path / "goods", *[(120, 160)] * 2)
    mask = write_mask(tmp_path / "mask.png", 120, 160, white)
    view = choose(ViewPlan(roi=roi, mask=mask, tiles=tiles), goods, encoder)
    assert view.watched.mean() == pytest.approx(share, abs=0.02)
    assert view.watched.shape == (view.eye.rows, view.eye.cols)
    assert view.why[-1].startswith(f"The mask leaves {100 * view.watched.mean():.0f}")
    assert "watch" in view.why[-1]


def test_the_white_half_of_a_mask_is_the_half_of_the_map_that_is_watched(tmp_path: Path, encoder: Encoder) -> None:
    goods = write(tmp_path / "goods", (120, 160))
    mask = write_mask(tmp_path / "mask.png", 120, 160, (80, 0, 160, 120))
    watched = choose(ViewPlan(mask=mask, tiles=(1, 2)), goods, encoder).watched
    half = watched.shape[1] // 2
    assert watched[:, half:].all()
    assert not watched[:, :half].any()


def test_a_mask_of_another_size_or_outside_the_region_is_refused(tmp_path: Path, encoder: Encoder) -> None:
    goods = write(tmp_path / "goods", *[(120, 160)] * 2)
    small = write_mask(tmp_path / "small.png", 60, 80, (0, 0, 80, 60))
    with pytest.raises(BadConfig, match=r"80×60 pixels, the pictures are 160×120"):
        choose(ViewPlan(mask=small), goods, encoder)
    outside = write_mask(tmp_path / "outside.png", 120, 160, (0, 0, 20, 20))
    with pytest.raises(BadConfig, match="nothing to inspect"):
        choose(ViewPlan(roi=ROI, mask=outside), goods, encoder)
    with pytest.raises(BadPicture, match=r"absent\.png"):
        choose(ViewPlan(mask=tmp_path / "absent.png"), goods, encoder)


@pytest.mark.parametrize("roi", [None, BOX])
def test_alignment_is_learned_and_told(tmp_path: Path, encoder: Encoder, roi: RoiCard | None) -> None:
    goods = write_moved(tmp_path / "goods")
    view = choose(ViewPlan(roi=roi, align="template"), goods, encoder)
    card = view.eye.card
    assert card.alignment
    assert (card.alignment.method, card.roi) == ("template", roi)
    assert view.reference is not None
    stored = cv2.imdecode(np.frombuffer(view.reference_png(), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(stored, view.reference)
    assert [words for words in view.why if "All 8 good pictures align" in words]
    works(view, goods)


def test_the_reference_on_which_the_region_was_drawn_is_the_one_aligned_with(tmp_path: Path, encoder: Encoder) -> None:
    goods = write_moved(tmp_path / "goods")
    view = choose(ViewPlan(roi=BOX, align="template", reference=goods[3].path), goods, encoder)
    assert view.reference is not None
    np.testing.assert_array_equal(view.reference, grey(cv2.imread(str(goods[3].path))))
    assert any("align with 03.png" in words for words in view.why)


def test_goods_that_cannot_be_aligned_are_refused_by_name(tmp_path: Path, encoder: Encoder) -> None:
    goods = write_moved(tmp_path / "goods")
    cv2.imwrite(str(goods[5].path), see("page"))
    with pytest.raises(BadConfig, match=r"1 of 8 good pictures cannot be aligned.*05\.png"):
        choose(ViewPlan(roi=BOX, align="template", reference=goods[0].path), goods, encoder)


def test_a_good_that_is_no_picture_is_named(tmp_path: Path, encoder: Encoder) -> None:
    goods = write(tmp_path / "goods", *[(120, 160)] * 3)
    goods[1].path.write_bytes(b"text")
    with pytest.raises(BadPicture, match=r"01\.png"):
        choose(ViewPlan(), goods, encoder)
