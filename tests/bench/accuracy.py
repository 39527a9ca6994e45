"""Image and pixel AUROC of whole recipes on real pictures: FP32 beside INT8, the same goods, the same seeds.

    python tests/bench/accuracy.py --size 256 --seeds 0 1 2
    python tests/bench/accuracy.py --data FOLDER ...      a set with train/good, test/<kind> and perhaps ground_truth/<kind>

Without --data: monocrystalline cells of elpv-dataset; 352 good ones (drawn with the seed) make the recipe, the other good
ones (probability 0) and all defective ones (probability 1) test it. Nothing is chosen by looking at the test pictures.
"""

import argparse
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from calibration.build import Plan, build
from calibration.demo.cells import labelled
from calibration.evaluate import Evaluation, evaluate
from calibration.goods import PART_PATTERN
from calibration.progress import Steps, steps
from edge.capture.pictures import list_pictures
from edge.recipe.recipe import open_recipe
from export.build import Order
from export.build import build as export

ELPV_GOODS = 352


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


def judge(trial: Trial, encoder: Path, max_false_reject: float, scratch: Path, shown: Steps) -> Evaluation:
    """Build a recipe with one encoder and evaluate it."""
    out = scratch / f"recipe-{encoder.name}"
    plan = Plan(
        trial.goods, out, trial.name, PART_PATTERN, encoder=encoder, max_false_reject=max_false_reject, seed=trial.seed
    )
    build(plan, shown)
    return evaluate(open_recipe(out), trial.test, shown)


def trials(args: argparse.Namespace, scratch: Path) -> Iterator[Trial]:
    for seed in args.seeds:
        if args.data:
            for data in args.data:
                yield own_set(data, seed, args.goods, scratch / f"{data.name}-{seed}")
        else:
            yield elpv(seed, scratch / f"elpv-{seed}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="encoder input, square, in pixels")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--data", type=Path, nargs="+", help="folders with train/good and test/<kind>")
    parser.add_argument("--goods", type=int, default=200, help="with --data: how many goods, bank and held out together")
    parser.add_argument("--max-false-reject", type=float, default=0.05)
    args = parser.parse_args()
    print(f"input {args.size}², seeds {args.seeds}")
    with tempfile.TemporaryDirectory() as folder, steps() as shown:
        scratch = Path(folder)
        print(row("set", "seed", "encoder", "image AUROC", "pixel AUROC", "false rejects", "escapes"))
        for trial in trials(args, scratch):
            for precision in ("fp32", "int8"):
                encoder = scratch / f"{trial.name}-{trial.seed}-{precision}"
                order = Order(encoder, trial.goods, args.size, args.size, precision, 64, trial.seed, force=False)
                export(order, lambda _: None)
                show(trial, precision, judge(trial, encoder, args.max_false_reject, scratch, shown))


def show(trial: Trial, precision: str, found: Evaluation) -> None:
    image, pixel = (f"{value:.4f}" if value is not None else "-" for value in (found.image_auroc, found.pixel_auroc))
    rejects, escapes = (f"{rate.value:.2%}" if rate else "-" for rate in (found.false_reject, found.escape))
    print(row(trial.name, str(trial.seed), precision, image, pixel, rejects, escapes), flush=True)


def row(*cells: str) -> str:
    return "  ".join(f"{cell:<14}" for cell in cells).rstrip()


if __name__ == "__main__":
    main()
