"""The same picture twice, or one part under two names: a copy on the other side of the split makes the threshold a lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from calibration.audit.seen import Seen
from calibration.audit.structure import Common, agreement, common_of
from calibration.progress import Steps
from edge.types import Floats

LEAST_AGREEMENT = 0.95
"""See `calibration.audit.structure` for what it was measured on. Pictures of one tile under different light agree to 0.97 to
0.99, those of different cells to 0.94 at most."""

_CANDIDATES = 3
"""Nearest pictures that are looked at closely, by what is their own and by embedding."""

_SMALL = 32
_FEWEST = 8
"""With fewer pictures it is unknown what they have in common, so only equal bytes and pixels are told."""

Sameness = Literal["bytes", "pixels", "near"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, by their numbers, the first by name first. agreement: 1 for equal pixels."""

    one: int
    other: int
    sameness: Sameness
    agreement: float


def duplicates(seen: Sequence[Seen], embeddings: Floats, steps: Steps) -> tuple[Pair, ...]:
    """All pairs of N pictures that are the same, nearest first. Near ones of one part id are as they should be.

    embeddings: N×D of the same pictures.
    """
    equal = _equal(seen)
    known = {(pair.one, pair.other) for pair in equal}
    near: list[Pair] = []
    if len(seen) >= _FEWEST:
        common = common_of([one.structure for one in seen])
        for one, other in steps.track(sorted(_candidates(seen, embeddings, common) - known), "looking for duplicates"):
            if seen[one].good.part_id == seen[other].good.part_id:
                continue
            agreed = agreement(seen[one].structure, seen[other].structure, common)
            if agreed >= LEAST_AGREEMENT:
                near.append(Pair(one, other, "near", agreed))
    return (*equal, *sorted(near, key=lambda pair: -pair.agreement))


def same_part(seen: Sequence[Seen], pairs: Sequence[Pair]) -> NDArray[np.int32]:
    """For each of N pictures the number of its part: those of one part id are one, and so are those of a pair."""
    first: dict[str, int] = {}
    links = [(first.setdefault(one.good.part_id, i), i) for i, one in enumerate(seen)]
    return connected(len(seen), links + [(pair.one, pair.other) for pair in pairs])


def connected(count: int, links: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    """For each of `count` pictures the number of the group that links hold together."""
    one, other = np.array(links, np.intp).reshape(-1, 2).T
    graph = coo_matrix((np.ones(len(one)), (one, other)), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int32)


def _equal(seen: Sequence[Seen]) -> list[Pair]:
    """Each copy with the first that has its pixels."""
    first: dict[str, int] = {}
    pairs = []
    for number, one in enumerate(seen):
        earlier = first.setdefault(one.pixels_sha256, number)
        if earlier != number:
            bytes_too = seen[earlier].good.sha256 == one.good.sha256
            pairs.append(Pair(earlier, number, "bytes" if bytes_too else "pixels", 1.0))
    return pairs


def _candidates(seen: Sequence[Seen], embeddings: Floats, common: Common) -> set[tuple[int, int]]:
    own = common.own([one.structure for one in seen])
    side = int(np.sqrt(own.shape[1]))
    small = [cv2.resize(row.reshape(side, side), (_SMALL, _SMALL), interpolation=cv2.INTER_AREA).ravel() for row in own]
    standard = (embeddings - embeddings.mean(axis=0)) / np.maximum(embeddings.std(axis=0), 1e-6)
    return _nearest(np.stack(small)) | _nearest(standard)


def _nearest(rows: Floats) -> set[tuple[int, int]]:
    """Pairs of each of N rows with the rows nearest to it by angle."""
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    pairs = set()
    for number, row in enumerate(unit):
        cosine = unit @ row
        cosine[number] = -np.inf
        for other in np.argpartition(-cosine, min(_CANDIDATES, len(cosine) - 1))[:_CANDIDATES]:
            pairs.add((min(number, int(other)), max(number, int(other))))
    return pairs
