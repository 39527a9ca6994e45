"""The eye gives what the encoder gives, tile by tile and scaled, and knows where in the picture it is."""

import numpy as np
import pytest

from edge.errors import BadConfig
from edge.inspect.encoder import DEFAULT_ENCODER, Encoder, read_encoder
from edge.inspect.eye import Eye
from edge.inspect.geometry import apply, corners
from edge.inspect.refine import NotAligned
from edge.inspect.view_card import PictureCard, RoiCard, TilesCard, ViewCard
from edge.types import PatchGrid, Pixels
from tests.conftest import part_picture
from tests.moved import BOX, HEIGHT, WIDTH, grey, limits, move, see

SIDE, PLACES, OVERLAP = 320, 40, 96
SHARED = OVERLAP // 8 // 2
"""Patches that each of two tiles leaves to the other."""

TWO = TilesCard(rows=1, cols=2, overlap=OVERLAP)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(*read_encoder(DEFAULT_ENCODER))


def random_picture(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def patches_of(eye: Eye, pixels: Pixels) -> PatchGrid:
    found = eye(pixels)
    assert isinstance(found, PatchGrid), found
    return found


def leads(grid: PatchGrid, box: tuple[float, float, float, float], atol: float = 1e-6) -> None:
    """The corners of the grid are those of the box, x0, y0, x1, y1."""
    np.testing.assert_allclose(apply(grid.to_picture, corners(0, 0, grid.cols, grid.rows)), corners(*box), atol=atol)


@pytest.mark.parametrize("size", [(120, 160), (320, 320), (500, 400), (700, 300)])
def test_one_tile_is_the_encoder_on_the_resized_picture(encoder: Encoder, size: tuple[int, int]) -> None:
    pixels = random_picture(*size)
    expected = encoder(pixels)
    eye = Eye(encoder, ViewCard())
    found = patches_of(eye, pixels)
    assert (eye.rows, eye.cols, found.rows, found.cols) == (PLACES, PLACES, PLACES, PLACES)
    np.testing.assert_array_equal(found.patches, expected.patches)
    np.testing.assert_array_equal(found.embedding, expected.embedding)
    leads(found, (0, 0, size[1], size[0]))


def test_patches_are_multiplied_by_the_scale_and_by_nothing_more_the_second_time(encoder: Encoder) -> None:
    scale = np.random.default_rng(1).uniform(0.1, 3, 152).astype(np.float32)
    eye, pixels = Eye(encoder, ViewCard(), scale=scale), part_picture(0)
    expected = encoder(pixels).patches * scale
    for _ in range(2):
        np.testing.assert_array_equal(patches_of(eye, pixels).patches, expected)


def test_two_tiles_give_one_grid_of_what_each_sees_best(encoder: Encoder) -> None:
    eye, plain = Eye(encoder, ViewCard(tiles=TWO)), Eye(encoder, ViewCard())
    pixels = random_picture(SIDE, 2 * SIDE - OVERLAP)
    found = patches_of(eye, pixels)
    assert (eye.rows, eye.cols) == (found.rows, found.cols) == (PLACES, 2 * (PLACES - SHARED))
    leads(found, (0, 0, pixels.shape[1], pixels.shape[0]))
    joined = found.patches.reshape(found.rows, found.cols, -1)
    left, right = (
        patches_of(plain, np.ascontiguousarray(part)).patches.reshape(PLACES, PLACES, -1)
        for part in (pixels[:, :SIDE], pixels[:, -SIDE:])
    )
    half = PLACES - SHARED
    np.testing.assert_array_equal(joined[:, :half], left[:, :half])
    np.testing.assert_array_equal(joined[:, half:], right[:, SHARED:])


def test_tiles_are_scaled_once_however_often_they_look(encoder: Encoder) -> None:
    scale = np.random.default_rng(1).uniform(0.1, 3, 152).astype(np.float32)
    pixels = random_picture(200, 500)
    expected = patches_of(Eye(encoder, ViewCard(tiles=TWO)), pixels).patches * scale
    eye = Eye(encoder, ViewCard(tiles=TWO), scale=scale)
    for _ in range(2):
        np.testing.assert_array_equal(patches_of(eye, pixels).patches, expected)


def test_a_region_is_all_that_is_seen(encoder: Encoder) -> None:
    card = ViewCard(picture=PictureCard(width=160, height=120), roi=RoiCard(x=30, y=20, width=100, height=80))
    pixels = part_picture(0)
    found = patches_of(Eye(encoder, card), pixels)
    leads(found, (30, 20, 130, 100))
    np.testing.assert_array_equal(found.patches, encoder(np.ascontiguousarray(pixels[20:100, 30:130])).patches)
    around = random_picture(120, 160)
    around[20:100, 30:130] = pixels[20:100, 30:130]
    np.testing.assert_array_equal(patches_of(Eye(encoder, card), around).patches, found.patches)


def test_a_region_in_two_tiles_leads_back_to_the_region(encoder: Encoder) -> None:
    card = ViewCard(picture=PictureCard(width=160, height=120), roi=RoiCard(x=30, y=20, width=100, height=80), tiles=TWO)
    leads(patches_of(Eye(encoder, card), part_picture(0)), (30, 20, 130, 100))


@pytest.mark.parametrize("tiles", [TilesCard(), TWO])
def test_a_part_that_moved_leads_to_where_it_is(encoder: Encoder, tiles: TilesCard) -> None:
    card = ViewCard(picture=PictureCard(width=WIDTH, height=HEIGHT), roi=BOX, alignment=limits("template"), tiles=tiles)
    found = patches_of(Eye(encoder, card, grey(see("coins"))), see("coins", move((9, -6))))
    leads(found, (BOX.x + 9, BOX.y - 6, BOX.x + 9 + BOX.width, BOX.y - 6 + BOX.height), atol=1)


@pytest.mark.parametrize("tiles", [TilesCard(), TWO])
def test_a_picture_of_another_size_is_not_aligned_where_there_is_a_region(encoder: Encoder, tiles: TilesCard) -> None:
    card = ViewCard(picture=PictureCard(width=160, height=120), roi=RoiCard(x=0, y=0, width=50, height=50), tiles=tiles)
    found = Eye(encoder, card)(random_picture(240, 320))
    assert isinstance(found, NotAligned)
    assert "320×240" in found.detail
    assert "160×120" in found.detail


def test_a_part_that_is_not_there_is_not_aligned(encoder: Encoder) -> None:
    card = ViewCard(picture=PictureCard(width=WIDTH, height=HEIGHT), roi=BOX, alignment=limits("template"))
    assert isinstance(Eye(encoder, card, grey(see("coins")))(see("page")), NotAligned)


@pytest.mark.parametrize("overlap", [8, 24, 100, 176, 320])
def test_an_overlap_that_does_not_suit_the_encoder_is_refused_with_one_that_does(encoder: Encoder, overlap: int) -> None:
    with pytest.raises(BadConfig, match=r"tiles\.overlap: \d+ must be a multiple of 16.*use \d+\.") as refused:
        Eye(encoder, ViewCard(tiles=TilesCard(rows=1, cols=2, overlap=overlap)))
    proposed = int(str(refused.value).rstrip(".").split()[-1])
    assert Eye(encoder, ViewCard(tiles=TilesCard(rows=1, cols=2, overlap=proposed))).rows == PLACES
