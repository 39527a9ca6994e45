"""Good parts with a faint mark that the recipe has not learned, as a person would accept them."""

from pathlib import Path

import cv2
import numpy as np

from tests.conftest import part_picture


def stained(seed: int, at: tuple[int, int] = (30, 20)) -> np.ndarray:
    """The part of this seed with a faint blot at a place of the picture; its score is 2 to 3 thresholds."""
    plate = part_picture(seed)
    blot = cv2.circle(plate.copy(), at, 3, (255, 255, 255), -1, cv2.LINE_AA)
    return cv2.addWeighted(plate, 0.9, blot, 0.1, 0)


def write_stained(folder: Path, seeds: range) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        cv2.imwrite(str(folder / f"part-{seed:03d}.png"), stained(seed))
    return folder
