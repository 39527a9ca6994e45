"""What the memory bank needs besides its coreset: axes of the sketch, and how far good parts lie from other good parts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.coreset import Coreset
from edge.inspect.sketch import Sketch, squares
from edge.types import Floats, PatchGrid

SKETCH_DIM = 48
"""Measured on real cells, banks of 1,000 to 100,000: fewer numbers leave more good patches to measure than they spare, more
cost more than they spare. A multiple of 16 fills the registers."""

SAMPLE_PARTS = 100
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


def learn_sketch(sample: Sample) -> Sketch:
    """The axes along which good patches differ most (principal components, about the mean)."""
    patches = np.concatenate([grid.patches for grid in sample.grids[:_AXES_PICTURES]])
    _, axes = np.linalg.eigh(np.cov(patches, rowvar=False, dtype=np.float64).reshape(patches.shape[1], -1))
    return Sketch(np.ascontiguousarray(axes[:, ::-1][:, :SKETCH_DIM], dtype=np.float32))


def remember(coreset: Coreset, sketch: Sketch, sample: Sample, parts: NDArray[np.int32]) -> Memory:
    """Measure the sample against the coreset. parts: the part number of every picture that went into the coreset."""
    owners = parts[coreset.origin[:, 0]]
    sketches = sketch(coreset.matrix)
    turned, lengths = np.ascontiguousarray(-2 * sketches.T), squares(sketches)
    apart, radius = [], 0.0
    for grid, part in zip(sample.grids, sample.parts, strict=True):
        lower = sketch(grid.patches) @ turned
        lower += lengths
        radius = max(radius, float(_distance(grid.patches, coreset.matrix, lower).max()))
        lower[:, owners == part] = np.inf
        apart.append(_distance(grid.patches, coreset.matrix, lower).reshape(grid.rows, grid.cols))
    return Memory(coreset.matrix, sketch, coreset.origin, coreset.patches, radius, np.stack(apart))


def _distance(patches: Floats, matrix: Floats, lower: Floats) -> Floats:
    """Distance to the good patch whose sketch is nearest: hardly ever more than to the nearest one, and never less."""
    return np.asarray(np.sqrt(squares(patches - matrix[lower.argmin(axis=1)])))
