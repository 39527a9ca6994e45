"""What the memory bank needs besides its coreset: axes of the sketch, and how far good parts lie from other good parts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.coreset import Coreset
from edge.inspect.sketch import Sketch, squares
from edge.types import Floats, PatchGrid

Places = NDArray[np.intp]
"""Numbers of the places that are watched, row by row."""

SKETCH_DIM = 48
"""Measured on real cells, banks of 1,000 to 100,000: fewer numbers leave more good patches to measure than they spare, more
cost more than they spare. A multiple of 16 fills the registers."""

SAMPLE_PARTS = 80
"""Parts that teach axes and normal values: one picture of each, smoothed over places, says enough; more costs only time."""

_AXES_PICTURES = 50


@dataclass(frozen=True, slots=True)
class Sample:
    """Good pictures of different parts. grids: one each; parts: their part numbers."""

    grids: tuple[PatchGrid, ...]
    parts: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Memory:
    """A bank before it has an index.

    origin, patches: as in `Coreset`; radius: no patch of the sample is further from its nearest good patch; apart:
    N×rows×cols float32, how far the sample's patches are from the good patches of other parts.
    """

    matrix: Floats
    sketch: Sketch
    origin: NDArray[np.int32]
    patches: int
    radius: float
    apart: Floats


def learn_sketch(sample: Sample, watched: Places) -> Sketch:
    """The axes along which good patches differ most (principal components, about the mean)."""
    patches = np.concatenate([grid.patches[watched] for grid in sample.grids[:_AXES_PICTURES]])
    _, axes = np.linalg.eigh(np.cov(patches, rowvar=False, dtype=np.float64).reshape(patches.shape[1], -1))
    return Sketch(np.ascontiguousarray(axes[:, ::-1][:, :SKETCH_DIM], dtype=np.float32))


def remember(coreset: Coreset, sketch: Sketch, sample: Sample, parts: NDArray[np.int32], watched: Places) -> Memory:
    """Measure the sample against the coreset. parts: the part number of every picture that went into the coreset."""
    owners = parts[coreset.origin[:, 0]]
    apart, radius = [], 0.0
    for grid, part in zip(sample.grids, sample.parts, strict=True):
        own = owners == part
        others = nearest(grid.patches, coreset.matrix[~own])
        apart.append(others.reshape(grid.rows, grid.cols))
        to_any = np.minimum(others, nearest(grid.patches, coreset.matrix[own])) if own.any() else others
        radius = max(radius, float(to_any[watched].max()))
    return Memory(coreset.matrix, sketch, coreset.origin, coreset.patches, radius, np.stack(apart))


def nearest(patches: Floats, matrix: Floats) -> Floats:
    """Distance of each of P×d patches to the nearest of n×d rows, but for float32 rounding: enough to learn from."""
    lower = patches @ np.ascontiguousarray(-2 * matrix.T)
    lower += squares(matrix)
    return np.asarray(np.sqrt(squares(patches - matrix[lower.argmin(axis=1)])))
