"""A picture file becomes pixels, or one sentence why not. Calibration and device read through this one door."""

import os
import stat
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import BadConfig, BadPicture
from edge.types import Pixels, Reason

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})

MAX_FILE_BYTES = 256 * 1024 * 1024

_BITS = 8
_LIMIT = "CV_IO_MAX_IMAGE_PIXELS"
"""In OpenCV's own words when a header claims too many; `edge` says how many."""


def list_pictures(folder: Path) -> list[Path]:
    """Everything directly in `folder` that is named like a picture, by name; reading it tells whether it is one.

    Raises:
        BadConfig: the folder is missing, unreadable, or holds no picture.
    """
    try:
        found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    except OSError as err:
        raise BadConfig(f"{folder}: cannot be listed: {err.strerror}; give a folder of pictures.") from None
    if not found:
        raise BadConfig(f"{folder}: holds no pictures ({', '.join(sorted(SUFFIXES))}); give a folder that does.")
    return found


def read_picture(path: Path) -> Pixels:
    """Pixels of a picture file, H×W×3 uint8 BGR; a grey file gives three equal channels.

    Raises:
        BadPicture: the file is missing, empty, truncated, too large, no picture, not 8 bits a channel, or transparent.
    """
    try:
        found = path.stat()
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            # Reading a pipe or a device could wait for ever; a directory says so itself.
            raise BadPicture(f"{path}: is not a file.", Reason.UNREADABLE)
        if found.st_size > MAX_FILE_BYTES:
            raise BadPicture(f"{path}: larger than {MAX_FILE_BYTES >> 20} MB.", Reason.UNREADABLE)
        raw = path.read_bytes()
    except OSError as err:
        raise BadPicture(f"{path}: cannot be read: {err.strerror}.", Reason.UNREADABLE) from None
    return decode_picture(raw, path)


def decode_picture(raw: bytes, name: object) -> Pixels:
    """Like `read_picture`, from bytes that are already in memory; `name` is what an error calls them."""
    if not raw:
        raise BadPicture(f"{name}: the file is empty.", Reason.UNREADABLE)
    # OpenCV fills the missing part of a cut-off JPEG with grey and reports success.
    if _is_cut_off(raw):
        raise BadPicture(f"{name}: the file is cut off; copy it again.", Reason.UNREADABLE)
    # Of floating-point numbers, fewer pixels than are let through take all memory of the unit.
    if (bits := _bits_of_tiff(raw)) > _BITS:
        raise _too_deep(name, bits)
    try:
        # Depth and alpha are looked at before they are converted away; stored orientation is ignored on both sides.
        pixels = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as err:
        if _LIMIT in err.err:
            most = int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"])
            raise BadPicture(
                f"{name}: claims more than {most:,} pixels and is not decoded; make the picture smaller.", Reason.UNREADABLE
            ) from None
        raise BadPicture(f"{name}: not a picture OpenCV can decode ({err.err}).", Reason.UNREADABLE) from None
    if pixels is None or pixels.size == 0:
        raise BadPicture(f"{name}: not a picture, or damaged.", Reason.UNREADABLE)
    return to_bgr(pixels, name)


def to_bgr(pixels: NDArray[Any], name: object) -> Pixels:
    """What OpenCV gave, a file's pixels or a camera's, as H×W×3 uint8 BGR.

    Raises:
        BadPicture: not 8 bits a channel, transparent, or neither 1, 3 nor 4 channels.
    """
    if pixels.dtype != np.uint8:
        raise _too_deep(name, pixels.dtype.itemsize * 8)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]  # noqa: PLR2004 - two axes: height and width
    match channels:
        case 1:
            return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), np.uint8)
        case 3:
            return np.asarray(pixels, np.uint8)
        case 4 if int(pixels[..., 3].min()) == 255:  # noqa: PLR2004 - opaque everywhere
            return np.ascontiguousarray(pixels[..., :3])
        case 4:
            raise BadPicture(f"{name}: has transparent pixels; save it without alpha channel.", Reason.UNREADABLE)
        case _:
            raise BadPicture(f"{name}: has {channels} channels; 1 or 3 are wanted.", Reason.UNREADABLE)


def _is_cut_off(raw: bytes) -> bool:
    """Whether a file of a format that says where it ends does not reach there."""
    if raw.startswith(b"\xff\xd8"):  # JPEG: End Of Image; some cameras pad with zeros behind it
        return not raw.rstrip(b"\x00").endswith(b"\xff\xd9")
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return b"IEND\xaeB`\x82" not in raw[-64:]
    if raw.startswith(b"BM") and len(raw) >= 6:  # noqa: PLR2004 - file size stands at bytes 2 to 5
        return len(raw) < int(struct.unpack_from("<I", raw, 2)[0])
    if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
        return len(raw) < int(struct.unpack_from("<I", raw, 4)[0]) + 8
    return False


def _too_deep(name: object, bits: int) -> BadPicture:
    return BadPicture(f"{name}: has {bits} bits a channel; set the camera to 8 bits.", Reason.WRONG_DEPTH)


_BITS_PER_SAMPLE = 258
_INLINE = {"H": 2, "Q": 4}
"""How many shorts stand in an entry itself; more of them stand where it points to."""
_MOST_ENTRIES = 2**16 - 1
"""libtiff refuses a directory of more."""


def _bits_of_tiff(raw: bytes) -> int:
    """Bits a channel as a TIFF's first directory says (TIFF 6.0, section 8; BigTIFF); 0: it does not, or this is no TIFF."""
    order = {b"II": "<", b"MM": ">"}.get(raw[:2])
    if order is None:
        return 0
    try:
        (version,) = struct.unpack_from(f"{order}H", raw, 2)
        # BigTIFF: numbers of entries, values and places take eight bytes each instead of two and four.
        many, number, first = ("Q", "Q", 8) if version == 43 else ("H", "I", 4)  # noqa: PLR2004 - 42 is the usual TIFF
        (at,) = struct.unpack_from(f"{order}{number}", raw, first)
        (entries,) = struct.unpack_from(f"{order}{many}", raw, at)
        entry = struct.Struct(f"{order}HH{number}")
        at += struct.calcsize(f"{order}{many}")
        for _ in range(min(entries, _MOST_ENTRIES)):
            tag, _, values = entry.unpack_from(raw, at)
            at += entry.size
            if tag == _BITS_PER_SAMPLE:
                if values > _INLINE[many]:
                    (at,) = struct.unpack_from(f"{order}{number}", raw, at)
                return int(struct.unpack_from(f"{order}H", raw, at)[0])
            at += struct.calcsize(f"{order}{number}")
    except (struct.error, OverflowError):
        return 0  # it ends before, which the decoder says
    return 0
