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


JUDGED = 240
"""Good pictures, and as many of defects, by whose verdicts a file is judged; each is asked of torch once."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Pictures, each H×W×3 uint8 BGR of the graph's size.

    calibration: for the INT8 ranges; parity: for the proof, other ones than those as far as there are enough; goods: for
    verdicts, all of them up to a limit; defects: the same of defective parts.
    """

    calibration: tuple[Pixels, ...]
    parity: tuple[Pixels, ...]
    goods: tuple[Pixels, ...] = ()
    defects: tuple[Pixels, ...] = ()


def choose(folder: Path, calibration: int, seed: int, height: int, width: int, *, defects: Path | None = None) -> Chosen:
    """Choose up to `calibration` pictures for the ranges (0: FP32 needs none), up to 16 for the proof and 240 for verdicts.

    Raises:
        BadConfig: a folder holds no pictures.
        BadPicture: a chosen file is not a usable picture.
        TooFewGoods: there are fewer than 16 for the ranges.
    """
    paths = list_pictures(folder)
    if calibration and len(paths) < FEWEST_CALIBRATION:
        raise TooFewGoods(
            f"{folder}: {len(paths)} pictures; INT8 calibration needs at least {FEWEST_CALIBRATION}: add good ones, "
            "or take --profile fp32."
        )
    ordered = _shuffled(paths, seed)
    return Chosen(
        calibration=_read(ordered[:calibration], height, width),
        parity=_read(ordered[-PARITY:], height, width),
        goods=_read(ordered[:JUDGED], height, width),
        defects=_read(_shuffled(list_pictures(defects), seed)[:JUDGED], height, width) if defects else (),
    )


def _shuffled(paths: Sequence[Path], seed: int) -> list[Path]:
    return [paths[i] for i in np.random.default_rng(seed).permutation(len(paths))]


def _read(paths: Sequence[Path], height: int, width: int) -> tuple[Pixels, ...]:
    return tuple(fit_size(read_picture(path), height, width) for path in paths)


def synthetic(seed: int, height: int, width: int, count: int = 4) -> tuple[Pixels, ...]:
    """Coloured noise from coarse to fine: no picture of anything, but it excites every layer and every edge."""
    rng = np.random.default_rng(seed)
    return tuple(
        fit_size(rng.integers(0, 256, (4 << level, 4 << level, 3), dtype=np.uint8), height, width)
        for level in range(1, count + 1)
    )
