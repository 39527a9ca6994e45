"""Faults without end on a whole plant, and the books at the end.

    python -m tests.faults.soak --seed 7 --minutes 60

Prints what it does, then faults by kind, the books of all results, and how long after each fault the first new result came.
Ctrl-C ends it early and in order. Exits with 1 when the books do not balance.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path

from tests.brokers import wait_until
from tests.faults.checker import Books, audit, in_words
from tests.faults.schedule import Episode, Fault, episodes
from tests.faults.world import PATIENCE_S, World

AT_ONCE = "two at once"


@dataclass(frozen=True, slots=True)
class Recovery:
    """seconds: from the end of an episode's last fault to the first new result at the MES."""

    after: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Soaked:
    """What was done, how long recovery took, and the books."""

    seed: int
    took_s: float
    faults: tuple[Fault, ...]
    recoveries: tuple[Recovery, ...]
    books: Books


def soak(folder: Path, seed: int, plan: Callable[[World], Iterable[Episode]], tell: Callable[[str], None]) -> Soaked:
    """Do one episode after the other; plan: what, given a world that knows what it can do."""
    began_s = time.monotonic()
    done: list[Fault] = []
    recoveries: list[Recovery] = []
    with World(folder) as world:
        try:
            for episode in plan(world):
                time.sleep(episode.rest_s)
                tell(f"{time.monotonic() - began_s:7.1f} s  {episode}")
                recoveries.append(_live_through(world, episode, done))
                tell(f"{'':9}  {recoveries[-1].seconds:.2f} s to the first new result")
        except KeyboardInterrupt:
            tell("interrupted; the device is ended in order, and the books are made")
        lives = world.finish()
        books = audit(lives, world.mes.letters)
    return Soaked(seed, time.monotonic() - began_s, tuple(done), tuple(recoveries), books)


def _live_through(world: World, episode: Episode, done: list[Fault]) -> Recovery:
    """Begin and end each fault at its time; when that is interrupted, all is made well again."""
    steps = sorted(
        [(fault.begins_s, True, fault) for fault in episode.faults]
        + [(fault.ends_s, False, fault) for fault in episode.faults],
        key=lambda step: (step[0], step[1]),
    )
    active: list[Fault] = []
    began_s = time.monotonic()
    try:
        for at_s, begins, fault in steps:
            time.sleep(max(0.0, began_s + at_s - time.monotonic()))
            if begins:
                active.append(fault)
                world.begin(fault)
                done.append(fault)
            else:
                active.remove(fault)
                world.end(fault)
    finally:
        for fault in active:
            world.end(fault)
    well_s = time.monotonic()
    wait_until(lambda: world.mes.newest_s > well_s, f"a new result after {episode}", PATIENCE_S)
    after = AT_ONCE if len(episode.faults) > 1 else str(episode.faults[0].kind)
    return Recovery(after, world.mes.newest_s - well_s)


def report(soaked: Soaked) -> str:
    """All figures in words."""
    by_kind = Counter(fault.kind for fault in soaked.faults)
    waits: dict[str, list[float]] = defaultdict(list)
    for recovery in soaked.recoveries:
        waits[recovery.after].append(recovery.seconds)
    head = f"seed {soaked.seed}, {soaked.took_s / 60:.1f} minutes, {len(soaked.faults)} faults, {soaked.books.made:,} parts"
    rows = [f"{'first new result after':<26}{'faults':>7}{'measured':>10}{'median s':>10}{'worst s':>9}"]
    for kind in [*sorted(by_kind), AT_ONCE]:
        times = waits.get(kind, [])
        middle, worst = (f"{statistics.median(times):.2f}", f"{max(times):.2f}") if times else ("", "")
        rows.append(f"{kind:<26}{by_kind.get(kind, ''):>7}{len(times):>10}{middle:>10}{worst:>9}")
    return "\n".join([head, "", *rows, "", in_words(soaked.books)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the schedule")
    parser.add_argument("--minutes", type=float, default=60.0, help="no episode begins later")
    parser.add_argument("--longest", type=float, default=20.0, help="seconds a fault may last")
    parser.add_argument("--json", type=Path, help="faults, recovery times and books")
    options = parser.parse_args()
    deadline_s = time.monotonic() + 60 * options.minutes

    def plan(world: World) -> Iterable[Episode]:
        return takewhile(lambda _: time.monotonic() < deadline_s, episodes(options.seed, options.longest, world.kinds))

    with tempfile.TemporaryDirectory(prefix="goodpart-soak-") as folder:
        soaked = soak(Path(folder), options.seed, plan, lambda words: print(words, flush=True))
    if options.json:
        options.json.write_text(json.dumps(asdict(soaked), indent=1))
    print(report(soaked))
    sys.exit(0 if soaked.books.balanced else 1)


if __name__ == "__main__":
    main()
