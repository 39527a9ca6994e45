"""Which patches of an accepted part become good ones: few, and only where the part stood out."""

import numpy as np
from numpy.typing import NDArray

from edge.recipe.recipe import Recipe, TaughtPart
from edge.types import PatchGrid


def choose_patches(recipe: Recipe, grid: PatchGrid, picture: str, most: int, reach: int) -> TaughtPart:
    """At most `most` patches of places where the part lies above what is OK.

    Each one takes away as much as any could of what all places lie above it together, until none does. That sum never
    falls faster later than earlier, so the greedy choice takes at least 1 - 1/e of what the best choice of as many would
    (Nemhauser, Wolsey & Fisher 1978).
    """
    limit, normal = recipe.manifest.doubtful_above, recipe.normal
    found = recipe.bank.find(grid)
    above = np.flatnonzero((normal.z(found.distances) > limit) & normal.watched.ravel())
    recipe.bank.verify(found, above)
    z = normal.z(found.distances[above], above)
    places, excess = above[z > limit], z[z > limit] - limit
    if_taught = _excess_beside(recipe, grid, places, reach)
    chosen: list[int] = []
    while excess.any() and len(chosen) < most:
        best = int(np.minimum(excess, if_taught).sum(axis=1).argmin())
        chosen.append(best)
        excess = np.minimum(excess, if_taught[best])
    return TaughtPart(picture, grid.patches[places[chosen]].copy(), places[chosen])


def _excess_beside(recipe: Recipe, grid: PatchGrid, places: NDArray[np.intp], reach: int) -> NDArray[np.float64]:
    """Row i: by how much each place would lie above what is OK if the patch of the i-th were the only good one."""
    patches = grid.patches[places].astype(np.float64)
    rows, cols = np.divmod(places, grid.cols)
    beside = np.full((len(places), len(places)), np.inf)
    for i, patch in enumerate(patches):
        near = np.flatnonzero(np.maximum(abs(rows - rows[i]), abs(cols - cols[i])) <= reach)
        distances = np.linalg.norm(patches[near] - patch, axis=1)
        beside[i, near] = np.maximum(recipe.normal.z(distances, places[near]) - recipe.manifest.doubtful_above, 0)
    return beside
