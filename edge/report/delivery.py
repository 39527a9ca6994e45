"""From the outbox to the broker: which rows are on their way, and what the answers mean."""

import logging
import random
import time
from collections.abc import Callable, Sequence

from paho.mqtt.reasoncodes import ReasonCode

from edge.report.broker import PERMANENT, explain
from edge.report.connection import Connection, Ended, News
from edge.report.hangups import Hangups
from edge.report.held_back import HeldBack
from edge.report.message import as_historical
from edge.report.notices import Notice
from edge.report.outbox.outbox import Answer, Fate, Outbox, Row
from edge.report.refusals import Refusals
from edge.report.status import StatusMessage
from edge.report.wire import to_wire

log = logging.getLogger(__name__)

FRESH_S = 30.0
"""A result published later than this after it was queued is marked as historical."""

_PACKET_OVERHEAD_BYTES = 10  # type, length, topic length, message id, no properties

_HANGS_UP = "the broker hangs up on it and takes smaller ones; raise its maximum packet size"
_HANGS_UP_ON_NEWS = (
    "the broker hangs up on it; let this user publish there, or raise the broker's maximum packet size; it is tried again "
    "at growing intervals"
)


class Delivery:
    """Used by the delivery thread alone.

    A row that was handed to paho is not taken from the outbox a second time until it is answered, or the connection after
    the one it was sent over has begun: then it waits again, and is marked anew when it is sent.
    """

    def __init__(
        self,
        outbox: Outbox,
        connection: Connection,
        topics: tuple[str, str],
        birth: StatusMessage,
        chance: random.Random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._connection = connection
        self._result_topic, self._status_topic = topics
        self._birth = birth
        self._refusals, self._hangups, self._held = Refusals(chance), Hangups(), HeldBack(clock)
        self._clock = clock
        self._on_their_way: dict[int, Row] = {}
        self._notices: dict[int, Notice] = {}  # by its number, what is no result
        self._freed: list[Notice] = []  # were held back, and need not be any more
        self._refused_topics: set[str] = set()
        self._said_refusal = self._said_dead = False

    def greet(self) -> None:
        """Say that this device is there, and what it is."""
        birth = self._status(self._birth)
        if birth.topic in self._held:
            self._held.put(birth)
        else:
            self._publish(birth)

    def rename(self, birth: StatusMessage, news: News) -> None:
        """This device is something else from now on; who is connected says so at once."""
        self._birth = birth
        if news.connected and not news.greet:
            self.greet()

    def say_goodbye(self) -> int:
        """Say that this device has been stopped; the message's number."""
        return self._publish(self._status(self._birth.ended("stopped")))

    def settle(self, said: tuple[tuple[int, ReasonCode], ...]) -> None:
        """Note the broker's answers in the outbox."""
        answers: list[Answer] = []
        for mid, code in said:
            if row := self._on_their_way.pop(mid, None):
                answers += self._answered(row, code)
            elif notice := self._notices.pop(mid, None):
                self._freed += self._held.free(notice.topic)
                if code.is_failure:
                    self._note_refused(notice.topic, f"the broker refuses it: {explain(code)}")
                else:
                    self._refused_topics.discard(notice.topic)
        if answers:
            self._outbox.settle(answers)

    def take_back(self, news: News) -> list[Notice]:
        """What ended connections left unanswered: rows wait in the outbox again, the rest is to wait with the caller.

        Connections that end one after the other as soon as they have begun are suspicious: rows are then sent alone, and
        what was told with them is held back.
        """
        freed, self._freed = self._freed, []
        if any(notice.topic == self._status_topic for notice in freed) and news.connected and not news.greet:
            self.greet()
        notices = [notice for notice in freed if notice.topic != self._status_topic]
        for ended in news.ended:
            notices += self._take_back(ended)
        return notices

    def _take_back(self, ended: Ended) -> list[Notice]:
        rows = [row for mid in ended.unanswered if (row := self._on_their_way.pop(mid, None))]
        notices = [notice for mid in ended.unanswered if (notice := self._notices.pop(mid, None))]
        topics = {notice.topic for notice in notices if notice.topic not in self._held}
        if ended.was_short and self._hangups.ended([*(row.id for row in rows), *topics]):
            if not self._hangups.alone:
                log.warning("topic %s: the broker hangs up again and again; results are sent one by one", self._result_topic)
            self._hangups.took_back({row.id: len(row.entry.payload) for row in rows}, len(notices))
            for topic in topics:
                self._held.hold(topic)
        if rows:
            self._outbox.settle([Answer(row.id, Fate.LATER) for row in rows])
        # Where newer news of a topic are on their way already, older ones must not become what the broker retains.
        newer = {notice.topic for notice in self._notices.values()}
        notices = [notice for notice in notices if not (notice.retain and notice.topic in newer)]
        for notice in reversed(notices):
            if notice.topic in self._held and not self._held.take_back(notice):
                self._note_refused(notice.topic, _HANGS_UP_ON_NEWS)
        # Who we are is said anew at each connect.
        return [n for n in notices if n.topic not in self._held and n.topic != self._status_topic]

    def room(self, news: News) -> int:
        """How many more messages the broker takes now; none beside one that is on trial."""
        if not news.connected:
            return 0
        on_their_way = len(self._on_their_way) + len(self._notices)
        if self._hangups.alone:
            return max(0, 1 - on_their_way)
        return 0 if self._held.trying else max(0, news.window - on_their_way)

    def send_alone(self, news: News) -> None:
        """Hand over what has nothing beside it: while rows go one by one the oldest, then news that were held back."""
        if self._hangups.alone:
            self.send(news)
        if not news.connected or self._on_their_way or self._notices or not (notice := self._held.fetch()):
            return
        if why := _too_large(notice.topic, notice.payload, news):
            self._note_refused(notice.topic, why)
            self._freed += self._held.free(notice.topic)
        else:
            self._publish(notice)

    def tell(self, notices: Sequence[Notice], news: News) -> None:
        """Hand over what is no result; what the broker would not take is dropped and said."""
        for notice in notices:
            if why := _too_large(notice.topic, notice.payload, news):
                self._note_refused(notice.topic, why)
            elif notice.topic in self._held:
                self._held.put(notice)
            else:
                self._publish(notice)

    def send(self, news: News) -> None:
        """Hand over the oldest rows that the window has room for."""
        now_s = self._clock()
        room = self.room(news)
        if self._refusals.standing:
            room = min(room, 1 - len(self._on_their_way))
        if room <= 0 or self._refusals.pausing(now_s):
            return
        too_large: list[Answer] = []
        rows = self._outbox.take(room, [*self._refusals.not_due(now_s), *self._hangups.set_aside])
        if not rows and not self._on_their_way:
            self._hangups.forgive()
        for row in rows:
            payload = self._payload(row, now_s)
            if why := _too_large(self._result_topic, payload, news):
                too_large.append(self._dead(row.id, why))
            else:
                self._on_their_way[self._connection.publish(self._result_topic, payload)] = row
        if too_large:
            self._outbox.settle(too_large)

    def _payload(self, row: Row, now_s: float) -> bytes:
        entry = row.entry
        fresh = entry.boot_id == self._birth.boot_id and now_s - entry.queued_mono_s <= FRESH_S
        return entry.payload if fresh else as_historical(entry.payload)

    def _answered(self, row: Row, code: ReasonCode) -> list[Answer]:
        if not code.is_failure:
            self._refusals.accept(row.id)
            if self._said_refusal:
                log.warning("topic %s: the broker accepts results again", self._result_topic)
            self._said_refusal = False
            condemned = self._hangups.accepted(len(row.entry.payload))
            return [Answer(row.id, Fate.DELIVERED), *(self._dead(row_id, _HANGS_UP) for row_id in condemned)]
        if code.value in PERMANENT:
            self._refusals.forget(row.id)
            return [self._dead(row.id, f"the broker refuses it for good: {explain(code)}")]
        self._refusals.refuse(row.id, self._clock())
        if not self._said_refusal:
            log.error(
                "topic %s: the broker refuses results: %s; they wait and are tried again for ever",
                self._result_topic,
                explain(code),
            )
        self._said_refusal = True
        return [Answer(row.id, Fate.LATER)]

    def _dead(self, row_id: int, why: str) -> Answer:
        if not self._said_dead:
            log.error(
                "topic %s: a result cannot be delivered: %s; it is kept among the dead letters, and further ones are only "
                "counted",
                self._result_topic,
                why,
            )
        self._said_dead = True
        return Answer(row_id, Fate.DEAD, why)

    def _status(self, status: StatusMessage) -> Notice:
        return Notice(self._status_topic, to_wire(status), retain=True)

    def _publish(self, notice: Notice) -> int:
        mid = self._connection.publish(notice.topic, notice.payload, retain=notice.retain)
        self._notices[mid] = notice
        return mid

    def _note_refused(self, name: str, why: str) -> None:
        """Health comes again and again; that it is refused is said once."""
        if name not in self._refused_topics:
            log.error("topic %s: a message cannot be sent: %s", name, why)
        self._refused_topics.add(name)


def _too_large(topic: str, payload: bytes, news: News) -> str:
    """Why this may not be sent: it would end the connection now and after every reconnect. Empty: it may."""
    size = _PACKET_OVERHEAD_BYTES + len(topic.encode()) + len(payload)
    if news.max_packet_bytes is None or size <= news.max_packet_bytes:
        return ""
    return f"it has {size} bytes and the broker takes {news.max_packet_bytes}; raise its maximum packet size"
