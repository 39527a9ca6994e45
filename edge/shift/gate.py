"""Between judgement and report: the shift check with the shots' clocks, the operator's wish and the journal."""

import logging
from collections.abc import Callable

from edge.host.clock import on_the_wall
from edge.shift.card import SampleCard
from edge.shift.check import Moment, ShiftCheck
from edge.types import Shot, Verdict

log = logging.getLogger(__name__)


class Gate:
    """Lets verdicts of parts through, or not. asked: whether the operator has asked for a check since the last call."""

    def __init__(self, check: ShiftCheck, asked: Callable[[], bool]) -> None:
        self._check, self._asked = check, asked
        log.warning(check.greeting)

    def weigh(self, shot: Shot, verdict: Verdict) -> tuple[Verdict, SampleCard | None]:
        """What the line is told of a shot, and the sample it shows, None for a part of production."""
        now = Moment(shot.taken_mono_s, on_the_wall(shot.taken_utc))
        weighed = self._check.weigh(verdict, now, asked=self._asked())
        for sentence in weighed.said:
            log.warning(sentence)
        return weighed.verdict, weighed.sample
