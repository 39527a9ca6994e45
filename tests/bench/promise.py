"""Whether thresholds keep their promise on real scores: `python -m tests.bench.promise [--data elpv FOLDER …]`.

Goods the recipe has never seen are scored once. Then, again and again, some of them are drawn as if they had been held out,
a threshold is chosen by each method, and the share of *all* of them that it rejects is counted: these scores are the whole
world, drawn from with replacement, so that the true share is known exactly.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from calibration.build import Plan, build
from calibration.goods import PART_PATTERN
from calibration.progress import Steps, steps
from calibration.threshold.conformal import choose_conformal
from calibration.threshold.order import choose
from edge.capture.pictures import list_pictures, read_picture
from edge.recipe.recipe import open_recipe
from edge.types import Doubles
from tests.bench.sets import add_data_options, trials

RESAMPLES = 1000
Method = Callable[[Doubles, float], float]


@dataclass(frozen=True)
class Kept:
    """How a method did: share of resamples that rejected at most what was promised, and the mean share rejected."""

    kept: float
    mean: float


def scores_of(recipe_folder: Path, folder: Path, shown: Steps) -> Doubles:
    """Scores of pictures that are not in the recipe."""
    recipe = open_recipe(recipe_folder)
    with threadpool_limits(1):
        measured = [recipe.measure(read_picture(path)) for path in shown.track(list_pictures(folder), "scoring")]
    return np.array([each[0].value for each in measured if isinstance(each, tuple)])


def resampled(world: Doubles, method: Method, parts: int, promise: float, rng: np.random.Generator) -> Kept:
    """Choose a threshold from `parts` scores, `RESAMPLES` times."""
    rejected = np.array([(world > method(rng.choice(world, parts), promise)).mean() for _ in range(RESAMPLES)])
    return Kept(float((rejected <= promise).mean()), float(rejected.mean()))


def guarantee(scores: Doubles, promise: float) -> float:
    """95 % sure."""
    return choose(scores, promise, 0.95)[0]


def conformal(scores: Doubles, promise: float) -> float:
    """On average."""
    return choose_conformal(scores, promise)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_options(parser)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(
        f"seed {args.seed}; {RESAMPLES} resamples of unseen goods' scores; kept: share of them that reject at most"
        " the promise\n"
        "| set | goods | method | held out | promise | kept | rejected on average |\n"
        "| --- | --- | --- | --- | --- | --- | --- |"
    )
    with tempfile.TemporaryDirectory() as scratch, steps() as shown:
        for trial in trials([args.seed], args.data, args.goods, Path(scratch)):
            out = Path(scratch) / f"recipe-{trial.name}"
            build(
                Plan(trial.goods, out, trial.name, PART_PATTERN, max_false_reject=args.max_false_reject, seed=args.seed),
                shown,
            )
            world = scores_of(out, trial.test / "good", shown)
            rng = np.random.default_rng(args.seed)
            for promise, parts in ((0.05, 59), (0.05, 100), (0.1, 50)):
                for method in (guarantee, conformal):
                    found = resampled(world, method, parts, promise, rng)
                    print(
                        f"| {trial.name} | {len(world)} | {method.__name__} | {parts} | {promise:.0%} | {found.kept:.1%} | "
                        f"{found.mean:.2%} |"
                    )


if __name__ == "__main__":
    main()
