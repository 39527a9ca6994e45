"""How strange a picture is: exact, at the price of an approximate search.

An HNSW distance is the distance to *some* good patch, so it is never below the distance to the nearest one. The walk takes
patches from the largest approximate value down, measures each exactly, and stops when the values it needs are all at least
as large as the next approximate one: no patch that was left out can reach them. The score equals brute force.

Before patches are ranked, each distance is compared with what goods do at that place of the picture:
``z = (d - mean) / std``. z grows with d, so an upper bound stays one.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.inspect.bank import Bank
from edge.types import AnomalyMap, Doubles, Floats, PatchGrid, Score, ScoreKind

_FIRST_BLOCK = 16
_TOP_SHARE = 0.01
_EVERYWHERE = slice(None)


@dataclass(frozen=True, slots=True)
class Normal:
    """What distances good parts show at each place. mean, std: rows×cols float32, in distance units; std > 0."""

    mean: Floats
    std: Floats

    def z(self, distances: Doubles, places: NDArray[np.intp] | slice = _EVERYWHERE) -> Doubles:
        """Distances to z; `places` says which places of the grid (row by row) the distances belong to."""
        return np.asarray((distances - self.mean.ravel()[places]) / self.std.ravel()[places])


def counted(kind: ScoreKind, patches: int) -> int:
    """How many of the highest patch values make the score."""
    return max(1, math.ceil(_TOP_SHARE * patches)) if kind == "top1" else 1


def measure(bank: Bank, normal: Normal, grid: PatchGrid, kind: ScoreKind) -> tuple[Score, AnomalyMap]:
    """Score one picture and map it.

    The score is exact. In the map, the patches that the walk measured are exact and the others hold their upper bound,
    which is an HNSW miss too high at worst. A NaN or infinite patch gives a NaN score.
    """
    if not np.isfinite(grid.patches).all():
        return Score(math.nan, kind, 0), AnomalyMap(np.full((grid.rows, grid.cols), np.nan, np.float32))
    z = normal.z(bank.nearest_at_most(grid.patches))
    wanted = counted(kind, len(z))
    order = np.argsort(-z, kind="stable")
    verified = 0
    lowest_counted = -math.inf
    while verified < len(order) and (verified < wanted or z[order[verified]] > lowest_counted):
        # The first block is the likely answer; the rest comes in small steps, since most pictures need none.
        size = max(wanted, _FIRST_BLOCK) if verified == 0 else _FIRST_BLOCK
        block = order[verified : verified + size]
        z[block] = normal.z(bank.nearest(grid.patches[block]), block)
        verified += len(block)
        exact = z[order[:verified]]
        lowest_counted = float(np.partition(exact, len(exact) - wanted)[len(exact) - wanted])
    top = np.sort(z[order[:verified]])[-wanted:]
    heat = z.astype(np.float32).reshape(grid.rows, grid.cols)
    # fsum: the mean must not depend on the order in which patches were visited.
    return Score(math.fsum(top) / wanted, kind, verified), AnomalyMap(heat)
