"""Sharpness limits on real pictures: how many good ones they refuse, and how many blurred copies they find.

    python -m tests.bench.blur --goods GOODS --held-out OTHER_GOODS [--defects DEFECTS]

Prints how many goods and defects that were not learned from are called unfit, and how many copies of those goods blurred by
a lens (Gaussian, by standard deviation in pixels at a longer side of 300) or by movement, with and without a sensor's noise.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from calibration.limits import learn_limits
from edge.capture.fitness import FitnessLimits, look_at, unfit
from edge.capture.pictures import SUFFIXES, read_picture
from edge.types import Pixels, Reason

NOISE = 2.0
"""Grey levels."""

SIGMAS = (1.0, 1.5, 2.0, 3.0)
MOVED = 9
REFERENCE_SIDE = 300


def pictures(folder: Path, most: int) -> list[Pixels]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [read_picture(path) for path in paths[:: max(1, len(paths) // most)][:most]]


def share(found: list[Pixels], limits: FitnessLimits, reasons: frozenset[Reason]) -> str:
    hits = [fault for pixels in found if (fault := unfit(look_at(pixels), limits)) and fault[0] in reasons]
    return f"{len(hits)} of {len(found)}"


def noisy(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return np.clip(pixels + rng.normal(0, NOISE, pixels.shape), 0, 255).astype(np.uint8)


def moved(pixels: Pixels, length: int) -> Pixels:
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    return np.asarray(cv2.filter2D(pixels, -1, kernel), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goods", type=Path, required=True)
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument("--defects", type=Path)
    parser.add_argument("--most", type=int, default=150, help="pictures of each folder")
    args = parser.parse_args()
    limits = learn_limits([look_at(pixels) for pixels in pictures(args.goods, args.most)])
    others, rng = pictures(args.held_out, args.most), np.random.default_rng(0)
    blur, new = frozenset({Reason.TOO_BLURRED}), frozenset({Reason.TOO_BLURRED, Reason.OVER_EXPOSED})
    print(f"sharpness at least {limits.sharpness_min:.4f}, white at most {limits.white_max:.3f}")
    print("other goods refused:", share(others, limits, new))
    if args.defects:
        print("defects refused:", share(pictures(args.defects, args.most), limits, new))
    scale = max(others[0].shape) / REFERENCE_SIDE
    for sigma in SIGMAS:
        copies = [np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma * scale), np.uint8) for pixels in others]
        seen = share(copies, limits, blur), share([noisy(pixels, rng) for pixels in copies], limits, blur)
        print(f"blurred by {sigma:g}, found: {seen[0]}, with noise {seen[1]}")
    copies = [moved(pixels, max(3, round(MOVED * scale))) for pixels in others]
    print(f"moved by {MOVED}, found: {share(copies, limits, blur)}")


if __name__ == "__main__":
    main()
