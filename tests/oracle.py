"""The same answers, worked out the slow and obvious way."""

import math

import numpy as np

from edge.inspect.score import Normal, counted
from edge.types import Doubles, Floats, ScoreKind


def nearest(matrix: Floats, patches: Floats) -> Doubles:
    """Distance of each patch to its nearest row, every difference in float64."""
    rows = matrix.astype(np.float64)
    return np.array([math.sqrt(min(np.einsum("ij,ij->i", d, d))) for d in (p.astype(np.float64) - rows for p in patches)])


def z(matrix: Floats, normal: Normal, patches: Floats) -> Doubles:
    """Of the places that are watched."""
    every = (nearest(matrix, patches) - normal.mean.ravel()) / normal.std.ravel()
    return every[normal.watched.ravel()]


def score(z: Doubles, kind: ScoreKind) -> float:
    top = sorted(z)[-counted(kind, len(z)) :]
    return math.fsum(top) / len(top)


def k_centre(patches: Floats, size: int, first: int) -> list[int]:
    """Greedy k-centre, one centre at a time, in float64."""
    points = patches.astype(np.float64)
    chosen = [first]
    distance = np.linalg.norm(points - points[first], axis=1)
    while len(chosen) < size:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return chosen
