"""What teaching does on real pictures, and what a challenger costs: false rejects and escapes before and after, by seed.

    python tests/bench/teach.py RECIPE TEST --defects KIND [--threshold-share 0.2] [--parts 15] [--seed 0]

TEST has good/ and KIND/. With --threshold-share the threshold is put where so many of the test goods are rejected, as if the
goods had drifted: else a recipe that keeps its promise leaves little to teach. Parts are taught by the device's own code and
rules, one by one, in random order; figures are of the pictures that were not taught. Three teachers:

goods       accepts falsely rejected goods
poisoner    accepts rejected defects
stamp       accepts goods that all bear a faint mark at one place, as a new supplier's goods may
"""

import argparse
import contextlib
import os
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from edge.capture.pictures import list_pictures, read_picture
from edge.errors import NotTaught
from edge.events import Events
from edge.host.clock import Boot, utc_now
from edge.loop import inspect
from edge.recipe.recipe import Recipe, TaughtPart, open_recipe
from edge.report.message import make_result
from edge.report.wire import StationName
from edge.shadow.shadow import Shadow
from edge.teach.config import TeachConfig
from edge.teach.guard import Guard, Rabbits
from edge.teach.lesson import judged, make_lesson
from edge.types import Decision, Frame, Origin, Pixels

NOBODY = Guard(Rabbits(Path(), Path()), (), None)
STATION = StationName(site="bench", area="bench", line="bench", station="bench")


@dataclass(frozen=True)
class Taught:
    """recipe: with what was taught; taught: numbers of the pictures; refused: why others were not, counted."""

    recipe: Recipe
    taught: list[int]
    refused: dict[str, int]


def teach(recipe: Recipe, pictures: Sequence[Pixels], most: int, limits: TeachConfig, seed: int) -> Taught:
    """Accept what the recipe rejects, in random order, until so many are taught."""
    taught: list[int] = []
    refused: dict[str, int] = {}
    for number in np.random.default_rng(seed).permutation(len(pictures)):
        if len(taught) == most:
            break
        if judged(recipe, pictures[number]).decision is Decision.OK:
            continue
        try:
            lesson = make_lesson(recipe, pictures[number], str(number), None, limits, NOBODY)
        except NotTaught as err:
            why = "too far above" if "max_score_ratio" in str(err) else "too many places"
            refused[why] = refused.get(why, 0) + 1
            continue
        recipe = recipe.with_taught((*recipe.taught, lesson.part), limits.reach)
        taught.append(int(number))
    return Taught(recipe, taught, refused)


def rejects(recipe: Recipe, pictures: Sequence[Pixels], but: Sequence[int] = ()) -> int:
    return sum(judged(recipe, p).decision is not Decision.OK for i, p in enumerate(pictures) if i not in set(but))


def stamped(pixels: Pixels) -> Pixels:
    """A faint disc at a fifth of width and height."""
    height, width = pixels.shape[:2]
    disc = cv2.circle(pixels.copy(), (width // 5, height // 5), max(3, width // 60), (255,) * 3, -1, cv2.LINE_AA)
    return np.asarray(cv2.addWeighted(pixels, 0.8, disc, 0.2, 0), np.uint8)


def show(
    name: str, found: Taught, before: Recipe, own: Sequence[Pixels], others: Sequence[tuple[str, Sequence[Pixels]]]
) -> None:
    rows = sum(len(part.places) for part in found.recipe.taught)
    rest = f"rejected of the {len(own) - len(found.taught)} others of its kind"
    print(f"{name}: {len(found.taught)} parts, {rows} patches taught; refused {found.refused or 'none'}")
    print(f"  {rest}: {rejects(before, own, found.taught)} before, {rejects(found.recipe, own, found.taught)} after")
    for kind, pictures in others:
        was, now = rejects(before, pictures), rejects(found.recipe, pictures)
        print(f"  rejected of {len(pictures)} {kind}: {was} before, {now} after")


def search_cost(recipe: Recipe, pictures: Sequence[Pixels], parts: int) -> float:
    """Median time of a whole part beside so many taught parts of 16 patches, as a ratio to none; turn by turn."""
    rng = np.random.default_rng(0)
    count = parts * 16
    places = rng.integers(recipe.eye.rows * recipe.eye.cols, size=count)
    noise = recipe.bank.matrix[rng.integers(len(recipe.bank.matrix), size=count)] + 3
    beside = recipe.with_taught((TaughtPart("bench", noise.astype(np.float32), places),), 1)
    ratios = []
    for pixels in pictures:
        times = []
        for one in (recipe, beside):
            began = time.perf_counter()
            judged(one, pixels)
            times.append(time.perf_counter() - began)
        ratios.append(times[1] / times[0])
    return statistics.median(ratios)


def pin(cores: Iterable[int]) -> None:
    """All threads of this process to these cores."""
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.sched_setaffinity(int(task.name), cores)


def shadow_cost(champion: Recipe, challenger: Recipe, pictures: Sequence[Pixels], cores: int, pause_s: float) -> float:
    """Median time of the champion with a challenger at work, as a ratio to without; rounds of ten parts in turn."""
    compared: list[object] = []
    shadow = Shadow(replace(challenger, id="f" * 64), 1, compared.append, Events())
    everywhere = os.sched_getaffinity(0)
    pin(sorted(everywhere)[:cores])
    boot, alone, beside = Boot(), list[float](), list[float]()
    for number in range(8):
        for watched in (False, True) if number % 2 else (True, False):
            for pixels in pictures[:10]:
                shot = Frame("part", 0, time.monotonic(), utc_now(), pixels)
                began = time.perf_counter()
                verdict = inspect(shot, champion)
                took = time.perf_counter() - began
                (beside if watched else alone).append(took)
                result = make_result(
                    shot, verdict, STATION, champion, boot, took, origin=Origin.REPLAY, clock_synced=None, latency_s=took
                )
                if watched:
                    shadow.put(result)
                    shadow.saw(shot, verdict, result)
                time.sleep(pause_s)
            time.sleep(0.2)  # the challenger ends what it has
    skipped = shadow.standing.skipped
    shadow.close()
    pin(everywhere)
    ratio = statistics.median(beside) / statistics.median(alone)
    print(
        f"shadow, {cores} cores, {pause_s * 1000:g} ms between parts: champion's time × {ratio:.2f}; "
        f"{len(compared)} compared, {skipped} skipped"
    )
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--defects", default="defect")
    parser.add_argument("--threshold-share", type=float)
    parser.add_argument("--parts", type=int, default=15)
    parser.add_argument("--reach", type=int, default=1)
    parser.add_argument("--ratio", type=float, default=1.5)
    parser.add_argument("--most", type=int, default=100_000, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    threadpool_limits(1)  # as `edge.app` does
    recipe = open_recipe(options.recipe)
    rng = np.random.default_rng(options.seed)
    good, bad = (
        [read_picture(p) for p in rng.permutation(np.array(list_pictures(options.test / kind)))[: options.most]]
        for kind in ("good", options.defects)
    )
    if options.threshold_share is not None:
        scores = [verdict.score.value for p in good if (verdict := judged(recipe, p)).score]
        recipe = recipe.with_threshold(float(np.quantile(scores, 1 - options.threshold_share)), "bench")
    limits = TeachConfig(max_score_ratio=options.ratio, reach=options.reach)
    print(f"seed {options.seed}; threshold {recipe.manifest.threshold:.3f}, reach {limits.reach}, ratio {options.ratio:g}")
    show("goods", teach(recipe, good, options.parts, limits, options.seed), recipe, good, [("defects", bad)])
    show("poisoner", teach(recipe, bad, options.parts, limits, options.seed), recipe, bad, [("goods", good)])
    marked = [stamped(p) for p in good]
    wide = limits.model_copy(update={"max_score_ratio": 4.0})
    others = [("goods without it", good), ("defects", bad)]
    show("stamp, ratio 4", teach(recipe, marked, min(options.parts, 5), wide, options.seed), recipe, marked, others)
    for parts in (10, 50):
        print(f"{parts} taught parts: a part takes × {search_cost(recipe, good[:60], parts):.3f}")
    for cores, pause_s in ((1, 0.0), (2, 0.0), (1, 0.1), (2, 0.1)):
        shadow_cost(recipe, recipe.twin(), good, cores, pause_s)


if __name__ == "__main__":
    main()
