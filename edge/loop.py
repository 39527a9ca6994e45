"""The page to read first: one part from shot to verdict, and the line that does it part after part."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, runtime_checkable

from edge.capture.fitness import look_at, unfit
from edge.capture.sources import Source
from edge.command.controls import Controls
from edge.evidence.keeper import Keeper
from edge.health.board import Board
from edge.host.clock import Boot
from edge.host.time_sync import ClockSync
from edge.inspect.judge import judge
from edge.inspect.refine import NotAligned
from edge.recipe.recipe import Measured, Recipe
from edge.report.message import Result, make_result
from edge.report.wire import StationName
from edge.shift.card import SampleCard
from edge.shift.gate import Gate
from edge.types import Decision, Frame, Origin, Reason, Shot, Unfit, Verdict

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where results go."""

    @property
    def waiting(self) -> int:
        """Results that have not arrived there yet; after `close`, those that are kept and sent at the next start."""

    @property
    def lost(self) -> int:
        """Results that will never arrive there."""

    def put(self, result: Result) -> None:
        """Take one result; must not block the line."""

    def close(self) -> None:
        """Bring out what is still waiting, for a bounded time."""


@runtime_checkable
class Keeping(Protocol):
    """A sink that keeps results through the end of the process once it has committed them."""

    def commit(self, within_s: float) -> bool:
        """Wait until every result put so far is committed; False: it took longer."""


_LONGEST_COMMIT_S = 1.0
"""How long a file waits for its result to be committed; a disk that hangs longer does not stop the line."""


def inspect(shot: Shot, recipe: Recipe, measured: Measured | None = None) -> Verdict:
    """One part: fit to judge? → look and encode → distances → score → verdict.

    measured: what `recipe.measure` says of the frame, where that is known already.
    """
    match shot:
        case Unfit(reason=reason, detail=detail):
            return Verdict.not_decidable(reason, detail)
        case Frame(pixels=pixels):
            if fault := unfit(look_at(pixels), recipe.manifest.fitness):
                return Verdict.not_decidable(*fault)
            measured = measured or recipe.measure(pixels)
            if isinstance(measured, NotAligned):
                return Verdict.not_decidable(Reason.NOT_ALIGNED, measured.detail)
            score, heat = measured
            manifest, (height, width) = recipe.manifest, pixels.shape[:2]
            return judge(score, heat, manifest.threshold, width, height, manifest.doubtful_above)
        case _:
            raise TypeError(f"a source yielded {type(shot).__name__}")


@dataclass(frozen=True)
class Line:
    """One camera, one recipe at a time, and everybody who is told.

    controls: the recipe in use, which a command may change between two parts. origin: whether its shots are production.
    gate: the shift check, and evidence: who keeps pictures, where there is one. commits: a part is done only when its result
    is committed, so that a kill in between lets it be judged again. tally counts parts of production, samples
    the master parts of the check; board counts for those who watch from other threads.
    """

    station: StationName
    controls: Controls
    source: Source
    sinks: Sequence[Sink]
    boot: Boot
    origin: Origin
    gate: Gate | None = None
    evidence: Keeper | None = None
    commits: bool = False
    clock_synced: Callable[[], bool | None] = field(default_factory=ClockSync)
    tally: Counter[Decision] = field(default_factory=Counter)
    samples: Counter[Decision] = field(default_factory=Counter)
    board: Board = field(default_factory=Board)

    def run(self) -> Counter[Decision]:
        """Judge until the source ends; returns how many parts had each decision."""
        for shot in self.source:
            began_s, recipe = time.monotonic(), self.controls.recipe
            verdict, sample = self._weigh(shot, inspect(shot, recipe))
            result = self._report(shot, verdict, recipe, sample, began_s)
            # The evidence keeps no picture longer than it needs it.
            hand_on = partial(self._hand_on, pictured=isinstance(shot, Frame))
            if self.evidence:
                self.evidence.put(shot, verdict, result, hand_on)
            else:
                hand_on(shot, verdict, result)
            (self.samples if sample else self.tally)[verdict.decision] += 1
        return self.tally

    def _weigh(self, shot: Shot, verdict: Verdict) -> tuple[Verdict, SampleCard | None]:
        return self.gate.weigh(shot, verdict) if self.gate else (verdict, None)

    def _report(
        self, shot: Shot, verdict: Verdict, recipe: Recipe, sample: SampleCard | None, began_mono_s: float
    ) -> Result:
        now_s = time.monotonic()
        return make_result(
            shot,
            verdict,
            self.station,
            recipe,
            self.boot,
            now_s - began_mono_s,
            sample,
            origin=self.origin,
            clock_synced=self.clock_synced(),
            latency_s=now_s - shot.taken_mono_s,
        )

    def _hand_on(self, shot: Shot, verdict: Verdict, result: Result, *, pictured: bool) -> None:
        """What is left to do when the evidence is on the disk."""
        self.board.begin()
        for sink in self.sinks:
            sink.put(result)
        inspect_s, capture_s = result.inspect_ms / 1000, result.latency_ms / 1000
        self.board.told(verdict, inspect_s, capture_s, pictured=pictured, sample=result.sample is not None)
        if self.commits:
            for sink in self.sinks:
                if isinstance(sink, Keeping):
                    sink.commit(_LONGEST_COMMIT_S)
        self.source.done(shot, verdict)
