"""The layout of labelled pictures, as public data sets have it.

``good/`` and one folder for each kind of defect. Masks, if there are any, stand in ``ground_truth/<kind>/<name>_mask.png``
beside the test folder or in it.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import BadConfig, BadPicture
from edge.types import Reason

GOOD = "good"
MASKS = "ground_truth"


def kinds_in(folder: Path) -> list[str]:
    """The folders of a test set, `good` first if it is there.

    Raises:
        BadConfig: it cannot be listed, or holds no folders.
    """
    try:
        kinds = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name != MASKS and not p.name.startswith("."))
    except OSError as err:
        raise BadConfig(f"{folder}: cannot be listed: {err.strerror}.") from None
    if not kinds:
        raise BadConfig(f"{folder}: holds no folders; put good pictures into good/ and each kind of defect into its own.")
    return sorted(kinds, key=lambda kind: kind != GOOD)


def truth_of(path: Path, kind: str, folder: Path) -> NDArray[np.uint8] | None:
    """The mask that people drew of a picture's defect, H×W uint8 of its own size, above 0 where it is; None without one.

    Raises:
        BadPicture: the mask cannot be read.
    """
    masks = _masks_of(folder)
    mask_path = masks / kind / f"{path.stem}_mask.png" if masks else None
    if mask_path is None or not mask_path.is_file():
        return None
    mask = cv2.imdecode(np.frombuffer(mask_path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise BadPicture(f"{mask_path}: not a picture, or damaged.", Reason.UNREADABLE)
    return np.asarray(mask, np.uint8)


def truth_at(path: Path, kind: str, folder: Path, size: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Where the defect of a picture is, at height and width of `size`; nowhere in goods, None where nobody has drawn it.

    Raises:
        BadPicture: the mask cannot be read.
    """
    if kind == GOOD:
        return np.zeros(size, np.bool_) if _masks_of(folder) else None
    mask = truth_of(path, kind, folder)
    return None if mask is None else np.asarray(cv2.resize(mask, size[::-1], interpolation=cv2.INTER_NEAREST) > 0)


def _masks_of(folder: Path) -> Path | None:
    return next((p for p in (folder / MASKS, folder.parent / MASKS) if p.is_dir()), None)
