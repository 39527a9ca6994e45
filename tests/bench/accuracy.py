"""Image and pixel AUROC of whole recipes on real pictures: FP32 beside INT8, the same goods, the same seeds.

    python -m tests.bench.accuracy --size 256 --seeds 0 1 2
    python -m tests.bench.accuracy --data FOLDER ...      a set with train/good, test/<kind> and perhaps ground_truth/<kind>

elpv, the default: monocrystalline cells of elpv-dataset; 352 good ones (drawn with the seed) make the recipe, the other good
ones (probability 0) and all defective ones (probability 1) test it. Nothing is chosen by looking at the test pictures.
"""

import argparse
import tempfile
from pathlib import Path

from calibration.evaluate.evaluate import Evaluation
from calibration.progress import steps
from export.build import Order
from export.build import build as export
from tests.bench.sets import PROFILES, Trial, add_data_options, judge, trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="encoder input, square, in pixels")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    add_data_options(parser)
    args = parser.parse_args()
    print(f"input {args.size}², seeds {args.seeds}")
    with tempfile.TemporaryDirectory() as folder, steps() as shown:
        scratch = Path(folder)
        print(row("set", "seed", "encoder", "image AUROC", "pixel AUROC", "false rejects", "escapes"))
        for trial in trials(args.seeds, args.data, args.goods, scratch):
            for precision in PROFILES:
                encoder = scratch / f"{trial.name}-{trial.seed}-{precision}"
                order = Order(encoder, trial.goods, args.size, args.size, PROFILES[precision], 64, trial.seed, force=False)
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
