"""The page to read first: one part from shot to verdict, and the line that does it part after part."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, runtime_checkable

from edge.capture.fitness import look_at, unfit
from edge.capture.sources import Source
from edge.changeover.changeover import Changeover
from edge.command.controls import Controls
from edge.evidence.keeper import Keeper
from edge.health.board import Board
from edge.host.clock import Boot
from edge.host.pulse import Pulse
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


class Watcher(Protocol):
    """Who looks over the line's shoulder."""

    def saw(self, shot: Shot, verdict: Verdict, result: Result) -> None:
        """One shot was judged. Keep references at most: the line waits for this, and copies of frames cost it its time."""


@runtime_checkable
class Keeping(Protocol):
    """A sink that keeps results through the end of the process once it has committed them."""

    def commit(self, within_s: float) -> bool:
        """Wait until every result put so far is committed; False: it took longer."""


_LONGEST_COMMIT_S = 1.0
"""How long a file waits for its result to be committed; a disk that hangs longer does not stop the line."""

_LONGEST_CHANGEOVER_S = 600.0
"""How long the first part of a job may wait for its recipe where none is preloaded: a large bank takes minutes on a slow
card, in a process of its own (`edge.recipe.rehearsal`, 240 s at most) and then here. A watchdog that ended it would do so at
each try."""


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


def in_time(verdict: Verdict, shot: Shot, now_mono_s: float, takt_s: float | None) -> Verdict:
    """The verdict, or NOT_DECIDABLE with what was measured where it comes after the takt's deadline.

    The takt runs from the trigger, or from the frame's arrival where none asked for it; a file has come before it is read.
    What was not decidable before keeps its reason, which says more; but for the gray zone, where a person would now look at
    a part that is gone.
    """
    arrived_s = shot.taken_mono_s if shot.arrived_mono_s is None else shot.arrived_mono_s
    late_s = now_mono_s - (arrived_s if shot.asked_mono_s is None else shot.asked_mono_s)
    judged = verdict.decision is not Decision.NOT_DECIDABLE or verdict.reason is Reason.GRAY_ZONE
    if takt_s is None or late_s <= takt_s or not judged:
        return verdict
    since = "the frame's arrival" if shot.asked_mono_s is None else "the trigger"
    detail = f"{late_s * 1000:.0f} ms after {since}, and takt_s is {takt_s:g} s; it would have been {verdict.decision}"
    return replace(verdict, decision=Decision.NOT_DECIDABLE, reason=Reason.LATE, detail=detail)


@dataclass(frozen=True)
class Line:
    """One camera, one recipe at a time, and everybody who is told.

    controls: the recipe in use, which a command may change between two parts. origin: whether its shots are production.
    gate: the shift check, evidence: who keeps pictures, changeover: the recipes of jobs, proving: who counts the parts of a
    recipe on trial, where there is one. commits: a part is done only when its result is committed, so that a kill in between
    lets it be judged again. watchers see each shot as soon as it is judged, before its result is told. tally counts parts of
    production, samples the master parts of the check; board counts for those who watch from other threads, and pulse says
    what the line is at. takt_s: see `in_time`; clock: monotonic.
    """

    station: StationName
    controls: Controls
    source: Source
    sinks: Sequence[Sink]
    boot: Boot
    origin: Origin
    gate: Gate | None = None
    evidence: Keeper | None = None
    changeover: Changeover | None = None
    proving: Callable[[Recipe, Verdict], None] | None = None
    commits: bool = False
    clock_synced: Callable[[], bool | None] = field(default_factory=ClockSync)
    tally: Counter[Decision] = field(default_factory=Counter)
    samples: Counter[Decision] = field(default_factory=Counter)
    board: Board = field(default_factory=Board)
    pulse: Pulse = field(default_factory=Pulse)
    takt_s: float | None = None
    clock: Callable[[], float] = time.monotonic
    watchers: list[Watcher] = field(default_factory=list)

    def run(self) -> Counter[Decision]:
        """Judge until the source ends; returns how many parts had each decision."""
        self.pulse.beat("camera loop")
        for shot in self.source:
            began_s = self.clock()
            self.pulse.beat("changeover", _LONGEST_CHANGEOVER_S)
            no_recipe = self.changeover.prepare(shot) if self.changeover else None
            self.pulse.beat("inference")
            recipe = self.controls.recipe
            verdict = in_time(no_recipe or inspect(shot, recipe), shot, self.clock(), self.takt_s)
            verdict, sample = self._weigh(shot, verdict)
            result = self._report(shot, verdict, recipe, sample, began_s)
            self.pulse.beat("handing on")
            for watcher in self.watchers:
                watcher.saw(shot, verdict, result)
            # The evidence keeps no picture longer than it needs it.
            hand_on = partial(self._hand_on, pictured=isinstance(shot, Frame))
            if self.evidence:
                self.evidence.put(shot, verdict, result, hand_on)
            else:
                hand_on(shot, verdict, result)
            (self.samples if sample else self.tally)[verdict.decision] += 1
            if self.proving and not sample:
                self.proving(recipe, verdict)
            self.pulse.beat("camera loop")
        self.pulse.rest()
        return self.tally

    def _weigh(self, shot: Shot, verdict: Verdict) -> tuple[Verdict, SampleCard | None]:
        return self.gate.weigh(shot, verdict) if self.gate else (verdict, None)

    def _report(
        self, shot: Shot, verdict: Verdict, recipe: Recipe, sample: SampleCard | None, began_mono_s: float
    ) -> Result:
        now_s = self.clock()
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
        log.info("part %s: %s %s", result.part_id, result.verdict, result.reason, extra={"journal": _fields(result)})
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


def _fields(result: Result) -> dict[str, str]:
    """What a result can be found by in the journal."""
    return {
        "GOODPART_PART": result.part_id,
        "GOODPART_VERDICT": result.verdict,
        "GOODPART_REASON": result.reason,
        "GOODPART_RESULT_ID": result.result_id,
    }
