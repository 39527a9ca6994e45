"""Lines that judge nothing: parts, deliveries and losses as a test wants them, for those who watch a line."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edge.capture.sources import Feed
from edge.command.controls import Controls
from edge.health.checkup import Checkup
from edge.host.clock import Boot
from edge.loop import Line, Sink
from edge.recipe.recipe import Recipe
from edge.report.books import Account, Loss
from edge.report.message import Result
from edge.shadow.shadow import Shadow
from edge.types import Decision, Frame, Origin, Reason, Shot, Verdict
from tests.results import STATION, result

GOOD = Verdict(Decision.OK, Reason.WITHIN_THRESHOLD)
BAD = Verdict(Decision.NOK, Reason.ABOVE_THRESHOLD)
LOST = Verdict.not_decidable(Reason.CAMERA_LOST, "away")

FRAME = Frame("part", 1, 0.0, datetime(2026, 1, 1, tzinfo=UTC), np.zeros((2, 2, 3), np.uint8))


class Quiet:
    """A source that yields nothing."""

    def __iter__(self) -> Iterator[Shot]:
        return iter(())

    def done(self, shot: Shot, verdict: Verdict) -> None:
        """Nothing."""


class Fed(Quiet):
    """A live source that is as a test says."""

    def __init__(self, feed: Feed) -> None:
        self.now = feed

    def feed(self) -> Feed:
        return self.now


class Heard:
    """A sink that remembers."""

    waiting = lost = 0

    def __init__(self) -> None:
        self.results: list[Result] = []

    def put(self, result: Result) -> None:
        self.results.append(result)

    def close(self) -> None:
        """Nothing."""


class Books:
    """A sink in which results wait until they are delivered or lost.

    forgets: results that vanish from its books. meanwhile: what happens once, just after somebody has read them.
    """

    def __init__(self, name: str, carried: int = 0) -> None:
        self.forgets = 0
        self.meanwhile: Callable[[], None] | None = None
        self._name, self._carried = name, carried
        self._waiting, self._delivered = carried, 0
        self._losses = dict.fromkeys(Loss, 0)

    @property
    def waiting(self) -> int:
        return self._waiting

    @property
    def lost(self) -> int:
        return sum(self._losses.values())

    def put(self, _result: Result) -> None:
        self._waiting += 1

    def close(self) -> None:
        """Nothing."""

    def deliver(self, most: int) -> None:
        some = min(most, self._waiting)
        self._waiting -= some
        self._delivered += some

    def lose(self, most: int, cause: Loss) -> None:
        some = min(most, self._waiting)
        self._waiting -= some
        self._losses[cause] += some

    def counts(self) -> Account:
        account = Account(self._name, self._delivered - self.forgets, self._waiting, dict(self._losses), self._carried)
        if happens := self.meanwhile:
            self.meanwhile = None
            happens()
        return account


def line_of(recipe: Recipe, sinks: Sequence[Sink], source: Quiet | None = None) -> Line:
    return Line(STATION, Controls(recipe), source or Quiet(), sinks, Boot(), Origin.REPLAY)


def tell(line: Line, verdict: Verdict, *, sample: bool = False, taken_s: float = 0, began_s: float = 0, ended_s: float = 0):
    """What the loop does with one shot once it is judged."""
    line.board.begin()
    for sink in line.sinks:
        sink.put(result(1))
    line.board.told(
        verdict, ended_s - began_s, ended_s - taken_s, pictured=verdict.reason is not Reason.CAMERA_LOST, sample=sample
    )


def checkup_of(line: Line, folder: Path = Path(), interval_s: float = 60, shadow: Shadow | None = None) -> Checkup:
    return Checkup(line, "camera", folder, interval_s, shadow)
