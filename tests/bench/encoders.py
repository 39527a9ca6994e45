"""Every built-in encoder × size × precision: AUROC of a whole recipe on real pictures beside the time one picture takes.

    python -m tests.bench.encoders --plot encoders.png
    python -m tests.bench.encoders --data elpv FOLDER ... --sizes 256 320 --encoders efficientnet-lite0 efficientnet-lite1

Times are medians on one thread, each as a ratio to the first encoder in FP32, which runs in turns with it. The plot joins
the encoders that none beats in both (the Pareto front). All recipes judge in the default way: only the encoder differs.
"""

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import onnxruntime as ort

from calibration.judgement import DEFAULT
from calibration.progress import Steps, steps
from edge.inspect.card import MODEL_FILE
from export.build import Order
from export.build import build as export
from export.parity import open_session
from export.sources import Wanted
from tests.bench.sets import PROFILES, Trial, add_data_options, judge, trials

ENCODERS = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")
SIZES = (224, 256, 320, 384)
ROUNDS = 30


@dataclasses.dataclass(frozen=True)
class Point:
    """One encoder. aurocs: one for each draw; time: of one picture, as a ratio to the reference."""

    name: str
    size: int
    precision: str
    aurocs: tuple[float, ...]
    time: float

    @property
    def auroc(self) -> float:
        """Mean over the draws."""
        return float(np.mean(self.aurocs))


def measure(args: argparse.Namespace, draws: list[Trial], scratch: Path, shown: Steps) -> Iterator[Point]:
    """All combinations, one after the other; the first one's session is the reference of all times."""
    reference: ort.InferenceSession | None = None
    for name in args.encoders:
        for size in args.sizes:
            for precision in PROFILES:
                aurocs = []
                for draw in draws:
                    encoder = scratch / f"{draw.name}-{draw.seed}-{name}-{size}-{precision}"
                    order = Order(
                        encoder, draw.goods, size, size, PROFILES[precision], 64, draw.seed, force=False, source=Wanted(name)
                    )
                    export(order, lambda _: None)
                    aurocs.append(judge(draw, encoder, args.max_false_reject, scratch, shown, DEFAULT).image_auroc or np.nan)
                session = open_session(encoder / MODEL_FILE)
                reference = reference or session
                yield Point(name, size, precision, tuple(aurocs), time_ratio(session, reference))


def time_ratio(session: ort.InferenceSession, reference: ort.InferenceSession) -> float:
    """Median over rounds of one's time over the other's, taken in turns so that a busy machine slows both."""

    def seconds(one: ort.InferenceSession) -> float:
        picture = np.full(one.get_inputs()[0].shape, 100, np.uint8)
        began = time.perf_counter()
        one.run(None, {"image": picture})
        return time.perf_counter() - began

    seconds(session), seconds(reference)  # the first run allocates
    return float(np.median([seconds(session) / seconds(reference) for _ in range(ROUNDS)]))


def front(points: list[Point]) -> list[Point]:
    """Those that no other beats in time without losing AUROC, fastest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.time, -p.auroc)):
        if not best or point.auroc > best[-1].auroc:
            best.append(point)
    return best


def plot(points: list[Point], path: Path) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - the back end is chosen first

    figure, axes = plt.subplots(figsize=(9, 6), layout="constrained")
    for precision, marker in zip(PROFILES, "os", strict=True):
        for number, name in enumerate(dict.fromkeys(p.name for p in points)):
            group = [p for p in points if p.name == name and p.precision == precision]
            label = f"{name} {precision}"
            axes.scatter([p.time for p in group], [p.auroc for p in group], marker=marker, color=f"C{number}", label=label)
    for p in points:
        axes.annotate(f"{p.size}", (p.time, p.auroc), textcoords="offset points", xytext=(5, 4), fontsize=8)
    pareto = front(points)
    axes.plot([p.time for p in pareto], [p.auroc for p in pareto], color="0.6", zorder=0, label="Pareto front")
    axes.set(xlabel="time of one picture, one thread (ratio to the first)", ylabel="image AUROC, mean of the draws")
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoders", nargs="+", default=ENCODERS)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="inputs, square, in pixels")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    add_data_options(parser)
    parser.add_argument("--plot", type=Path, help="PNG to write")
    args = parser.parse_args()
    print(f"seeds {args.seeds}")
    points = []
    with tempfile.TemporaryDirectory() as folder, steps() as shown:
        scratch = Path(folder)
        draws = list(trials(args.seeds, args.data, args.goods, scratch))
        names = ", ".join(f"{draw.name} {draw.seed}" for draw in draws)
        print(f"{'encoder':<20} {'size':>4} {'':<5} {'time':>6}  image AUROC of {names}")
        for p in measure(args, draws, scratch, shown):
            points.append(p)
            aurocs = " ".join(f"{a:.4f}" for a in p.aurocs)
            print(f"{p.name:<20} {p.size:>4} {p.precision:<5} {p.time:>6.2f}  {aurocs}", flush=True)
    print("Pareto front:", *(f"{p.name} {p.size} {p.precision}" for p in front(points)), sep="\n  ")
    if args.plot:
        plot(points, args.plot)


if __name__ == "__main__":
    main()
