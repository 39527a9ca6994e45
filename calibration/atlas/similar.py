"""Pictures nearest to one picture: by embedding among folders, by patches among the goods of the bank.

A recipe keeps no embeddings of its goods, and those of its thumbnails would not be honest: a thumbnail has at most 128
pixels a side, so the encoder sees it blurred, and what is near would be what is blurred alike. What the recipe does keep
whole is the patches its verdict compares with; so among the bank, a good picture is near when it supplies the nearest ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.atlas.gather import Seen
from edge.errors import BadConfig
from edge.recipe.recipe import Recipe
from edge.types import Floats, PatchGrid

_BLOCK = 256
"""Patches that are compared with the whole bank at a time: 20 MB for 20,000 good patches."""


@dataclass(frozen=True, slots=True)
class Alike:
    """A picture and its cosine distance, 0 (same direction) to 2."""

    seen: Seen
    distance: float


@dataclass(frozen=True, slots=True)
class Supplier:
    """A good picture of the bank.

    places: at how many places of the picture in question its patch is the nearest of all; distance: the mean there, in the
    units of the recipe's patches; in_bank: how many of its patches the bank kept, since one that has many can win often.
    """

    picture: str
    number: int
    places: int
    distance: float
    in_bank: int


def cosine_distances(one: Floats, many: Floats) -> Floats:
    """D and n×D to n: 1 - cosine of the angle between embeddings, which does not depend on what else is compared.

    Raises:
        BadConfig: an embedding is zero and has no direction.
    """
    lengths = np.linalg.norm(many.astype(np.float64), axis=1)
    length = float(np.linalg.norm(one.astype(np.float64)))
    if length == 0 or not lengths.all():
        raise BadConfig("a picture's embedding is zero, so it has no direction to compare; export the encoder again.")
    return np.asarray(1 - many.astype(np.float64) @ one / (lengths * length), np.float32)


def nearest_pictures(one: Floats, seen: Sequence[Seen], most: int) -> list[Alike]:
    """At most `most` pictures, nearest first."""
    distances = cosine_distances(one, np.stack([each.embedding for each in seen]))
    order = np.argsort(distances, kind="stable")[:most]
    return [Alike(seen[i], max(0.0, float(distances[i]))) for i in order.tolist()]


def suppliers(recipe: Recipe, grid: PatchGrid, most: int) -> list[Supplier]:
    """Which good pictures supply the nearest patches, by exact search at all watched places; most places first."""
    watched = np.flatnonzero(recipe.normal.watched.ravel())
    matrix = recipe.bank.matrix
    squares = np.einsum("ij,ij->i", matrix, matrix)
    rows = np.empty(len(watched), np.intp)
    for start in range(0, len(watched), _BLOCK):
        patches = grid.patches[watched[start : start + _BLOCK]]
        # |a - b|² less |a|², which is the same for every b
        rows[start : start + _BLOCK] = (squares - 2 * patches @ matrix.T).argmin(axis=1)
    apart = np.linalg.norm(grid.patches[watched] - matrix[rows], axis=1)
    pictures = recipe.origin[rows, 0]
    kept = np.bincount(recipe.origin[:, 0], minlength=len(recipe.manifest.goods.bank))
    numbers, places = np.unique(pictures, return_counts=True)
    means = [math.fsum(apart[pictures == number].tolist()) / count for number, count in zip(numbers, places, strict=True)]
    order = np.lexsort((np.array(means), -places))[:most]
    names = recipe.manifest.goods.bank
    return [
        Supplier(names[int(numbers[i])].picture, int(numbers[i]), int(places[i]), means[i], int(kept[numbers[i]]))
        for i in order.tolist()
    ]
