"""A file is a picture of 8 bits a channel, whole, or it is refused with the reason."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.capture.pictures import list_pictures, read_picture
from edge.errors import BadConfig, BadPicture
from edge.types import Reason
from tests.conftest import part_picture

FORMATS = [".png", ".jpg", ".bmp", ".tiff", ".webp"]


def encoded(suffix: str, pixels: np.ndarray) -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_colour_pixels(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"part{suffix}"
    path.write_bytes(encoded(suffix, part_picture(1)))
    pixels = read_picture(path)
    assert (pixels.shape, pixels.dtype) == ((120, 160, 3), np.uint8)
    assert np.abs(pixels.astype(int) - part_picture(1)).mean() < 5


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.9, 0.999])
def test_a_picture_cut_off_anywhere_is_unreadable(tmp_path: Path, suffix: str, share: float) -> None:
    raw = encoded(suffix, part_picture(1))
    path = tmp_path / f"part{suffix}"
    path.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(BadPicture) as caught:
        read_picture(path)
    assert caught.value.reason is Reason.UNREADABLE
    assert path.name in str(caught.value)


def test_a_grey_file_gives_three_equal_channels(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    path.write_bytes(encoded(".png", part_picture(1)[..., 0]))
    pixels = read_picture(path)
    assert pixels.shape == (120, 160, 3)
    assert (pixels == pixels[..., :1]).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_more_than_8_bits_a_channel_is_refused(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "deep.tiff"
    path.write_bytes(encoded(".tiff", part_picture(1).astype(dtype)))
    with pytest.raises(BadPicture, match="bits a channel") as caught:
        read_picture(path)
    assert caught.value.reason is Reason.WRONG_DEPTH


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_tiff_says_its_depth_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: type, channels: int
) -> None:
    path = tmp_path / "deep.tiff"
    path.write_bytes(encoded(".tiff", np.zeros((9, 9, channels), dtype)))

    def never(*_: object) -> None:
        raise AssertionError("numbers of so many bits take more memory than the unit has")

    monkeypatch.setattr(cv2, "imdecode", never)
    with pytest.raises(BadPicture, match=f"has {8 * np.dtype(dtype).itemsize} bits") as caught:
        read_picture(path)
    assert caught.value.reason is Reason.WRONG_DEPTH


@pytest.mark.parametrize(("version", "number"), [(42, "I"), (43, "Q")])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_depth_stands_in_either_byte_order_in_small_and_in_big_tiffs(
    tmp_path: Path, version: int, number: str, order: str
) -> None:
    head = struct.pack(f"{order}2sH", b"II" if order == "<" else b"MM", version)
    head += struct.pack(">I", 8 << (16 if order == ">" else 24)) if version == 43 else b""  # size of a place, and zero
    at = len(head) + struct.calcsize(f"{order}{number}")
    entries = struct.pack(f"{order}HH{number}H6x", 258, 3, 1, 32)
    path = tmp_path / "deep.tif"
    path.write_bytes(
        head + struct.pack(f"{order}{number}", at) + struct.pack(f"{order}{'Q' if version == 43 else 'H'}", 1) + entries
    )
    with pytest.raises(BadPicture, match="has 32 bits"):
        read_picture(path)
    path.write_bytes(head + b"\xff" * struct.calcsize(number))
    with pytest.raises(BadPicture, match="not a picture"):
        read_picture(path)


def test_an_opaque_alpha_channel_is_dropped_and_a_transparent_one_refused(tmp_path: Path) -> None:
    pixels = cv2.cvtColor(part_picture(1), cv2.COLOR_BGR2BGRA)
    path = tmp_path / "alpha.png"
    path.write_bytes(encoded(".png", pixels))
    assert (read_picture(path) == part_picture(1)).all()
    pixels[5, 5, 3] = 100
    path.write_bytes(encoded(".png", pixels))
    with pytest.raises(BadPicture, match="transparent"):
        read_picture(path)


@pytest.mark.parametrize(
    "raw",
    [b"", b"hello", b"\xff\xd8\xff\xd9", b"\x89PNG\r\n\x1a\n", b"P6\n99999999 99999999\n255\n", b"GIF89a", b"\x00" * 999],
)
def test_what_is_no_picture_is_unreadable(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "part.png"
    path.write_bytes(raw)
    with pytest.raises(BadPicture) as caught:
        read_picture(path)
    assert caught.value.reason is Reason.UNREADABLE


def test_a_damaged_middle_of_a_png_is_unreadable(tmp_path: Path) -> None:
    raw = bytearray(encoded(".png", part_picture(1)))
    raw[len(raw) // 2] ^= 0xFF
    path = tmp_path / "part.png"
    path.write_bytes(raw)
    with pytest.raises(BadPicture):
        read_picture(path)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPicture, match="No such file"):
        read_picture(tmp_path / "absent.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(BadPicture, match="directory"):
        read_picture(tmp_path / "folder.png")


def test_listing_needs_a_folder_with_pictures_and_sorts_them(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be listed"):
        list_pictures(tmp_path / "absent")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(BadConfig, match="holds no pictures"):
        list_pictures(tmp_path)
    for name in ("b.PNG", "a.jpg"):
        (tmp_path / name).touch()
    assert [p.name for p in list_pictures(tmp_path)] == ["a.jpg", "b.PNG"]
