"""A picture that says where to inspect becomes the places of the map that are watched."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.capture.pictures import read_picture
from edge.errors import BadConfig
from edge.inspect.view_card import RoiCard

Mask = NDArray[np.bool_]
"""H×W, as large as the pictures, true where a defect counts; with alignment, drawn on the reference picture."""

_WHITE = 128
_DARKEST_GREY, _LIGHTEST_GREY = 64, 191
_MOST_GREY = 0.05
"""Of the pixels: smooth edges and JPEG leave some grey, a photograph is mostly grey."""

_HALF = 0.5 - 1e-6
"""Sums of floating-point shares may miss a half by rounding."""


def read_mask(path: Path, width: int, height: int) -> Mask:
    """A mask file, white where to inspect and black elsewhere, for pictures of this size in pixels.

    Raises:
        BadConfig: another size, no white, or a photograph instead of black and white.
        BadPicture: the file is no picture.
    """
    grey = np.asarray(cv2.cvtColor(read_picture(path), cv2.COLOR_BGR2GRAY), np.uint8)
    if grey.shape != (height, width):
        raise BadConfig(
            f"{path}: the mask is {grey.shape[1]}×{grey.shape[0]} pixels, the pictures are {width}×{height}; "
            f"draw it on one of the pictures."
        )
    between = float(((grey >= _DARKEST_GREY) & (grey <= _LIGHTEST_GREY)).mean())
    if between > _MOST_GREY:
        raise BadConfig(
            f"{path}: {100 * between:.0f} % of the mask is grey; paint white what to inspect and black the rest."
        )
    mask = grey >= _WHITE
    if not mask.any():
        raise BadConfig(f"{path}: the mask is black everywhere; paint white what to inspect.")
    return mask


def watched(mask: Mask, box: RoiCard, rows: int, cols: int) -> Mask:
    """rows×cols: the places of the map over `box` of which at least half of the area is white.

    rows and cols are those of the whole map, so tiles need no care: together they show the box without a gap.

    Raises:
        BadConfig: no place is.
    """
    inside = mask[box.y : box.y + box.height, box.x : box.x + box.width].astype(np.float64)
    # INTER_AREA weighs by area only where it shrinks.
    repeats = -(-rows // inside.shape[0]), -(-cols // inside.shape[1])
    fine = inside.repeat(repeats[0], axis=0).repeat(repeats[1], axis=1)
    places = np.asarray(cv2.resize(fine, (cols, rows), interpolation=cv2.INTER_AREA) >= _HALF, np.bool_)
    if not places.any():
        raise BadConfig("the mask leaves nothing to inspect: no place of the map is half white; paint larger areas white.")
    return places
