"""What another recipe costs the line while it judges: memory that stays, and the longest gap between two parts.

    .venv/bin/python -m tests.bench.switching RECIPE PICTURE --switches 30

One line judges the same picture without a pause, as `goodpart run` does. Meanwhile the recipe and a renamed copy of it are
activated in turn, each opened first in a process of its own. A gap is from the end of one part to the end of the next, so
without any change it is the time of a part; it is said as a ratio to the median part before the first change. Memory is
resident, of this process; it is read after each activation, and the first ones fill pools that stay.
"""

import argparse
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from edge.capture.sources import shoot_file
from edge.command.controls import Controls
from edge.command.recipes import RecipeChanges
from edge.events import Events
from edge.host.clock import Boot
from edge.host.machine import resident_bytes
from edge.loop import Line
from edge.recipe.manifest import MANIFEST_FILE
from edge.recipe.opener import Opener
from edge.types import Origin, Shot, Verdict
from tests.results import STATION

_BEFORE = 100
"""Parts that say how long one takes."""


class Again:
    """The same shot until it is told to stop; when each part ended, monotonic seconds."""

    def __init__(self, shot: Shot) -> None:
        self.stop, self.ended_s = threading.Event(), list[float]()
        self._shot = shot

    def __iter__(self) -> Iterator[Shot]:
        while not self.stop.is_set():
            yield self._shot

    def done(self, _shot: Shot, _verdict: Verdict) -> None:
        self.ended_s.append(time.monotonic())


def activate(changes: RecipeChanges, name: str) -> None:
    """And wait until it judges."""
    ended = threading.Event()
    words: list[str] = []

    def answer(well: bool, said: str) -> None:
        words.append("" if well else said)
        ended.set()

    changes.activate(name, answer)
    ended.wait()
    if words[0]:
        raise SystemExit(words[0])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--switches", type=int, default=30)
    asked = parser.parse_args()
    threadpool_limits(1)
    with tempfile.TemporaryDirectory() as folder:
        other = Path(shutil.copytree(asked.recipe, Path(folder) / "other"))
        card = json.loads((other / MANIFEST_FILE).read_text())
        (other / MANIFEST_FILE).write_text(json.dumps(card | {"name": "other"}))
        opener, events = Opener(threads=1), Events()
        controls, source = Controls(opener.open(asked.recipe)), Again(shoot_file(asked.picture, 0))
        changes = RecipeChanges(controls, {"a": asked.recipe, "b": other}, opener, None, events)
        line = Line(STATION, controls, source, (), Boot(), Origin.SIMULATED)
        judging = threading.Thread(target=line.run)
        judging.start()
        while len(source.ended_s) < _BEFORE:
            time.sleep(0.1)
        memory, worst, shares = [], [], []
        for name in islice(cycle("ba"), asked.switches):
            first = len(source.ended_s)
            activate(changes, name)
            gaps = np.diff(source.ended_s[first - 1 :])
            worst.append(float(gaps.max()))
            shares.append(float(np.median(gaps)))
            memory.append((resident_bytes() or 0) / 1e6)
        source.stop.set()
        judging.join()
    part = float(np.median(np.diff(source.ended_s[:_BEFORE])))
    print(f"a part: 1.0; while a recipe is opened: {np.median(shares) / part:.2f} in the median")
    print(f"worst gap of an activation: {np.median(worst) / part:.1f} in the median, {max(worst) / part:.1f} at most")
    half = len(memory) // 2
    print(
        f"memory, MB: {memory[0]:.0f} after the first, {memory[half]:.0f} after {half + 1}, {memory[-1]:.0f} after the last"
    )
    print(f"parts judged: {len(source.ended_s)}")


if __name__ == "__main__":
    main()
