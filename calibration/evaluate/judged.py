"""What a recipe said of test pictures and of the parts they show: pictures of one part are no independent evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration.evaluate.folders import GOOD
from calibration.goods import Good
from edge.types import Decision, Reason

SEVERITY = {Decision.NOK: 2, Decision.NOT_DECIDABLE: 1, Decision.OK: 0}
"""A part is rejected when any of its pictures is, and not decidable when any of the others is."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One test picture. score is NaN when it could not be measured; it may be there where the picture is not fit."""

    file: Good
    kind: str
    decision: Decision
    reason: Reason
    score: float

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.file.path

    @property
    def by_score(self) -> bool:
        """Whether the threshold decided, and not that the picture is unfit."""
        return self.reason in (Reason.WITHIN_THRESHOLD, Reason.GRAY_ZONE, Reason.ABOVE_THRESHOLD)


@dataclass(frozen=True, slots=True)
class Part:
    """All pictures of one part that stand in one folder."""

    kind: str
    pictures: tuple[Judged, ...]

    @property
    def good(self) -> bool:
        """What the part is."""
        return self.kind == GOOD

    @property
    def decision(self) -> Decision:
        """Of the worst picture."""
        return max((picture.decision for picture in self.pictures), key=SEVERITY.__getitem__)

    @property
    def worst(self) -> Judged | None:
        """The picture of the highest score, fit or not; None where none was measured."""
        measured = (picture for picture in self.pictures if np.isfinite(picture.score))
        return max(measured, key=lambda picture: picture.score, default=None)

    @property
    def score(self) -> float:
        """Of that picture; NaN without one."""
        return self.worst.score if self.worst else float("nan")

    @property
    def highest(self) -> float:
        """The highest score that a threshold decides on; -inf without one."""
        return max((picture.score for picture in self.pictures if picture.by_score), default=float("-inf"))

    @property
    def fit(self) -> bool:
        """Whether a threshold decides on every picture, so that the part can be OK."""
        return all(picture.by_score for picture in self.pictures)


def by_part(judged: Sequence[Judged]) -> tuple[Part, ...]:
    """One for each part of each kind, in the order of their first pictures."""
    groups: dict[tuple[str, str], list[Judged]] = {}
    for picture in judged:
        groups.setdefault((picture.kind, picture.file.part_id), []).append(picture)
    return tuple(Part(kind, tuple(pictures)) for (kind, _), pictures in groups.items())
