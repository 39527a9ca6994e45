"""What the operator's page costs the line: time from frame to the next one, as ratios to the same loop without a page.

    python -m tests.bench.page
    python -m tests.bench.page --core 0          # the device on one core, as on a small one; viewers are elsewhere

Monocrystalline cells of elpv-dataset, drawn with the seed and stretched to 640×480 frames, half of them defective, go
through `Line.run` as fast as it can, so the page finds no idle time to work in; any real line leaves it more. The variants
take turns in each round, each round in another order. Viewers are processes of their own that do what a browser does: hear
the stream, and fetch the live picture whenever a part is new. Medians of the rounds: wall time and the loop thread's own CPU
time as ratios, and `beside`, the CPU time that all other threads took as a share of one core.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import timeit
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from calibration.progress import steps
from edge.app.page import page_of
from edge.capture.sources import shoot_file
from edge.command.controls import Controls
from edge.config import StationConfig, load_config
from edge.events import Events
from edge.host.clock import Boot
from edge.loop import Line
from edge.page.shelf import Shelf
from edge.recipe.recipe import Recipe, open_recipe
from edge.types import Frame, Origin, Shot, Verdict
from tests.bench.engine import HELD_OUT, build_recipe, cpu_model, draw, write_frames
from tests.brokers import HOST, free_port, wait_until
from tests.conftest import station_file
from tests.lines import BAD, FRAME, checkup_of
from tests.results import STATION, result
from tests.viewer import READY

VARIANTS: dict[str, int | None] = {"no page": None, "no viewer": 0, "1 viewer": 1, "5 viewers": 5}
"""Name to viewers."""

_WARM = 5


@dataclass
class Paced:
    """Frames one after another, and how long the loop took for each: wall and CPU seconds."""

    frames: Sequence[Frame]
    took: list[tuple[float, float]] = field(default_factory=list)

    def __iter__(self) -> Iterator[Shot]:
        for frame in self.frames:
            wall_s, cpu_s = time.perf_counter(), time.thread_time()
            yield frame
            self.took.append((time.perf_counter() - wall_s, time.thread_time() - cpu_s))

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """Nothing."""


@contextmanager
def looking(count: int, port: int, cores: set[int]) -> Iterator[None]:
    """So many viewers, each of which has been told something."""
    command = [sys.executable, "-m", "tests.viewer", HOST, str(port)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        for viewer in started:
            os.sched_setaffinity(viewer.pid, cores)
            assert viewer.stdout
            assert viewer.stdout.readline().strip() == READY
        yield
    finally:
        for viewer in started:
            viewer.kill()
            viewer.communicate()


@dataclass(frozen=True, slots=True)
class Cost:
    """Mean seconds of a part, wall and CPU of the loop's thread; beside: of the other threads, per second.

    Means, since what a page takes now and then is not in a median.
    """

    wall_s: float
    cpu_s: float
    beside: float


def cost_of(recipe: Recipe, config: StationConfig, frames: Sequence[Frame], viewers: int | None, cores: set[int]) -> Cost:
    """One run of all frames."""
    source = Paced(frames)
    line = Line(STATION, Controls(recipe), source, (), Boot(), Origin.REPLAY)
    with ExitStack() as stack:
        if viewers is not None and config.page:
            stack.enter_context(page_of(config, line, checkup_of(line, Path(config.recipe)), Events()))
            wait_until(lambda: line.watchers, "the page")
            stack.enter_context(looking(viewers, config.page.port, cores))
        began_s, all_s, own_s = time.perf_counter(), time.process_time(), time.thread_time()
        line.run()
        others_s = (time.process_time() - all_s) - (time.thread_time() - own_s)
        beside = others_s / (time.perf_counter() - began_s)
    wall_s, cpu_s = np.mean(source.took[_WARM:], axis=0)
    return Cost(float(wall_s), float(cpu_s), beside)


def measure(args: argparse.Namespace, scratch: Path) -> None:
    goods, chosen, _ = draw("elpv", args.goods, args.parts, args.seed)
    write_frames(goods[:-HELD_OUT], scratch / "goods")
    write_frames(goods[-HELD_OUT:], scratch / "held-out")
    paths = write_frames([path for path, _ in chosen], scratch / "parts")
    frames = [shot for path in paths if isinstance(shot := shoot_file(path, 0), Frame)]
    frames = [frames[i] for i in np.random.default_rng(args.seed).permutation(len(frames))]
    with steps() as shown:
        folder = build_recipe(scratch, args.vectors, args.seed, shown)
    recipe = open_recipe(folder)
    cores = os.sched_getaffinity(0)
    if args.core is not None:
        cores = (cores - {args.core}) or cores
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), {args.core})
    settings = {"port": free_port(), "decisions": str(scratch / "decisions.jsonl")}
    source: dict[str, object] = {"kind": "folder", "path": "."}
    config = load_config(station_file(scratch, folder, source, results={"path": "-"}, page=settings))
    found: dict[str, list[Cost]] = defaultdict(list)
    names = list(VARIANTS)
    for number in range(args.rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            found[name].append(cost_of(recipe, config, frames, VARIANTS[name], cores))
    report(found, len(frames))


def report(found: dict[str, list[Cost]], parts: int) -> None:
    bare = found["no page"]
    usual_s = float(np.median([cost.wall_s for cost in bare]))
    print(f"{len(bare)} rounds of {parts} parts; without a page {1000 * usual_s:.1f} ms a part")
    print(f"{'':<12}{'wall':>8}{'CPU':>8}{'beside':>8}   quartiles of wall")
    for name, costs in found.items():
        walls = [cost.wall_s / other.wall_s for cost, other in zip(costs, bare, strict=True)]
        cpu = np.median([cost.cpu_s / other.cpu_s for cost, other in zip(costs, bare, strict=True)])
        beside = np.median([cost.beside for cost in costs])
        low, wall, high = np.quantile(walls, (0.25, 0.5, 0.75))
        print(f"{name:<12}{wall:>8.3f}{cpu:>8.3f}{beside:>8.3f}   {low:.3f} to {high:.3f}")
    shelf = Shelf()
    told = result(1).model_copy(update={"verdict": BAD.decision, "reason": BAD.reason})
    saw_s = timeit.timeit(lambda: shelf.saw(FRAME, BAD, told), number=20_000) / 20_000
    print(f"what the loop itself does for the page: {saw_s * 1e6:.2f} µs for a reject, {saw_s / usual_s:.6f} of a part")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goods", type=int, default=120)
    parser.add_argument("--parts", type=int, default=40, help="good ones, and as many defective ones")
    parser.add_argument("--vectors", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--core", type=int, help="keep the device on this core, and its viewers off it")
    parser.add_argument("--scratch", type=Path, help="folder to work in; a recipe found there serves again")
    args = parser.parse_args()
    print(f"{cpu_model()}, seed {args.seed}, " + ("all cores" if args.core is None else f"device on core {args.core}"))
    threadpool_limits(1)  # as `goodpart run` does
    with tempfile.TemporaryDirectory() as folder:
        measure(args, args.scratch or Path(folder))


if __name__ == "__main__":
    main()
