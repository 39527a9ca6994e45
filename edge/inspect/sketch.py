"""A short sketch of a patch: enough to find good patches near it, and to tell quickly which ones cannot be nearest.

A patch of d numbers is projected on k orthonormal axes, the ones along which good patches differ most. A projection never
lengthens a difference, ‖S(a) - S(b)‖ ≤ ‖a - b‖, so sketches bound distances from below. Where d ≤ k nothing is lost.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge.types import Doubles, Floats

UNIT_ROUNDOFF = 2.0**-24
"""Of float32. A sum of n products is off by at most n·u relative to its terms (Higham, Accuracy and Stability, ch. 3)."""


@dataclass(frozen=True)
class Sketch:
    """axes: d×k float32 whose columns are orthonormal but for rounding."""

    axes: Floats

    def __call__(self, patches: Floats) -> Floats:
        """P×d patches to P×k float32."""
        return patches @ self.axes

    @cached_property
    def rounding(self) -> float:
        """How far a squared distance of sketches in float32 may exceed that of the patches, relative to (‖a‖ + ‖b‖)².

        A coordinate is off by at most d·u of the patch's norm, a sketch by √k times that, and the squared distance by twice
        its product with the distance. The axes lengthen by what they are not orthonormal. Norms and sum add their own.
        """
        d, k = map(int, self.axes.shape)
        gram = self.axes.T.astype(np.float64) @ self.axes
        stretch = max(float(np.linalg.norm(gram, 2)) - 1, 0.0)
        return stretch + (2 * d * math.sqrt(k) + 2 * k + 8) * UNIT_ROUNDOFF


def squares(rows: Floats) -> Floats:
    """Squared norm of each row, float32."""
    return np.asarray(np.einsum("ij,ij->i", rows, rows))


def widened(squared: Floats, dim: int) -> Doubles:
    """Distances out of float32 squared distances over `dim` numbers, never below the true ones."""
    return np.asarray(np.sqrt(squared.astype(np.float64) * (1 + (dim + 3) * UNIT_ROUNDOFF)))
