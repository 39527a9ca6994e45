"""Good pictures for the exporter: chosen by seed, read through the device's own door, fitted to the graph's size."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.capture.pictures import list_pictures, read_picture
from edge.errors import TooFewGoods
from edge.inspect.encoder import fit_size
from edge.types import Pixels

FEWEST_CALIBRATION = 16
"""Ranges from fewer pictures leave too much of the next one outside."""

PARITY = 16
"""Enough to meet every layer's extremes, few enough to take seconds."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Pictures, each H×W×3 uint8 BGR of the graph's size.

    calibration: for the INT8 ranges; parity: for the proof, other ones than those as far as there are enough.
    """

    calibration: tuple[Pixels, ...]
    parity: tuple[Pixels, ...]


def choose(folder: Path, calibration: int, seed: int, height: int, width: int) -> Chosen:
    """Choose up to `calibration` pictures for the ranges (0: FP32 needs none) and up to 16 for the proof.

    Raises:
        BadConfig: the folder holds no pictures.
        BadPicture: a chosen file is not a usable picture.
        TooFewGoods: there are fewer than 16 for the ranges.
    """
    paths = list_pictures(folder)
    if calibration and len(paths) < FEWEST_CALIBRATION:
        raise TooFewGoods(
            f"{folder}: {len(paths)} pictures; INT8 calibration needs at least {FEWEST_CALIBRATION}: add good ones, "
            "or take --precision fp32."
        )
    order = np.random.default_rng(seed).permutation(len(paths))
    return Chosen(
        calibration=_read([paths[i] for i in order[:calibration]], height, width),
        parity=_read([paths[i] for i in order[-PARITY:]], height, width),
    )


def _read(paths: Sequence[Path], height: int, width: int) -> tuple[Pixels, ...]:
    return tuple(fit_size(read_picture(path), height, width) for path in paths)


def synthetic(seed: int, height: int, width: int, count: int = 4) -> tuple[Pixels, ...]:
    """Coloured noise from coarse to fine: no picture of anything, but it excites every layer and every edge."""
    rng = np.random.default_rng(seed)
    return tuple(
        fit_size(rng.integers(0, 256, (4 << level, 4 << level, 3), dtype=np.uint8), height, width)
        for level in range(1, count + 1)
    )
