"""What was seen of the good pictures is kept small, in order, and readable by anything."""

import io

import cv2
import numpy as np
import pytest

from calibration.thumbnails import LONGER_SIDE, packed, thumbnail
from edge.inspect.geometry import scaling, translation
from edge.types import Doubles, PatchGrid, Pixels
from tests.conftest import part_picture

ROWS, COLS = 10, 20


def decoded(raw: bytes) -> Pixels:
    return cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)


def seen(to_picture: Doubles) -> PatchGrid:
    """A grid of ROWS×COLS places somewhere in a picture."""
    return PatchGrid(np.zeros((ROWS * COLS, 2), np.float32), ROWS, COLS, np.zeros(1, np.float32), to_picture)


def box(x: float, y: float, width: float, height: float) -> PatchGrid:
    return seen(translation(x, y) @ scaling(width / COLS, height / ROWS))


def whole(pixels: Pixels) -> PatchGrid:
    return box(0, 0, pixels.shape[1], pixels.shape[0])


def small(pixels: Pixels) -> bytes:
    return thumbnail(pixels, whole(pixels))


def gradient(height: int, width: int) -> Pixels:
    """Blue grows to the right, green downwards."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.linspace(0, 250, width)[None]
    picture[..., 1] = np.linspace(0, 250, height)[:, None]
    return picture


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((480, 640), (96, 128)),
        ((640, 480), (128, 96)),
        ((128, 128), (128, 128)),
        ((40, 60), (40, 60)),
        ((2000, 3), (128, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_the_longer_side_is_at_most_128_and_nothing_is_enlarged(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    raw = small(np.full((*size, 3), 100, np.uint8))
    assert raw.startswith(b"\xff\xd8")
    assert decoded(raw).shape == (*wanted, 3)
    assert decoded(raw).mean() == pytest.approx(100, abs=2)
    assert max(wanted) <= LONGER_SIDE == 128


@pytest.mark.parametrize("size", [(100, 120), (480, 640), (1000, 700)])
def test_a_thumbnail_looks_like_its_picture(size: tuple[int, int]) -> None:
    found = decoded(small(gradient(*size))).astype(int)
    assert abs(found - gradient(*found.shape[:2])).mean() < 4
    assert abs(found - gradient(*found.shape[:2])).max() < 25


def test_a_thumbnail_shows_the_region_and_nothing_else() -> None:
    pixels = np.full((480, 640, 3), (30, 30, 220), np.uint8)
    pixels[100:300, 200:600] = gradient(200, 400)
    found = decoded(thumbnail(pixels, box(200, 100, 400, 200))).astype(int)
    assert found.shape == (64, 128, 3)
    assert abs(found - gradient(64, 128))[2:-2, 2:-2].mean() < 5


def test_a_small_region_of_a_large_picture_is_not_shrunk() -> None:
    pixels = np.zeros((480, 640, 3), np.uint8)
    pixels[100:140, 200:280] = gradient(40, 80)
    found = decoded(thumbnail(pixels, box(200, 100, 80, 40))).astype(int)
    assert found.shape == (40, 80, 3)
    assert abs(found - gradient(40, 80)).mean() < 4


def test_a_part_that_lies_turned_is_shown_straight() -> None:
    pixels = np.zeros((300, 300, 3), np.uint8)
    pixels[50:250, 100:200] = np.rot90(gradient(100, 200), -1)
    quarter = np.array([[0.0, -1.0, 200.0], [1.0, 0.0, 50.0], [0.0, 0.0, 1.0]])
    found = decoded(thumbnail(pixels, seen(quarter @ scaling(200 / COLS, 100 / ROWS)))).astype(int)
    assert found.shape == (64, 128, 3)
    assert abs(found - gradient(64, 128))[2:-2, 2:-2].mean() < 5


def test_a_view_beyond_the_picture_goes_on_as_the_picture_ends() -> None:
    pixels = np.full((100, 200, 3), 90, np.uint8)
    assert decoded(thumbnail(pixels, box(-20, 50, 200, 100))).mean() == pytest.approx(90, abs=2)


def test_a_thumbnail_of_a_part_is_small() -> None:
    assert len(small(part_picture(0))) < 10_000


def test_thumbnails_are_read_back_in_their_order_without_pickle() -> None:
    levels = range(0, 240, 20)  # twelve: "10" must not come before "2"
    raw = packed([small(np.full((50, 70, 3), level, np.uint8)) for level in levels])
    with np.load(io.BytesIO(raw), allow_pickle=False) as file:
        assert file.files == [str(n) for n in range(12)]
        pictures = [file[name] for name in file.files]
    assert {p.dtype for p in pictures} == {np.dtype(np.uint8)}
    assert [decoded(p.tobytes()).mean() for p in pictures] == pytest.approx(list(levels), abs=2)


def test_the_same_pictures_give_the_same_bytes() -> None:
    assert packed([small(part_picture(n)) for n in range(3)]) == packed([small(part_picture(n)) for n in range(3)])
