"""The same pictures judged by two recipes, in turn, as the device would."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from calibration.evaluate.folders import GOOD, kinds_in
from calibration.evaluate.judged import SEVERITY
from calibration.goods import Good, find_goods
from calibration.progress import Steps
from edge.capture.pictures import SUFFIXES
from edge.capture.sources import shoot_file
from edge.errors import BadConfig, BadRecipe
from edge.loop import inspect
from edge.recipe.recipe import Recipe
from edge.types import Decision, Doubles, Reason, Shot


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the comparison. kind: `good`, a kind of defect, or None where nobody has labelled it."""

    file: Good
    kind: str | None

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.file.path

    @property
    def part_id(self) -> str:
        """Of the part it shows."""
        return self.file.part_id


@dataclass(frozen=True, slots=True)
class Side:
    """What one recipe says of a picture.

    ratio: score / threshold, above 1 is NOK, NaN where nothing was measured; a result's `margin` is that minus 1.
    inspect_s: NaN where nobody has measured it.
    """

    decision: Decision
    reason: Reason
    detail: str
    ratio: float
    inspect_s: float


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture, or one part, and what both recipes say of it."""

    picture: Picture
    a: Side
    b: Side

    @property
    def decided(self) -> bool:
        """Whether both could judge it."""
        return Decision.NOT_DECIDABLE not in (self.a.decision, self.b.decision)

    @property
    def measured(self) -> bool:
        """Whether both have a score for it; one in a gray zone has, though a person decides."""
        return bool(np.isfinite(self.a.ratio) and np.isfinite(self.b.ratio))

    @property
    def flipped(self) -> bool:
        """Whether the verdict is another."""
        return self.a.decision is not self.b.decision

    @property
    def change(self) -> float:
        """By how much the ratio changes; NaN where one of the recipes measured nothing."""
        return self.b.ratio - self.a.ratio


def pictures_in(folder: Path, part_pattern: str) -> list[Picture]:
    """All pictures of a plain folder, or of an evaluation set with `good/` and one folder for each kind of defect.

    Raises:
        BadConfig: the folder is neither.
        BadPicture: a file cannot be read.
    """
    try:
        plain = any(p.suffix.lower() in SUFFIXES for p in folder.iterdir() if not p.is_dir())
        folders = any(p.is_dir() and not p.name.startswith(".") for p in folder.iterdir())
    except OSError as err:
        raise BadConfig(f"{folder}: cannot be listed: {err.strerror}; give a folder of pictures.") from None
    if plain and (folder / GOOD).is_dir():
        raise BadConfig(f"{folder}: holds pictures beside {GOOD}/; move them into {GOOD}/ or into a kind of defect.")
    if not plain and not folders:
        raise BadConfig(f"{folder}: holds no pictures and no folders; give pictures, or good/ and a folder for each defect.")
    kinds = [None] if plain else kinds_in(folder)
    return [Picture(file, kind) for kind in kinds for file in find_goods(folder / kind if kind else folder, part_pattern)]


def judge_both(a: Recipe, b: Recipe, pictures: list[Picture], steps: Steps) -> tuple[Pair, ...]:
    """Every picture by both recipes, one after the other on one thread; who is first changes from picture to picture.

    Raises:
        BadRecipe: a threshold is not above zero, so that score / threshold means nothing.
    """
    refuse_without_scale(a, b)
    pairs = []
    # As on the device; more threads would wait for each other between products as small as these.
    with threadpool_limits(1):
        for number, picture in enumerate(steps.track(pictures, "judging with A and B")):
            shot = shoot_file(picture.path, number)
            if number % 2:
                of_b, of_a = _judge(shot, b), _judge(shot, a)
            else:
                of_a, of_b = _judge(shot, a), _judge(shot, b)
            pairs.append(Pair(picture, of_a, of_b))
    return tuple(pairs)


def refuse_without_scale(*recipes: Recipe) -> None:
    """Make sure that score / threshold means something.

    Raises:
        BadRecipe: a threshold is not above zero.
    """
    for recipe in recipes:
        if recipe.manifest.threshold <= 0:
            raise BadRecipe(f"{recipe.manifest.name}: its threshold is not above zero; build it again from more goods.")


def by_part(pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """One pair for each part of each kind: pictures of one part are no independent evidence.

    A part is rejected when any of its pictures is, and not decidable when any of the others is; its ratio is the highest.
    """
    groups: dict[tuple[str | None, str], list[Pair]] = {}
    for pair in pairs:
        groups.setdefault((pair.picture.kind, pair.picture.part_id), []).append(pair)
    return tuple(Pair(g[0].picture, _worst([p.a for p in g]), _worst([p.b for p in g])) for g in groups.values())


def ratios(pairs: tuple[Pair, ...]) -> tuple[Doubles, Doubles]:
    """The ratios of A and of B."""
    return np.array([p.a.ratio for p in pairs]), np.array([p.b.ratio for p in pairs])


def _judge(shot: Shot, recipe: Recipe) -> Side:
    began = time.perf_counter()
    verdict = inspect(shot, recipe)
    took = time.perf_counter() - began
    ratio = verdict.score.value / recipe.manifest.threshold if verdict.score else np.nan
    return Side(verdict.decision, verdict.reason, verdict.detail, ratio, took)


def _worst(sides: list[Side]) -> Side:
    return max(sides, key=lambda side: (SEVERITY[side.decision], side.ratio if np.isfinite(side.ratio) else -np.inf))
