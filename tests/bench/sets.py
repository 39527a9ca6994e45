"""Real pictures to measure on: goods drawn with a seed, and test pictures nobody looks at before.

A set of one's own has the layout train/good, test/<kind> and perhaps ground_truth/<kind>. `elpv` names the monocrystalline
cells of elpv-dataset; 352 good ones (drawn with the seed) make the recipe, the other good ones (probability 0) and all
defective ones (probability 1) test it.
"""

import argparse
import dataclasses
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from calibration.build import Plan, build
from calibration.demo.cells import labelled
from calibration.evaluate.evaluate import Evaluation, evaluate
from calibration.goods import PART_PATTERN, count_parts, find_goods
from calibration.judgement import Way
from calibration.progress import Steps
from calibration.threshold.order import best_promise, most_held_out
from edge.capture.pictures import list_pictures
from edge.recipe.recipe import open_recipe
from export.profiles import FP32, this_machine

ELPV = "elpv"
ELPV_GOODS = 352
CONFIDENCE = 0.95
PROFILES = {"fp32": FP32, "int8": this_machine()}


@dataclasses.dataclass(frozen=True)
class Trial:
    """One draw of goods from one set."""

    name: str
    seed: int
    goods: Path
    test: Path


def elpv(seed: int, folder: Path) -> Trial:
    """Draw the goods; the rest tests."""
    good = labelled(0.0)
    order = np.random.default_rng(seed).permutation(len(good))
    sides = {"good": order[:ELPV_GOODS], "test/good": order[ELPV_GOODS:]}
    for name, indices in sides.items():
        copy([good[i] for i in indices], folder / name)
    copy(labelled(1.0), folder / "test" / "defect")
    return Trial("elpv-mono", seed, folder / "good", folder / "test")


def own_set(data: Path, seed: int, goods: int, folder: Path) -> Trial:
    """Draw at most `goods` of the training pictures; the set's own test pictures test."""
    pictures = list_pictures(data / "train" / "good")
    drawn = np.random.default_rng(seed).permutation(len(pictures))[:goods]
    copy([pictures[i] for i in drawn], folder / "good")
    return Trial(data.name, seed, folder / "good", data / "test")


def copy(pictures: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for picture in pictures:
        shutil.copy(picture, folder)


def judge(
    trial: Trial, encoder: Path, max_false_reject: float, scratch: Path, shown: Steps, way: Way | None = None
) -> Evaluation:
    """Build a recipe with one encoder and evaluate it; `way` None lets it choose how to judge, as the command does.

    Goods too few for the promise get the strictest one that they can keep.
    """
    out = scratch / f"recipe-{encoder.name}"
    possible = best_promise(most_held_out(count_parts(find_goods(trial.goods))), CONFIDENCE)
    plan = Plan(
        trial.goods,
        out,
        trial.name,
        PART_PATTERN,
        encoder=encoder,
        max_false_reject=max(max_false_reject, possible),
        confidence=CONFIDENCE,
        score=way.score if way else None,
        scaling=way.scaling if way else None,
        smoothing=way.smoothing if way else None,
        seed=trial.seed,
        force=True,
    )
    build(plan, shown)
    return evaluate(open_recipe(out), trial.test, shown)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """What every bench on pictures lets one choose."""
    parser.add_argument("--data", nargs="+", default=[ELPV], help=f"{ELPV}, or folders with train/good and test/<kind>")
    parser.add_argument("--goods", type=int, default=200, help="of a folder: how many goods, bank and held out together")
    parser.add_argument("--max-false-reject", type=float, default=0.05)


def trials(seeds: Sequence[int], data: Sequence[str], goods: int, scratch: Path) -> Iterator[Trial]:
    """Each set for each seed."""
    for seed in seeds:
        for name in data:
            folder = scratch / f"{Path(name).name}-{seed}"
            yield elpv(seed, folder) if name == ELPV else own_set(Path(name), seed, goods, folder)
