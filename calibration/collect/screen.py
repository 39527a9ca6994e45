"""Standard error as the engineer sees it: what happened, line after line, and below it what is so now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

Tone = Literal["plain", "good", "warn", "bad"]

_STYLES: dict[Tone, str] = {"plain": "", "good": "green", "warn": "yellow", "bad": "bold red"}


@dataclass(frozen=True, slots=True)
class Line:
    """Words, and whether they are good news."""

    words: str
    tone: Tone = "plain"


class Screen(Protocol):
    """Where a session is seen."""

    def say(self, line: Line) -> None:
        """Something happened."""

    def show(self, *lines: Line) -> None:
        """This is so now; takes the place of what was shown before."""


class Terminal:
    """Live lines on a terminal; a pipe or a journal gets only what somebody should look at."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def say(self, line: Line) -> None:
        """One line above the live ones; never wrapped, so that a journal has one entry for it."""
        if line.tone == "plain" and not self._live.console.is_terminal:
            return
        self._live.console.print(Text(line.words, _STYLES[line.tone]), soft_wrap=True, highlight=False)

    def show(self, *lines: Line) -> None:
        """Replace the live lines."""
        self._live.update(Group(*(Text(line.words, _STYLES[line.tone]) for line in lines)), refresh=True)


@contextmanager
def terminal() -> Iterator[Terminal]:
    """The screen while the block runs; the live lines vanish at its end."""
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        yield Terminal(live)
