"""Pictures of parts, several of each, judged as the device judges them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from threadpoolctl import threadpool_limits

from calibration.evaluate.folders import GOOD, kinds_in
from calibration.goods import Good, find_goods
from calibration.progress import Steps
from edge.capture.sources import shoot_file
from edge.errors import BadConfig, BadPicture
from edge.loop import inspect
from edge.recipe.recipe import Recipe
from edge.types import Decision, Unfit, Verdict


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a part. part: its name in the study; kind: the folder it stands in, `good` for good parts."""

    file: Good
    part: str
    kind: str

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.file.path


@dataclass(frozen=True, slots=True)
class Trial:
    """A picture and the device's answer."""

    picture: Picture
    verdict: Verdict

    @property
    def score(self) -> float | None:
        """None when nothing was measured."""
        return self.verdict.score.value if self.verdict.score else None


@dataclass(frozen=True, slots=True)
class Part:
    """A part with all its trials, in the order of the pictures' names."""

    name: str
    kind: str
    trials: tuple[Trial, ...]

    @property
    def reference(self) -> Decision:
        """What the part is."""
        return Decision.OK if self.kind == GOOD else Decision.NOK

    @property
    def answers(self) -> tuple[Decision, ...]:
        """What the device said of it."""
        return tuple(trial.verdict.decision for trial in self.trials)

    @property
    def scores(self) -> tuple[float, ...]:
        """Of the trials that were measured."""
        return tuple(trial.score for trial in self.trials if trial.score is not None)

    @property
    def mean(self) -> float | None:
        """The mean score; None when nothing was measured."""
        return fmean(self.scores) if self.scores else None


def pictures_in(folder: Path, part_pattern: str) -> list[Picture]:
    """All pictures of one folder; their kind is `good`, though nothing is said about them.

    Raises:
        BadConfig: no folder, no pictures, a bad pattern, or the same picture twice for one part.
        BadPicture: a file cannot be read.
    """
    return [Picture(file, file.part_id, GOOD) for file in _taken_anew(find_goods(folder, part_pattern))]


def labelled_pictures_in(folder: Path, part_pattern: str) -> list[Picture]:
    """All pictures of ``good/`` and of one folder for each kind of defect, good ones first.

    Two parts of one name in different folders are told apart as ``KIND/PART``.

    Raises:
        BadConfig: as above, or good parts or defective ones are missing.
        BadPicture: a file cannot be read.
    """
    kinds = kinds_in(folder)
    if GOOD not in kinds or len(kinds) == 1:
        missing = "folders of defects" if GOOD in kinds else "good/"
        raise BadConfig(
            f"{folder}: has no {missing}; put good parts into good/ and each kind of defect into its own folder."
        )
    found = [(file, kind) for kind in kinds for file in _taken_anew(find_goods(folder / kind, part_pattern))]
    kinds_of_name = Counter(name for name, _ in {(file.part_id, kind) for file, kind in found})
    return [
        Picture(file, file.part_id if kinds_of_name[file.part_id] == 1 else f"{kind}/{file.part_id}", kind)
        for file, kind in found
    ]


def judge_parts(recipe: Recipe, pictures: Sequence[Picture], steps: Steps) -> tuple[Part, ...]:
    """Judge every picture and put those of a part together.

    Raises:
        BadPicture: a file is no picture; a damaged copy is no trial of the device.
        BadConfig: no picture could be judged.
    """
    # One thread, as on the device.
    with threadpool_limits(1):
        trials = [_judge(recipe, picture) for picture in steps.track(pictures, "judging")]
    if all(trial.score is None for trial in trials):
        first = trials[0]
        raise BadConfig(
            f"{first.picture.path} and all others cannot be judged: {first.verdict.reason}, {first.verdict.detail}; "
            f"take a recipe built from this camera's pictures."
        )
    return tuple(_grouped(trials))


def _judge(recipe: Recipe, picture: Picture) -> Trial:
    shot = shoot_file(picture.path, 0)
    if isinstance(shot, Unfit):
        raise BadPicture(f"{shot.detail} Remove it, or take it again.", shot.reason)
    return Trial(picture, inspect(shot, recipe))


def _grouped(trials: Iterable[Trial]) -> Iterable[Part]:
    by_part: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        by_part.setdefault((trial.picture.part, trial.picture.kind), []).append(trial)
    return (Part(name, kind, tuple(of_part)) for (name, kind), of_part in by_part.items())


def _taken_anew(goods: list[Good]) -> list[Good]:
    """A copy of a file is no trial: its answer says nothing about the next picture."""
    first: dict[str, Good] = {}
    for good in goods:
        twin = first.setdefault(good.sha256, good)
        if twin is not good:
            raise BadConfig(f"{good.path} and {twin.path} are the same picture; take each one anew, and remove the copy.")
    return goods
