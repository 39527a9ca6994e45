"""Between judgement and report: the shift check with the shots' clocks, the operator's wish and everybody who is told."""

import logging
from collections.abc import Callable

from edge.events import EventCode, Events
from edge.host.clock import on_the_wall
from edge.shift.card import SampleCard
from edge.shift.check import Moment, Phase, Said, ShiftCheck
from edge.types import Shot, Verdict

log = logging.getLogger(__name__)


class Gate:
    """Lets verdicts of parts through, or not.

    asked: whether the operator has asked for a check since the last call; events: who is told when the check is due, has
    released the line or blocks it. The steps between are for the operator, in the journal.
    """

    def __init__(self, check: ShiftCheck, asked: Callable[[], bool], events: Events | None = None) -> None:
        self._check, self._asked, self._events = check, asked, events or Events()
        self._due = self._events.say(EventCode.SHIFT_CHECK_DUE, check.greeting)

    @property
    def phase(self) -> Phase:
        """What the line may do now; any thread may ask."""
        return self._check.phase

    @property
    def awaits(self) -> str:
        """The sample that is to be laid down, in words; empty while none is. Any thread may ask."""
        return str(self._check.expected or "")

    def weigh(self, shot: Shot, verdict: Verdict) -> tuple[Verdict, SampleCard | None]:
        """What the line is told of a shot, and the sample it shows, None for a part of production."""
        now = Moment(shot.taken_mono_s, on_the_wall(shot.taken_utc))
        weighed = self._check.weigh(verdict, now, asked=self._asked())
        for said in weighed.said:
            self._tell(said)
        return weighed.verdict, weighed.sample

    def _tell(self, said: Said) -> None:
        match said.enters:
            case None:
                log.warning(said.words)
            case Phase.WAITING:
                self._due = self._events.say(EventCode.SHIFT_CHECK_DUE, said.words)
            case Phase.RELEASED:
                self._events.say(EventCode.SHIFT_CHECK_RELEASED, said.words, self._due.time_utc)
            case Phase.BLOCKED:
                self._events.say(EventCode.SHIFT_CHECK_BLOCKED, said.words)
