"""The pictures on which ways to judge are compared: goods left out, and the same damaged, or defects that are given."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.goods import Good
from calibration.judgement import LEFT_OUT, Trial
from calibration.memory import Sample
from calibration.progress import Steps
from calibration.pseudo import DAMAGES, damaged
from calibration.reader import Reader, kept
from edge.capture.pictures import list_pictures
from edge.inspect.geometry import to_box
from edge.types import PatchGrid, Pixels

_MOST_DEFECTS = 200


def make_trial(
    goods: Sequence[Good],
    sample: Sample,
    numbers: NDArray[np.intp],
    defects: Path | None,
    reader: Reader,
    seed: int,
    steps: Steps,
) -> Trial:
    """Leave the last parts of the sample out of the trial's bank. numbers: which of the goods the sample shows.

    Raises:
        BadConfig, BadPicture: the defects cannot be listed or read.
    """
    bank = Sample(sample.grids[:-LEFT_OUT], sample.parts[:-LEFT_OUT])
    left_out = [goods[i] for i in numbers[-LEFT_OUT:]]
    if defects:
        paths = list_pictures(defects)
        drawn = np.random.default_rng(seed).permutation(len(paths))[:_MOST_DEFECTS]
        given = [Good(paths[i], paths[i].stem, "") for i in drawn]
        # A reader of its own: what a fit picture looks like is learned from goods alone.
        apart = Reader(reader.eye)
        found = tuple(apart.kept(good)[0] for good in steps.track(given, "encoding defects"))
        return Trial(bank, sample.grids[-LEFT_OUT:], found, None)
    painted = _paint(left_out, reader, np.random.default_rng(seed), steps)
    return Trial(bank, sample.grids[-LEFT_OUT:], painted, np.repeat(np.arange(LEFT_OUT), len(DAMAGES)))


def _paint(goods: list[Good], reader: Reader, rng: np.random.Generator, steps: Steps) -> tuple[PatchGrid, ...]:
    """One picture of each kind of damage for each part, inside what is looked at."""
    donor = _seen(*reader(goods[-1]))
    found = []
    for good in steps.track(goods, "painting defects"):
        grid, pixels = reader(good)
        region = _seen(grid, pixels)
        for kind in DAMAGES:
            picture = pixels.copy()
            _seen(grid, picture)[:] = damaged(region, donor, kind, rng)
            found.append(kept(reader.encode(picture, good)))
        donor = region
    return tuple(found)


def _seen(grid: PatchGrid, pixels: Pixels) -> Pixels:
    """The box of a picture that a grid looks at; no copy."""
    x, y, width, height = to_box(grid.to_picture, 0, 0, grid.cols, grid.rows, pixels.shape[1], pixels.shape[0])
    return pixels[y : y + height, x : x + width]
