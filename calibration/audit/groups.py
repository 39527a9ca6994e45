"""Do the goods fall into groups: two products, two stations, two settings?

Pictures are gathered by k-means, once by embedding, once by size and once by brightness: together, what does not differ
would hide what does. How many groups there are, and by what, is told by the silhouette (Rousseeuw 1987): how much nearer a
picture is to its own group than to the next, 1 at best. Groups are named only when they are clear, since k-means cuts any
cloud into pieces.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_samples, silhouette_score

from calibration.audit.seen import Seen
from edge.types import Doubles, Floats

By = Literal["looks", "size", "brightness"]

CLEAR: dict[By, float] = {"looks": 0.5, "size": 0.75, "brightness": 0.75}
"""Rousseeuw calls a silhouette above 0.5 reasonable structure, but along one line halves of an even cloud have 0.6 already.
Measured: brightness of cells and tiles and size of tiles at most 0.68; cells of which half got half the light 0.80."""

_MOST_GROUPS, _FEWEST = 5, 20
_SMALLEST = 0.05
"""Of all pictures: fewer are odd ones, not a group."""

_AXES = 8
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Group:
    """Numbers of its pictures, and of some typical ones; brightness in grey levels; size: the most frequent, in pixels."""

    numbers: tuple[int, ...]
    shown: tuple[int, ...]
    brightness: float
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Grouping:
    """groups: largest first, none if they are not clear; by: what they differ by; silhouette: of these groups, -1 to 1."""

    by: By
    silhouette: float
    groups: tuple[Group, ...]


def groups(seen: Sequence[Seen], embeddings: Floats, numbers: NDArray[np.intp], seed: int) -> Grouping:
    """Look for groups among some pictures. embeddings: N×D of all; numbers: which of them."""
    best = Grouping("looks", 0.0, ())
    if len(numbers) < _FEWEST:
        return best
    looks = [seen[i].look for i in numbers]
    described: dict[By, Doubles] = {
        "looks": _axes(embeddings[numbers]),
        "size": np.log([(look.width, look.height) for look in looks]),
        "brightness": np.array([[look.brightness] for look in looks], np.float64),
    }
    for by, rows in described.items():
        silhouette, labels = _gathered(rows, seed)
        if silhouette >= CLEAR[by] and silhouette > best.silhouette:
            typical = silhouette_samples(rows, labels)
            found = [_group(seen, numbers, np.flatnonzero(labels == label), typical) for label in np.unique(labels)]
            best = Grouping(by, silhouette, tuple(sorted(found, key=lambda group: -len(group.numbers))))
    return best


def _gathered(rows: Doubles, seed: int) -> tuple[float, NDArray[np.intp]]:
    """The best silhouette, and the group of each row; groups that are too small do not count."""
    smallest = max(3, round(_SMALLEST * len(rows)))
    best, labels = 0.0, np.zeros(len(rows), np.intp)
    for count in range(2, min(_MOST_GROUPS, len(np.unique(rows, axis=0))) + 1):
        tried = KMeans(count, n_init=10, random_state=seed).fit_predict(rows)
        if np.bincount(tried, minlength=count).min() < smallest:
            continue
        silhouette = float(silhouette_score(rows, tried))
        if silhouette > best:
            best, labels = silhouette, tried
    return best, labels


def _group(seen: Sequence[Seen], numbers: NDArray[np.intp], members: NDArray[np.intp], typical: Doubles) -> Group:
    looks = [seen[i].look for i in numbers[members]]
    sizes, counts = np.unique([(look.width, look.height) for look in looks], axis=0, return_counts=True)
    width, height = (int(value) for value in sizes[counts.argmax()])
    shown = members[np.argsort(-typical[members])[:_SHOWN]]
    return Group(
        numbers=tuple(int(i) for i in numbers[members]),
        shown=tuple(int(i) for i in numbers[shown]),
        brightness=float(np.median([look.brightness for look in looks])),
        size=(width, height),
    )


def _axes(embeddings: Floats) -> Doubles:
    """N×K: where pictures lie along the strongest axes of the embedding."""
    count = min(_AXES, embeddings.shape[0] - 1, embeddings.shape[1])
    return np.asarray(PCA(count, random_state=0).fit_transform(embeddings.astype(np.float64)))
