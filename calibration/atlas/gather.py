"""Pictures become records: verdict, score, embedding and a thumbnail, with one look at each."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from calibration.atlas.folders import Grouped
from calibration.page.pictures import jpeg
from calibration.progress import Steps
from calibration.sight import Sight, see
from edge.errors import BadConfig
from edge.recipe.recipe import Recipe
from edge.types import Decision, Floats, Reason

THUMBNAIL, SMALL_THUMBNAIL = 96, 64
"""Pixels of the longer side. Measured on grey solar cells: 2.4 KB and 1.4 KB a picture in the page."""

_MANY = 2000
"""Above so many pictures thumbnails are small, so that 10,000 still make a page that a browser opens."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture on the map. embedding: D float32; score is NaN where nothing was measured; jpeg: its thumbnail."""

    picture: Grouped
    decision: Decision
    reason: Reason
    score: float
    embedding: Floats
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Unseen:
    """A picture that the eye could not look at, and why in words."""

    picture: Grouped
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """All pictures of one run, in the order in which they were given."""

    seen: tuple[Seen, ...]
    unseen: tuple[Unseen, ...]

    @property
    def embeddings(self) -> Floats:
        """n×D float32."""
        return np.stack([each.embedding for each in self.seen])

    @property
    def groups(self) -> list[str]:
        """The group of each picture that was seen."""
        return [each.picture.group for each in self.seen]

    @property
    def kinds(self) -> list[str]:
        """The label of each picture that was seen: good pictures of two folders are two groups and one kind."""
        return [each.picture.kind for each in self.seen]


def sights(recipe: Recipe, pictures: Sequence[Grouped], steps: Steps) -> Iterator[tuple[Grouped, Sight]]:
    """Look at one picture after the other, as the device does; a sight is valid until the next one."""
    # One thread, as on the device; more would wait for each other between products as small as these.
    with threadpool_limits(1):
        for picture in steps.track(pictures, "looking"):
            yield picture, see(recipe, picture.path)


def gather(recipe: Recipe, pictures: Sequence[Grouped], steps: Steps, least: int = 1) -> Gathered:
    """Look at all pictures; those that cannot be read or aligned are named apart.

    Raises:
        BadConfig: the eye could look at fewer than `least`.
    """
    side = THUMBNAIL if len(pictures) <= _MANY else SMALL_THUMBNAIL
    seen, unseen = [], []
    for picture, sight in sights(recipe, pictures, steps):
        verdict = sight.verdict
        if sight.embedding is None or sight.pixels is None:
            unseen.append(Unseen(picture, verdict.reason, verdict.detail))
            continue
        score = sight.score if math.isfinite(sight.score) else math.nan
        small = jpeg(sight.pixels, side)
        seen.append(Seen(picture, verdict.decision, verdict.reason, score, sight.embedding, small))
    if len(seen) < least:
        first = f", the first because {unseen[0].detail.rstrip('.')}" if unseen else ""
        raise BadConfig(
            f"{len(seen)} of {len(pictures)} pictures can be looked at{first}; at least {least} are needed, "
            f"give more pictures."
        )
    return Gathered(tuple(seen), tuple(unseen))
