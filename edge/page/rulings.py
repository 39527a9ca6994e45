"""Operators' rulings on rejected parts: confirmed, accepted, and for a while undone."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.errors import GoodpartError, Refuse
from edge.events import EventCode, Events
from edge.host.clock import utc_now
from edge.page.journal import Entry, Journal, Ruling
from edge.report.message import Result

log = logging.getLogger(__name__)

UNDO_S = 600.0
"""A ruling may be taken back for ten minutes: until the operator has seen the part again."""

_MOST_KEPT = 1000

_CODES = {
    Ruling.CONFIRMED: EventCode.PART_CONFIRMED,
    Ruling.ACCEPTED: EventCode.PART_ACCEPTED,
    Ruling.UNDONE: EventCode.PART_RULING_UNDONE,
}


class Accepting(Protocol):
    """Somebody who learns from accepted parts. Called in a worker thread, one call at a time."""

    def accept(self, result_id: str, who: str) -> str:
        """The part is good; a sentence for the operator.

        Raises:
            GoodpartError: nothing was learned, and why.
        """

    def undo(self, result_id: str, who: str) -> str:
        """It is not; a sentence for the operator.

        Raises:
            GoodpartError: it stays learned, and why.
        """


@dataclass(frozen=True, slots=True)
class Ruled:
    """A ruling that stands."""

    ruling: Ruling
    who: str
    at_mono_s: float

    def undoable(self, now_mono_s: float) -> bool:
        """Whether it may still be taken back."""
        return now_mono_s - self.at_mono_s < UNDO_S


class Rulings:
    """Takes rulings one at a time: first into the journal, then to everybody who is told. Any thread may call.

    They are remembered until the process ends, the last thousand of them.
    """

    def __init__(
        self,
        journal: Journal,
        events: Events,
        accepting: Accepting | None = None,
        mono_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal, self._events, self._accepting, self._mono_s = journal, events, accepting, mono_s
        self._one_at_a_time = threading.Lock()
        self._standing: dict[str, Ruled] = {}
        # Accepted parts that were learned from, until that is taken back.
        self._learned: set[str] = set()
        self.version = 0

    def of(self, result_id: str) -> Ruled | None:
        """What stands."""
        return self._standing.get(result_id)

    def rule(self, result: Result, ruling: Ruling, who: str, address: str) -> str:
        """Take a ruling; a sentence for the operator.

        Raises:
            Refuse: another ruling stands, there is nothing to undo or it is too late, or the journal cannot be written.
        """
        with self._one_at_a_time:
            before = self._standing.get(result.result_id)
            self._refuse(before, ruling)
            self._write(result, ruling, who, address)
            self._remember(result.result_id, ruling, who)
            by = f" by {who}" if who else ""
            detail = f"part {result.part_id} (result {result.result_id}), {result.verdict}, was {_DONE[ruling]}{by}"
            self._events.say(_CODES[ruling], detail)
            learned = self._learn(result.result_id, ruling, who)
        return _SAID[ruling] + learned

    def _refuse(self, before: Ruled | None, ruling: Ruling) -> None:
        if ruling is not Ruling.UNDONE and before:
            raise Refuse(
                f"This part is {before.ruling} already{f' by {before.who}' if before.who else ''}; undo that first."
            )
        if ruling is Ruling.UNDONE and before is None:
            raise Refuse("There is nothing to undo.")
        if ruling is Ruling.UNDONE and before and not before.undoable(self._mono_s()):
            raise Refuse(f"It is too late to undo this: more than {UNDO_S / 60:.0f} minutes have passed.")

    def _write(self, result: Result, ruling: Ruling, who: str, address: str) -> None:
        entry = Entry(
            result_id=result.result_id,
            decision=ruling,
            who=who,
            address=address,
            decided_utc=utc_now(),
            station=result.station,
            boot_id=result.boot_id,
            part_id=result.part_id,
            job_id=result.job_id,
            verdict=result.verdict,
            reason=result.reason,
            score=result.score,
            threshold=result.threshold,
            recipe_id=result.recipe_id,
        )
        try:
            self._journal.add(entry)
        except OSError as err:
            log.error("page.decisions: a decision could not be written: %s", err.strerror)
            raise Refuse(f"Nothing was done: the decision cannot be written: {err.strerror}.") from None

    def _remember(self, result_id: str, ruling: Ruling, who: str) -> None:
        if ruling is Ruling.UNDONE:
            del self._standing[result_id]
        else:
            self._standing[result_id] = Ruled(ruling, who, self._mono_s())
            if len(self._standing) > _MOST_KEPT:
                del self._standing[next(iter(self._standing))]
        self.version += 1

    def _learn(self, result_id: str, ruling: Ruling, who: str) -> str:
        if self._accepting is None:
            return ""
        try:
            if ruling is Ruling.ACCEPTED:
                said = self._accepting.accept(result_id, who)
                self._learned.add(result_id)
                return f" {said}"
            # What others taught, or nobody, is not the page's to take back.
            if ruling is Ruling.UNDONE and result_id in self._learned:
                said = self._accepting.undo(result_id, who)
                self._learned.remove(result_id)
                return f" {said}"
        except GoodpartError as err:
            log.warning("page: %s", err)
            return f" {err}"
        return ""


_DONE = {
    Ruling.CONFIRMED: "confirmed as defective",
    Ruling.ACCEPTED: "accepted as good",
    Ruling.UNDONE: "given back: the operator's ruling is undone",
}
_SAID = {
    Ruling.CONFIRMED: "Confirmed as a real defect.",
    Ruling.ACCEPTED: "Accepted as good.",
    Ruling.UNDONE: "Undone.",
}
