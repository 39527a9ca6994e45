"""Do the goods fall into groups: two products, two stations, two settings?

Pictures are described by embedding, size and light, and gathered by k-means; how many groups there are is told by the
silhouette (Rousseeuw 1987): how much nearer a picture is to its own group than to the next, 1 at best. Groups are named only
when they are clear, since k-means cuts any cloud into pieces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_samples, silhouette_score

from calibration.audit.seen import Seen
from edge.types import Doubles, Floats

CLEAR = 0.5
"""Rousseeuw calls a silhouette above 0.5 reasonable structure."""

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
    """groups: largest first, none if they are not clear; silhouette: of the best number of groups, -1 to 1."""

    silhouette: float
    groups: tuple[Group, ...]


def groups(seen: Sequence[Seen], embeddings: Floats, numbers: NDArray[np.intp], seed: int) -> Grouping:
    """Look for groups among some pictures. embeddings: N×D of all; numbers: which of them."""
    if len(numbers) < _FEWEST:
        return Grouping(0.0, ())
    rows = _described([seen[i] for i in numbers], embeddings[numbers])
    smallest = max(3, round(_SMALLEST * len(numbers)))
    best, labels = 0.0, np.zeros(len(numbers), np.intp)
    for count in range(2, _MOST_GROUPS + 1):
        tried = KMeans(count, n_init=10, random_state=seed).fit_predict(rows)
        if np.bincount(tried, minlength=count).min() < smallest:
            continue
        silhouette = float(silhouette_score(rows, tried))
        if silhouette > best:
            best, labels = silhouette, tried
    if best < CLEAR:
        return Grouping(best, ())
    typical = silhouette_samples(rows, labels)
    found = [_group(seen, numbers, np.flatnonzero(labels == label), typical) for label in np.unique(labels)]
    return Grouping(best, tuple(sorted(found, key=lambda group: -len(group.numbers))))


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


def _described(seen: Sequence[Seen], embeddings: Floats) -> Doubles:
    """N×K: the strongest axes of the embedding with unit variance in all, then logarithms of size, and brightness."""
    centred = (embeddings - embeddings.mean(axis=0)).astype(np.float64)
    axes = PCA(min(_AXES, len(seen) - 1), random_state=0).fit_transform(centred)
    axes /= max(float(axes[:, 0].std()), 1e-9)
    looks = [one.look for one in seen]
    plain = np.array([(np.log(k.width), np.log(k.height), k.brightness / 64) for k in looks])
    return np.hstack([axes, plain - plain.mean(axis=0)])
