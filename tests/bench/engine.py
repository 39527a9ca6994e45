"""One part from frame to verdict: each stage's cost, how it grows with the bank, whether scores are exact, memory, start.

    python -m tests.bench.engine --plot engine.png
    python -m tests.bench.engine --data FOLDER --vectors 1000 10000 --threads 1

elpv, the default: monocrystalline cells of elpv-dataset, drawn with the seed and stretched to 640×480 frames: good cells
make bank and threshold, other good and defective ones are the parts. A FOLDER has train/good, test/<kind> and perhaps
ground_truth/<kind>. All banks come from the same goods, by greedy k-centre (`calibration.build`), for the shipped encoder.

Times are ratios to a bare `InferenceSession.run` of the same encoder on the same threads just before, medians of the rounds.
Stages are timed inside `edge.loop.inspect` itself; `whole` is a run of its own with nothing timed inside. `measure` is what
depends on the bank: find + look again + walk + map. The station's recipe is the one for 10,000 vectors, or nearest to that.
Times are printed, never asserted.
"""

import argparse
import platform
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np

from calibration.build import Plan, build
from calibration.demo.cells import labelled
from calibration.evaluate.folders import GOOD, kinds_in
from calibration.goods import PART_PATTERN
from calibration.judgement import DEFAULT
from calibration.progress import Steps, steps
from edge.capture.pictures import list_pictures, read_picture
from edge.capture.sources import shoot_file
from edge.inspect.encoder import DEFAULT_ENCODER
from edge.recipe.recipe import Recipe, open_recipe
from edge.types import Frame
from tests.bench.measured import STAGES, Exactness, Key, Part, Station, Timed, compare, time_all, watch_station
from tests.bench.sets import ELPV

WIDTH, HEIGHT = 640, 480
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
USUAL = 10_000
HELD_OUT = 59
"""Goods for the threshold: what the default promise needs."""

BAR_WHOLE, AIM_WHOLE, BAR_SEARCH, BAR_MIB, BAR_START_S = 2.0, 1.3, 2.0, 250, 2.0


def draw(data: str, goods: int, parts: int, seed: int) -> tuple[list[Path], list[tuple[Path, str]], Path]:
    """Pictures of goods, of parts with their kind (as many good as defective ones), and the test folder."""
    rng = np.random.default_rng(seed)
    if data == ELPV:
        good, bad = labelled(0.0), [(path, "defect") for path in labelled(1.0)]
        good = [good[i] for i in rng.permutation(len(good))]
        good, others, test = good[: goods + HELD_OUT], good[goods + HELD_OUT :], Path()
    else:
        test = Path(data) / "test"
        good, others = list_pictures(Path(data) / "train" / "good"), list_pictures(test / GOOD)
        good = [good[i] for i in rng.permutation(len(good))[: goods + HELD_OUT]]
        others = [others[i] for i in rng.permutation(len(others))]
        bad = [(path, kind) for kind in kinds_in(test) if kind != GOOD for path in list_pictures(test / kind)]
    some = [bad[i] for i in rng.permutation(len(bad))[:parts]]
    return good, [*((path, GOOD) for path in others[:parts]), *some], test


def write_frames(pictures: Sequence[Path], folder: Path) -> list[Path]:
    """Each picture stretched to a frame, as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = [folder / f"{folder.name}-{number:04}.png" for number in range(len(pictures))]
    for picture, target in zip(pictures, targets, strict=True):
        cv2.imwrite(str(target), cv2.resize(read_picture(picture), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR))
    return targets


def build_recipe(scratch: Path, vectors: int, seed: int, shown: Steps) -> Path:
    """A sealed recipe whose bank has this many vectors, if there are as many patches; one that is there already serves."""
    out = scratch / f"recipe-{vectors}"
    plan = Plan(
        scratch / "goods",
        out,
        out.name,
        PART_PATTERN,
        held_out=scratch / "held-out",
        score=DEFAULT.score,
        scaling=DEFAULT.scaling,
        smoothing=DEFAULT.smoothing,
        bank_share=1.0,
        bank_most=vectors,
        seed=seed,
    )
    if not out.exists():
        build(plan, shown)
    return out


def print_times(found: dict[Key, Timed], vectors: Sequence[int], clock: str) -> None:
    columns = (*STAGES, "measure", "whole")
    print(f"\n{clock} time as a ratio to the bare encoder's, medians; search = measure, as a ratio to the smallest bank's")
    print(f"{'threads':>7} {'vectors':>8} {'parts':<5} " + " ".join(f"{name:>10}" for name in columns) + f" {'search':>7}")
    for (threads, size, side), timed in found.items():
        search = timed.times_as_long_as(found[threads, vectors[0], side])
        cells = " ".join(f"{timed.median(name):>10.3f}" for name in columns)
        print(f"{threads:>7} {size:>8} {side:<5} {cells} {search:>7.2f}")


def print_exactness(size: int, recipe: Recipe, e: Exactness) -> None:
    how, found = recipe.manifest.bank.search.index, recipe.manifest.bank.vectors
    search = f"hnsw, every {how.stride}. place, ef {how.ef}" if how else "scan"
    pixel = " / ".join("-" if value is None else f"{value:.4f}" for value in e.pixel)
    print(
        f"{size:>8} ({found} vectors of {recipe.manifest.bank.patches} patches, {search}): "
        f"equal on {e.equal} of {e.pictures} pictures; verified median {np.median(e.verified):.0f}, most {max(e.verified)}; "
        f"map error in z mean {e.error.mean():.4f}, 99 % {np.quantile(e.error, 0.99):.4f}; pixel AUROC map / exact {pixel}",
        flush=True,
    )


def print_bars(found: dict[Key, Timed], vectors: Sequence[int], station: Station) -> None:
    middle, least, most = usual(vectors), min(vectors), max(vectors)
    print("\nbars")
    for (threads, size, side), timed in found.items():
        where = f"{threads} thread(s), {side} parts"
        if size == middle:
            whole = timed.median("whole")
            print(f"  frame to verdict, {size} vectors, {where}: {whole:.2f} (≤ {BAR_WHOLE}, aim {AIM_WHOLE})")
        if size == most != least:
            ratio = timed.times_as_long_as(found[threads, least, side])
            print(f"  search among {size} / among {least} vectors, {where}: {ratio:.2f} (≤ {BAR_SEARCH})")
    memory = f"{station.rss_mib:.0f} MiB, highest {station.peak_mib:.0f} MiB"
    print(f"  goodpart run, {middle} vectors, resident after {station.parts} parts: {memory} (≤ {BAR_MIB})")
    starts = ", ".join(f"{wall:.2f} s ({cpu:.2f} s CPU)" for wall, cpu in station.starts_s)
    print(f"  goodpart run, process start to first verdict: {starts} (≤ {BAR_START_S} s)")


def usual(vectors: Sequence[int]) -> int:
    """The bank the bars of one part, memory and start are for, or the one nearest to it."""
    return min(vectors, key=lambda size: abs(size - USUAL))


def plot(found: dict[Key, Timed], path: Path) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - the back end is chosen first

    counts = sorted({threads for threads, _, _ in found})
    figure, rows = plt.subplots(
        1, len(counts), figsize=(6 * len(counts), 5), sharey=True, squeeze=False, layout="constrained"
    )
    for axes, count in zip(rows[0], counts, strict=True):
        bars = {f"{size:,}\n{side}": timed for (threads, size, side), timed in found.items() if threads == count}
        bottom = np.zeros(len(bars))
        for stage in STAGES:
            heights = [timed.median(stage) for timed in bars.values()]
            axes.bar(list(bars), heights, bottom=bottom, label=stage)
            bottom += heights
        axes.axhline(BAR_WHOLE, color="0.4", linestyle="--")
        axes.set(title=f"{count} thread(s)", xlabel="vectors, parts", ylabel="time (ratio to the bare encoder)")
    figure.legend(*rows[0][-1].get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(path, dpi=120)


def cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def run(args: argparse.Namespace, scratch: Path, shown: Steps) -> None:
    goods, chosen, test = draw(args.data, args.goods, args.parts, args.seed)
    write_frames(goods[:-HELD_OUT], scratch / "goods")
    write_frames(goods[-HELD_OUT:], scratch / "held-out")
    frames = write_frames([path for path, _ in chosen], scratch / "parts")
    parts = [
        Part(shot, *one) for path, one in zip(frames, chosen, strict=True) if isinstance(shot := shoot_file(path, 0), Frame)
    ]
    bad = sum(part.kind != GOOD for part in parts)
    print(f"{len(goods) - HELD_OUT} goods in the bank, {HELD_OUT} held out; parts: {len(parts) - bad} good, {bad} defective")
    vectors = sorted(args.vectors)
    recipes = {size: build_recipe(scratch, size, args.seed, shown) for size in vectors}
    print("\nexactness")
    for size, folder in recipes.items():
        recipe = open_recipe(folder)
        print_exactness(size, recipe, compare(recipe, parts, test, shown))
    found = time_all(recipes, parts, args.threads, args.rounds, CLOCKS[args.clock], shown)
    print_times(found, vectors, args.clock)
    print_bars(found, vectors, watch_station(recipes[usual(vectors)], frames, scratch / "station"))
    if args.plot:
        plot(found, args.plot)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--goods", type=int, default=120, help="for the bank; as many again as the promise needs are held out"
    )
    parser.add_argument("--parts", type=int, default=10, help="good ones, and as many defective ones")
    parser.add_argument("--vectors", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--data", default=ELPV, help=f"{ELPV}, or a folder with train/good and test/<kind>")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="cpu: without waiting for a busy processor, summed over threads"
    )
    parser.add_argument(
        "--scratch", type=Path, help="folder to work in; recipes found there serve again, for the same data, goods and seed"
    )
    parser.add_argument("--plot", type=Path, help="PNG to write")
    args = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("goodpart", "onnxruntime", "numpy", "hnswlib"))
    print(f"{cpu_model()}, {versions}, Python {platform.python_version()}; encoder {DEFAULT_ENCODER.name}, seed {args.seed}")
    with tempfile.TemporaryDirectory() as folder, steps() as shown:
        run(args, args.scratch or Path(folder), shown)


if __name__ == "__main__":
    main()
