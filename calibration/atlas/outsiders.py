"""Pictures that lie far from their kind: amid another one, or alone.

Both are asked of the whole standardised embedding, never of the plane, which bends distances.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from edge.types import Doubles

NEIGHBOURS = 10
_HALF = 0.5
_FAR = 3.5
"""Modified z-score from which a value is an outlier (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993)."""

_NORMAL_MAD = 0.6745
"""Median absolute deviation of a standard normal."""

_NEAREST_TOGETHER = 1e-9


@dataclass(frozen=True, slots=True)
class Outsider:
    """A picture by its number.

    amid: of its `asked` nearest pictures more than half, `others` in number, are of other kinds, mostly of `among`.
    alone: its mean distance to the nearest ones of its own kind is a modified z-score of `far` above what is usual there.
    """

    number: int
    how: Literal["amid", "alone"]
    others: int = 0
    asked: int = 0
    among: str = ""
    far: float = 0.0


def outsiders(standard: Doubles, kinds: Sequence[str]) -> list[Outsider]:
    """Those amid others first, the most surrounded ones ahead; then those that are alone, the farthest ahead.

    standard: n×D standardised embeddings. A picture that is amid others is not named again as alone.
    """
    amid = _amid(standard, kinds)
    named = {each.number for each in amid}
    return amid + [each for each in _alone(standard, kinds) if each.number not in named]


def _amid(standard: Doubles, kinds: Sequence[str]) -> list[Outsider]:
    """The k-nearest-neighbour rule disagrees with the label (edited nearest neighbours: Wilson 1972).

    A picture asks at most as many neighbours as its kind can give, so a small kind is not outvoted for being small. A
    kind of one picture has none to ask.
    """
    sizes = Counter(kinds)
    if len(sizes) == 1:
        return []
    most = min(NEIGHBOURS, max(sizes.values()) - 1)
    if most < 1:
        return []
    distances, nearest = _neighbours(standard, most)
    found = []
    for number, kind in enumerate(kinds):
        asked = min(most, sizes[kind] - 1)
        met = Counter(kinds[other] for other in nearest[number, :asked])
        strangers = [(count, name) for name, count in met.items() if name != kind]
        others = sum(count for count, _ in strangers)
        if others > asked * _HALF:
            found.append((others / asked, distances[number, 0], Outsider(number, "amid", others, asked, max(strangers)[1])))
    return [each for _, _, each in sorted(found, key=lambda f: (-f[0], f[1]))]


def _alone(standard: Doubles, kinds: Sequence[str]) -> list[Outsider]:
    """Mean distance to the k nearest of the own kind (Angiulli and Pizzuti 2002), against its median and spread there."""
    found = []
    for kind in dict.fromkeys(kinds):
        members = np.flatnonzero([each == kind for each in kinds])
        if len(members) <= NEIGHBOURS:
            continue  # too few to say what is usual
        apart = _neighbours(standard[members], NEIGHBOURS)[0].mean(axis=1)
        for member, far in zip(members.tolist(), modified_z(apart).tolist(), strict=True):
            if far > _FAR:
                found.append(Outsider(member, "alone", far=far))
    return sorted(found, key=lambda each: -each.far)


def modified_z(values: Doubles) -> Doubles:
    """0.6745 (x - median) / MAD (Iglewicz and Hoaglin 1993); all 0 where half of the values are the same."""
    apart = values - np.median(values)
    mad = float(np.median(np.abs(apart)))
    if mad <= _NEAREST_TOGETHER * max(1.0, float(np.abs(values).max())):
        return np.zeros_like(values)
    return np.asarray(_NORMAL_MAD * apart / mad)


def _neighbours(points: Doubles, most: int) -> tuple[Doubles, NDArray[np.intp]]:
    """Euclidean distances and numbers of the nearest others, n×most, nearest first; no point is its own neighbour."""
    distances, numbers = NearestNeighbors(n_neighbors=most).fit(points).kneighbors()
    return np.asarray(distances), np.asarray(numbers)
