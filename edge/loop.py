"""The page to read first: one part from shot to verdict, and the line that does it part after part."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edge.capture.fitness import look_at, unfit
from edge.capture.sources import Source
from edge.command.controls import Controls
from edge.host.clock import Boot
from edge.inspect.judge import judge
from edge.inspect.refine import NotAligned
from edge.recipe.recipe import Measured, Recipe
from edge.report.message import Result, StationName, make_result
from edge.shift.card import SampleCard
from edge.shift.gate import Gate
from edge.types import Decision, Frame, Reason, Shot, Unfit, Verdict

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where results go."""

    @property
    def undelivered(self) -> int:
        """Results that did not arrive there; after `close`, for good."""

    def put(self, result: Result) -> None:
        """Take one result; must not block the line."""

    def close(self) -> None:
        """Bring out what is still waiting, for a bounded time."""


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

    controls: the recipe in use, which a command may change between two parts. gate: the shift check, if there is one.
    tally counts parts of production, samples the master parts of the check.
    """

    station: StationName
    controls: Controls
    source: Source
    sinks: Sequence[Sink]
    boot: Boot
    gate: Gate | None = None
    tally: Counter[Decision] = field(default_factory=Counter)
    samples: Counter[Decision] = field(default_factory=Counter)

    def run(self) -> Counter[Decision]:
        """Judge until the source ends; returns how many parts had each decision."""
        for shot in self.source:
            began, recipe = time.monotonic(), self.controls.recipe
            verdict, sample = self._weigh(shot, inspect(shot, recipe))
            result = make_result(shot, verdict, self.station, recipe, self.boot, time.monotonic() - began, sample)
            for sink in self.sinks:
                sink.put(result)
            self.source.done(shot, verdict)
            (self.samples if sample else self.tally)[verdict.decision] += 1
        return self.tally

    def _weigh(self, shot: Shot, verdict: Verdict) -> tuple[Verdict, SampleCard | None]:
        return self.gate.weigh(shot, verdict) if self.gate else (verdict, None)
