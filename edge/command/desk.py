"""One message from arrival to answer: room? → admitted? → done before? → fresh? → possible? → noted, done, answered."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from edge.command.actions import Actions, Outcome
from edge.command.gatekeeper import Admitted, Now, Refusal, Request, Rules, admit, correlation_to_echo, may_answer_to, stale
from edge.command.memory import Deed, Memory
from edge.command.models import Code, Response
from edge.command.rate import RateLimit, Room
from edge.report.topics import topic
from edge.report.wire import to_wire

log = logging.getLogger(__name__)

_OF_THE_DAY = frozenset({"ping", "status", "trigger"})
"""Their success is not worth a line of the journal each; results tell of triggers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, and where to. correlation: the sender's mark."""

    topic: str
    payload: bytes
    correlation: bytes | None


class Desk:
    """Answers every message but those the rate limit only counts. `receive` is called by one thread at a time.

    clock: the time, and whether it can be believed.
    """

    def __init__(
        self, rules: Rules, limit: RateLimit, memory: Memory, actions: Actions, boot_id: str, clock: Callable[[], Now]
    ) -> None:
        self._rules, self._limit, self._memory, self._actions = rules, limit, memory, actions
        self._boot_id, self._clock = boot_id, clock

    def receive(self, request: Request, send: Callable[[Answer], None]) -> None:
        """Do what the message asks, if it may; `send` is called once, perhaps later and in another thread, or never."""
        match self._limit.ask(request.mono_s):
            case Room.COUNTED:
                return
            case Room.TOLD:
                self._answer(request, None, None, Outcome(Code.REFUSED_RATE, "too many commands; wait a while"), send)
                return
            case Room.YES:
                pass
        admitted = admit(request, self._rules)
        if isinstance(admitted, Refusal):
            outcome = Outcome(admitted.code, admitted.detail)
            self._answer(request, admitted.command_id, None, outcome, send)
            return
        command, now = admitted.command, self._clock()

        def answer(outcome: Outcome) -> None:
            self._answer(request, command.command_id, command.command, outcome, send)

        if no := self._known(admitted) or self._late(admitted, now) or self._actions.objection(command):
            answer(no)
            return
        try:
            self._memory.begin(admitted)
        except OSError as err:
            answer(Outcome(Code.FAILED, f"not done: commands.memory_file cannot be written: {err.strerror}"))
            return

        def done(outcome: Outcome) -> None:
            if outcome.code is Code.BUSY:  # another trigger came in between
                self._memory.forget(command.command_id)
            else:
                self._note(command.command_id, outcome)
            answer(outcome)

        self._actions.do(command, request.mono_s, now, done)

    def close(self, timeout_s: float) -> None:
        """Nobody asks any more."""
        self._limit.end()
        self._actions.close(timeout_s)

    def _known(self, admitted: Admitted) -> Outcome | None:
        deed = self._memory.recall(admitted.command.command_id)
        if deed is None:
            return None
        if deed.digest != admitted.digest:
            return Outcome(Code.REFUSED_REUSED_ID, "another command has had this command_id; choose a new one")
        return _told_again(deed, self._boot_id)

    def _late(self, admitted: Admitted, now: Now) -> Outcome | None:
        if refusal := stale(admitted.command, self._rules, now):
            return Outcome(refusal.code, refusal.detail)
        if self._memory.outlived(admitted):
            return Outcome(Code.REFUSED_EXPIRED, "so old that nobody can tell whether it was done; issue it anew")
        return None

    def _note(self, command_id: str, outcome: Outcome) -> None:
        try:
            self._memory.end(command_id, outcome.code, outcome.detail, outcome.line)
        except OSError as err:
            log.error("commands.memory_file cannot be written: %s; how %s ended is not kept", err.strerror, command_id)

    def _answer(
        self, request: Request, command_id: str | None, name: str | None, outcome: Outcome, send: Callable[[Answer], None]
    ) -> None:
        ok = outcome.code in {Code.OK, Code.DONE_BEFORE}
        level = logging.INFO if ok and name in _OF_THE_DAY else logging.WARNING
        log.log(level, "command %s %s: %s, %s", name or "unread", command_id or "", outcome.code, outcome.detail)
        response = Response(
            command_id=command_id,
            station=self._rules.station,
            boot_id=self._boot_id,
            answered_utc=self._clock().utc,
            ok=ok,
            code=outcome.code,
            detail=outcome.detail,
            line=outcome.line,
        )
        back = request.response_topic
        if back is None or not may_answer_to(back, self._rules):
            back = topic(self._rules.prefix, self._rules.station, "response")
        send(Answer(back, to_wire(response), correlation_to_echo(request)))


def _told_again(deed: Deed, boot_id: str) -> Outcome:
    if deed.code is None:
        if deed.boot_id == boot_id:
            return Outcome(Code.BUSY, "is being done; its answer follows")
        return Outcome(Code.FAILED, "the process ended while it was being done; ask status what is in force")
    if deed.code is not Code.OK:
        return Outcome(deed.code, f"{deed.detail}; it was not tried again, send a new command_id for that")
    undone = "" if deed.boot_id == boot_id else " (before a restart; ask status what is in force)"
    return Outcome(Code.DONE_BEFORE, deed.detail + undone, deed.line)
