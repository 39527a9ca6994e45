"""The shift check as a state machine: it does no I/O and knows no clock but the one it is told.

::

    waiting ── every sample came out as expected ──► released ── a listed time, or asked ──► waiting
       └────── `tries` rounds failed ──────────────► blocked ─── a listed time, or asked ──► waiting
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from edge.shift.card import SampleCard
from edge.shift.times import ShiftTimes
from edge.shift.words import begun, blocked, came_late, came_out_right, came_out_wrong, to_present
from edge.types import Reason, Verdict


class Phase(Enum):
    """What the line may do."""

    WAITING = auto()  # the next shot shows a sample
    RELEASED = auto()  # parts are judged
    BLOCKED = auto()  # no part is judged


@dataclass(frozen=True, slots=True)
class Moment:
    """mono_s: monotonic seconds; wall: local wall-clock time without a zone, which may step."""

    mono_s: float
    wall: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence for the operator. enters: the phase that begins with it, None where the phase goes on."""

    words: str
    enters: Phase | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the check makes of a verdict.

    verdict: what the line is told; sample: the master part it is about, None for a part of production; said: what
    the operator is told, nothing where nothing has changed.
    """

    verdict: Verdict
    sample: SampleCard | None = None
    said: tuple[Said, ...] = ()


class ShiftCheck:
    """Expects the samples in their order, releases the line when all came out right, and blocks it after `tries` failures.

    A check is due at the start, at each listed time and when it is asked for; one that is under way then counts. A shot
    sooner than `pause_s` after the last step shows nobody knows what, and is NOT_DECIDABLE. A shot of which nothing was
    measured, such as a dark one, leaves the step as it is: it says nothing about the judgement of samples. Nor does one that
    was judged too late for the takt, whatever it would have been: the sample is shown again.
    """

    def __init__(
        self, samples: Sequence[SampleCard], times: ShiftTimes, *, tries: int, pause_s: float, start: Moment
    ) -> None:
        self._samples, self._times, self._tries, self._pause_s = tuple(samples), times, tries, pause_s
        self._phase = Phase.WAITING
        self._failed = 0
        self._why_blocked = ""
        self.greeting = self._begin(start, "at the start")

    @property
    def phase(self) -> Phase:
        """What the line may do now."""
        return self._phase

    @property
    def expected(self) -> SampleCard | None:
        """The sample that is to be presented; None while none is."""
        return self._samples[self._index] if self._phase is Phase.WAITING else None

    def weigh(self, verdict: Verdict, now: Moment, *, asked: bool = False) -> Weighed:
        """One shot, judged as if it were a part. asked: the operator wants a new round from the first sample on."""
        due = self._times.due(now.wall)
        said: tuple[Said, ...] = ()
        if asked or (due and self._phase is not Phase.WAITING):
            said = (Said(self._begin(now, "as asked" if asked else "as it is due"), Phase.WAITING),)
        match self._phase:
            case Phase.RELEASED:
                return Weighed(verdict)
            case Phase.BLOCKED:
                return Weighed(Verdict.not_decidable(Reason.SHIFT_CHECK_FAILED, self._why_blocked))
            case Phase.WAITING:
                return self._wait(verdict, now, said)

    def _wait(self, verdict: Verdict, now: Moment, said: tuple[Said, ...]) -> Weighed:
        sample = self._samples[self._index]
        if now.mono_s - self._step_mono_s < self._pause_s:
            return Weighed(Verdict.not_decidable(Reason.SHIFT_CHECK_DUE, f"the shift check waits for {sample}"), said=said)
        if verdict.score is None:
            return Weighed(verdict, sample, said)
        if verdict.reason is Reason.LATE:
            # At once, for it may still lie there.
            again = to_present(sample, self._index + 1, len(self._samples), pause_s=0)
            return Weighed(verdict, sample, (*said, Said(came_late(sample, verdict, again))))
        right = verdict.decision is sample.expected
        words = self._pass(verdict, now) if right else self._fail(verdict, now)
        step = Said(words, None if self._phase is Phase.WAITING else self._phase)
        return Weighed(verdict, sample, (*said, step))

    def _begin(self, now: Moment, why: str) -> str:
        self._phase, self._failed = Phase.WAITING, 0
        return begun(self._step_to(0, now), why)

    def _step_to(self, index: int, now: Moment) -> str:
        self._index, self._step_mono_s = index, now.mono_s
        return to_present(self._samples[index], index + 1, len(self._samples), self._pause_s)

    def _pass(self, verdict: Verdict, now: Moment) -> str:
        sample, following = self._samples[self._index], self._index + 1
        if following < len(self._samples):
            return came_out_right(sample, verdict, self._step_to(following, now))
        self._phase = Phase.RELEASED
        return came_out_right(sample, verdict, "the line is released")

    def _fail(self, verdict: Verdict, now: Moment) -> str:
        sample = self._samples[self._index]
        self._failed += 1
        if self._failed < self._tries:
            return came_out_wrong(sample, verdict, self._failed, self._tries, f"start over and {self._step_to(0, now)}")
        self._phase, self._why_blocked = Phase.BLOCKED, blocked(self._failed, sample)
        return came_out_wrong(sample, verdict, self._failed, self._tries, f"the line is blocked: {self._why_blocked}")
