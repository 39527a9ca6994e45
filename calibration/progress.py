"""Progress on standard error: a bar for people, silence for pipes."""

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")


class Steps:
    """Shows the steps of one long job, each with its bar."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars

    def track(self, items: Collection[Item], what: str) -> Iterator[Item]:
        """Go through `items` under a bar called `what`."""
        yield from self._bars.track(items, total=len(items), description=what)

    def say(self, sentence: str) -> None:
        """A sentence on standard error, above the bars."""
        self._bars.console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def counter(self, total: int, what: str) -> "Counter":
        """A bar that is told how far it is."""
        return Counter(self._bars, total, what)


class Counter:
    """A bar of `total` steps."""

    def __init__(self, bars: Progress, total: int, what: str) -> None:
        self._bars, self._task = bars, bars.add_task(what, total=total)

    def __call__(self, completed: int) -> None:
        """So many are done."""
        self._bars.update(self._task, completed=completed)


@contextmanager
def steps() -> Iterator[Steps]:
    """Bars on standard error while the block runs."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:
        yield Steps(bars)
