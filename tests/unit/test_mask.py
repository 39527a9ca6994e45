"""A mask says which places are watched, and a wrong one is refused."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.mask import read_mask, watched
from edge.errors import BadConfig, BadPicture
from edge.inspect.view_card import RoiCard
from tests.conftest import part_picture

WHOLE = RoiCard(x=0, y=0, width=160, height=120)


def write(folder: Path, grey: np.ndarray) -> Path:
    path = folder / "mask.png"
    cv2.imwrite(str(path), grey)
    return path


def white_box(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    grey = np.zeros((120, 160), np.uint8)
    grey[y0:y1, x0:x1] = 255
    return grey


def test_white_is_watched(tmp_path: Path) -> None:
    mask = read_mask(write(tmp_path, white_box(40, 30, 160, 120)), 160, 120)
    assert (mask.dtype, mask.shape, int(mask.sum())) == (np.bool_, (120, 160), 120 * 90)
    places = watched(mask, WHOLE, 12, 16)
    assert places[3:, 4:].all()
    assert not places[:3].any()
    assert not places[:, :4].any()


@pytest.mark.parametrize(
    ("grey", "words"),
    [
        (np.full((10, 20), 255, np.uint8), r"20×10 pixels, the pictures are 160×120"),
        (np.zeros((120, 160), np.uint8), "black everywhere"),
        (part_picture(0), r"\d+ % of the mask is grey"),
    ],
)
def test_a_mask_that_is_none_is_refused(tmp_path: Path, grey: np.ndarray, words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        read_mask(write(tmp_path, grey), 160, 120)


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(b"white")
    with pytest.raises(BadPicture):
        read_mask(tmp_path / "mask.png", 160, 120)


def test_a_smooth_edge_is_cut_in_its_middle(tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(white_box(80, 0, 160, 120), (0, 0), 1.5, borderType=cv2.BORDER_REPLICATE)
    assert int(read_mask(write(tmp_path, smooth), 160, 120).sum()) == 80 * 120


def test_a_place_is_watched_from_half_of_its_area() -> None:
    mask = np.zeros((120, 160), np.bool_)
    mask[:, :5] = True  # half of the first column of places
    mask[:, 150:154] = True  # two fifths of the last
    places = watched(mask, WHOLE, 12, 16)
    assert places[:, 0].all()
    assert not places[:, 1:].any()


def test_the_region_of_interest_is_what_is_seen() -> None:
    mask = white_box(80, 60, 120, 90) > 0
    assert watched(mask, RoiCard(x=80, y=60, width=40, height=30), 40, 40).all()
    with pytest.raises(BadConfig, match="nothing to inspect"):
        watched(mask, RoiCard(x=0, y=0, width=80, height=60), 40, 40)


@settings(max_examples=100)
@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    grid=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    seed=st.integers(0, 99),
)
def test_places_agree_with_their_areas_summed_one_by_one(size: tuple[int, int], grid: tuple[int, int], seed: int) -> None:
    (height, width), (rows, cols) = size, grid
    mask = np.random.default_rng(seed).random(size) < 0.6
    mask[0, 0] = True
    # Each pixel as rows×cols equal parts: places then have whole parts.
    parts = mask.repeat(rows, axis=0).repeat(cols, axis=1)
    areas = parts.reshape(rows, height, cols, width).mean(axis=(1, 3))
    expected = areas >= 0.5 - 1e-9
    box = RoiCard(x=0, y=0, width=width, height=height)
    if expected.any():
        found = watched(mask, box, rows, cols)
        # Shares that are exactly a half may fall on either side of a float's rounding.
        np.testing.assert_array_equal(found[abs(areas - 0.5) > 1e-5], expected[abs(areas - 0.5) > 1e-5])
