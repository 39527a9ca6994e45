"""What `tests.bench.engine` measures: stages inside `inspect`, scores and maps beside brute force, a whole process."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from threadpoolctl import threadpool_limits

import edge.inspect.score
import edge.loop
import edge.recipe.recipe
from calibration.evaluate.evaluate import truth_size
from calibration.evaluate.folders import GOOD, truth_at
from calibration.evaluate.pixels import PixelRanking
from calibration.progress import Steps
from edge.inspect.bank import Bank
from edge.inspect.encoder import Encoder
from edge.inspect.heat import spread
from edge.inspect.refine import NotAligned
from edge.inspect.view import View
from edge.loop import inspect
from edge.recipe.recipe import Recipe, open_recipe
from edge.types import Doubles, Floats, Frame
from tests import oracle

STAGES = ("fitness", "resize", "encode", "find", "look again", "walk", "map", "judge", "rest")
_INNER = ("find", "look again", "walk")
_CLOSE = 1e-9
"""Relative; float64 products over a few hundred numbers are off by far less."""

_STARTS, _PARTS, _ENOUGH = 3, 60, 20
"""Starts of a station, parts for each, and after how many of them its memory is read."""

_WAIT_S = 120.0

Clock = Callable[[], float]
"""Seconds."""

Key = tuple[int, int, str]
"""Threads, vectors, "good" or "bad"."""


@dataclass(frozen=True)
class Part:
    """A part to judge. original: the picture the frame was made of."""

    frame: Frame
    original: Path
    kind: str


@dataclass
class Timed:
    """Rounds of one bank, one thread count and one kind of part; ratios to the bare encoder, `measured` in seconds."""

    ratios: list[dict[str, float]] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)

    def median(self, what: str) -> float:
        """Of the rounds, as a ratio to the bare encoder."""
        return float(np.median([one[what] for one in self.ratios]))

    def times_as_long_as(self, other: "Timed") -> float:
        """What depends on the bank, as a ratio to another bank's in the same rounds."""
        return float(np.median(np.divide(self.measured, other.measured)))


@dataclass(frozen=True)
class Exactness:
    """pictures: how many; equal: of these, how many scores are brute force's; error: z of the map less the exact z;
    pixel: AUROC of the map and of the exact map; verified: places measured exactly, for each picture."""

    pictures: int
    equal: int
    error: Doubles
    pixel: tuple[float | None, float | None]
    verified: list[int]


@contextmanager
def clocked(seconds: dict[str, float], clock: Clock) -> Iterator[None]:
    """Inside `inspect`, add up what each stage takes; `measure` includes the stages within it."""
    places: list[tuple[Any, str, str]] = [
        (edge.loop, "look_at", "fitness"),
        (edge.loop, "unfit", "fitness"),
        (View, "look", "resize"),
        (Encoder, "encode", "encode"),
        (Bank, "find", "find"),
        (edge.inspect.score, "_look_again", "look again"),
        (edge.inspect.score, "_walk", "walk"),
        (edge.recipe.recipe, "measure", "measure"),
        (edge.loop, "judge", "judge"),
    ]

    def timing(function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = clock()
            try:
                return function(*args, **kwargs)
            finally:
                seconds[stage] = seconds.get(stage, 0.0) + clock() - began

        return timed

    with ExitStack() as stack:
        for owner, name, stage in places:
            stack.enter_context(mock.patch.object(owner, name, timing(getattr(owner, name), stage)))
        yield


def one_round(part: Part, recipe: Recipe, clock: Clock, timed: Timed) -> None:
    """Bare encoder, whole, bare encoder, stages: each beside the bare run before it."""
    encoder, seconds = recipe.eye.encoder, dict[str, float]()

    def bare() -> float:
        began = clock()
        encoder._session.run(["patches", "embedding"], {"image": encoder._input})  # noqa: SLF001 - what is compared with
        return clock() - began

    before, began = bare(), clock()
    inspect(part.frame, recipe)
    whole = (clock() - began) / before
    before = bare()
    with clocked(seconds, clock):
        began = clock()
        inspect(part.frame, recipe)
        total = clock() - began
    seconds["map"] = seconds["measure"] - sum(seconds[stage] for stage in _INNER)
    seconds["rest"] = total - sum(seconds[stage] for stage in STAGES if stage != "rest")
    timed.ratios.append({stage: value / before for stage, value in seconds.items()} | {"whole": whole})
    timed.measured.append(seconds["measure"])


def brute_force(matrix: Floats, patches: Floats) -> Doubles:
    """Distance of each patch to its nearest row, in float64: products name what rounding could hide, differences decide.

    The same as `tests.oracle.nearest`, which some places are compared with, in seconds instead of minutes.
    """
    rows, points = matrix.astype(np.float64), patches.astype(np.float64)
    squares = np.einsum("ij,ij->i", rows, rows)
    found = np.empty(len(points))
    for start in range(0, len(points), 64):
        some = points[start : start + 64]
        apart = squares - 2 * (some @ rows.T)
        scale = np.einsum("ij,ij->i", some, some) + squares.max()
        at, row = np.nonzero(apart <= (apart.min(axis=1) + _CLOSE * scale)[:, None])
        difference = some[at] - rows[row]
        lowest = np.full(len(some), np.inf)
        np.minimum.at(lowest, at, np.einsum("ij,ij->i", difference, difference))
        found[start : start + 64] = np.sqrt(lowest)
    few = np.linspace(0, len(points) - 1, 4).astype(int)
    if not (oracle.nearest(matrix, patches[few]) == found[few]).all():
        raise AssertionError("brute force disagrees with the oracle")
    return found


def compare(recipe: Recipe, parts: Sequence[Part], test: Path, shown: Steps) -> Exactness:
    """Every part's score and map beside brute force."""
    equal, verified, errors, rankings = 0, list[int](), list[Doubles](), (PixelRanking(), PixelRanking())
    for part in shown.track(parts, "brute force"):
        grid, verdict = recipe.eye(part.frame.pixels), inspect(part.frame, recipe)
        if isinstance(grid, NotAligned) or verdict.score is None or verdict.heat is None:
            continue
        watched, normal, shape = recipe.normal.watched, recipe.normal, verdict.heat.z.shape
        exact = normal.z(brute_force(recipe.bank.matrix, grid.patches)).reshape(shape)
        equal += verdict.score.value == oracle.score(exact[watched], recipe.manifest.judgement.score)
        verified.append(verdict.score.verified)
        errors.append((verdict.heat.z - exact)[watched])
        mask = truth_at(part.original, part.kind, test, truth_size(recipe))
        if mask is not None:
            exactly = replace(verdict.heat, z=exact.astype(np.float32))
            for ranking, heat in zip(rankings, (verdict.heat, exactly), strict=True):
                ranking.add(spread(heat, part.frame.pixels.shape[:2], mask.shape), mask)
    pixel = rankings[0].auroc(), rankings[1].auroc()
    return Exactness(len(verified), equal, np.concatenate(errors), pixel, verified)


def time_all(
    recipes: dict[int, Path], parts: Sequence[Part], threads: Sequence[int], rounds: int, clock: Clock, shown: Steps
) -> dict[Key, Timed]:
    """All banks in turns, round by round, good and defective parts in turns."""
    found: dict[Key, Timed] = {}
    sides = {"good": [p for p in parts if p.kind == GOOD], "bad": [p for p in parts if p.kind != GOOD]}
    for count in threads:
        with threadpool_limits(1):  # as `edge.app` does
            opened = {vectors: open_recipe(folder, count) for vectors, folder in recipes.items()}
            for recipe in opened.values():
                for part in (parts[0], parts[-1]):  # the first ones allocate
                    inspect(part.frame, recipe)
            for number in shown.track(range(rounds), f"timing, {count} threads"):
                for side, some in sides.items():
                    for vectors, recipe in opened.items():
                        one_round(some[number % len(some)], recipe, clock, found.setdefault((count, vectors, side), Timed()))
    return found


@dataclass(frozen=True)
class Station:
    """parts: judged when memory was read; rss_mib, peak_mib: VmRSS and VmHWM in MiB; starts_s: of each start, seconds from
    the start of the process to the first line of results, by the wall clock and of CPU time."""

    parts: int
    rss_mib: float
    peak_mib: float
    starts_s: list[tuple[float, float]]


def watch_station(recipe: Path, frames: Sequence[Path], folder: Path) -> Station:
    """Run a station over some frames, some times one after the other; the run with the median memory is told."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "parts").mkdir(parents=True)
    for number in range(_PARTS):
        shutil.copy(frames[number % len(frames)], folder / "parts" / f"{number:04}.png")
    runs = [_run(recipe, folder, number) for number in range(_STARTS)]
    middle = statistics.median_low([rss for _, rss, _, _ in runs])
    parts, rss, peak, _ = next(run for run in runs if run[1] == middle)
    return Station(parts, rss, peak, [start for _, _, _, start in runs])


def _run(recipe: Path, folder: Path, number: int) -> tuple[int, float, float, tuple[float, float]]:
    """Parts judged, VmRSS, VmHWM, and the start, of one run."""
    results, config = folder / f"results-{number}.jsonl", folder / f"station-{number}.yaml"
    settings = {
        "station": {"site": "bench", "area": "bench", "line": "bench", "station": "bench"},
        "recipe": str(recipe.resolve()),
        "source": {"kind": "folder", "path": str((folder / "parts").resolve())},
        "results": {"path": str(results.resolve())},
    }
    config.write_text(json.dumps(settings))  # JSON is YAML
    began = time.monotonic()
    command = [sys.executable, "-m", "edge.cli", "run", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not (results.exists() and results.stat().st_size):
                _still_runs(process, began)
            first = time.monotonic() - began, _cpu_s(process.pid)
            while (judged := results.read_bytes().count(b"\n")) < _ENOUGH:
                _still_runs(process, began)
            status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
            rss, peak = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
        finally:
            process.terminate()
    return judged, rss, peak, first


def _still_runs(process: "subprocess.Popen[bytes]", began: float) -> None:
    if process.poll() is not None or time.monotonic() - began > _WAIT_S:
        raise RuntimeError(f"goodpart run gives no results: exit code {process.returncode}")
    time.sleep(0.002)


def _cpu_s(pid: int) -> float:
    """User and system time so far, in seconds."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")
