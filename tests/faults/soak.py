"""Faults without end on a whole plant, and the books at the end.

    python -m tests.faults.soak --seed 7 --minutes 60

Prints what it does, then faults by kind, the books of all results, and how long after each fault the first new result came.
Ctrl-C ends it early and in order, a second one at once. Exits with 1 when the books do not balance.
"""

import argparse
import json
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
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


def soak(
    folder: Path, seed: int, plan: Callable[[World], Iterable[Episode]], tell: Callable[[str], None], stop: threading.Event
) -> Soaked:
    """Do one episode after the other. plan: which, given a world that knows what it can do; stop: ends it early."""
    began_s = time.monotonic()
    done: list[Fault] = []
    recoveries: list[Recovery] = []
    with World(folder) as world:
        for episode in plan(world):
            if stop.wait(episode.rest_s):
                break
            tell(f"{time.monotonic() - began_s:7.1f} s  {episode}")
            recoveries.append(_live_through(world, episode, done, stop))
            tell(f"{'':9}  {recoveries[-1].seconds:.2f} s to the first new result")
        books = audit(world.finish(), world.mes.letters)
        books = replace(books, objections=(*books.objections, *world.objections))
    return Soaked(seed, time.monotonic() - began_s, tuple(done), tuple(recoveries), books)


def _live_through(world: World, episode: Episode, done: list[Fault], stop: threading.Event) -> Recovery:
    """Begin and end each fault at its time; told to stop, end at once those that have begun."""
    steps = [(fault.begins_s, world.begin, fault) for fault in episode.faults]
    steps += [(fault.ends_s, world.end, fault) for fault in episode.faults]
    active: list[Fault] = []
    began_s = time.monotonic()
    for at_s, step, fault in sorted(steps, key=lambda step: step[0]):
        stop.wait(max(0.0, began_s + at_s - time.monotonic()))
        if fault in active:
            active.remove(fault)
            step(fault)
        elif not stop.is_set():
            active.append(fault)
            done.append(fault)
            step(fault)
    well_s = time.monotonic()
    try:
        wait_until(lambda: world.mes.newest_s > well_s, "a new result", PATIENCE_S)
    except AssertionError as err:
        raise AssertionError(f"{err} after {episode}; the device says:\n{world.words}") from None
    after = AT_ONCE if len(episode.faults) > 1 else str(episode.faults[0].kind)
    return Recovery(after, world.mes.newest_s - well_s)


def report(soaked: Soaked) -> str:
    """All figures in words."""
    by_kind = Counter(str(fault.kind) for fault in soaked.faults)
    waits: dict[str, list[float]] = defaultdict(list)
    for recovery in soaked.recoveries:
        waits[recovery.after].append(recovery.seconds)
    head = f"seed {soaked.seed}, {soaked.took_s / 60:.1f} minutes, {len(soaked.faults)} faults, {soaked.books.made:,} parts"
    rows = [f"{'first new result after':<26}{'faults':>7}{'measured':>10}{'median s':>10}{'worst s':>9}"]
    for kind in [*sorted(by_kind), AT_ONCE]:
        times = waits.get(kind, [])
        middle, worst = (f"{statistics.median(times):.2f}", f"{max(times):.2f}") if times else ("", "")
        rows.append(f"{kind:<26}{by_kind[kind] or '':>7}{len(times):>10}{middle:>10}{worst:>9}")
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

    stop = threading.Event()

    def interrupt(_number: int, _frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, interrupt)
    with tempfile.TemporaryDirectory(prefix="goodpart-soak-") as folder:
        soaked = soak(Path(folder), options.seed, plan, lambda words: print(words, flush=True), stop)
    if options.json:
        options.json.write_text(json.dumps(asdict(soaked), indent=1))
    print(report(soaked))
    sys.exit(0 if soaked.books.balanced else 1)


if __name__ == "__main__":
    main()
