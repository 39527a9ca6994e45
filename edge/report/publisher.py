"""Results to any MQTT broker, quality of service 1: committed first, deleted once the broker has accepted them.

Accepted means that the broker said so: with MQTT 3.1.1 a broker cannot refuse a message visibly, so its promise is weaker.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from edge.host.clock import utc_now
from edge.host.pulse import Pulse
from edge.report.books import Account, Link, Loss
from edge.report.broker import Broker, chance_of
from edge.report.connection import Connection
from edge.report.delivery import Delivery
from edge.report.inbox import Inbox, to_entry
from edge.report.message import Result
from edge.report.notices import Notice, Notices
from edge.report.outbox.age import age_s
from edge.report.outbox.outbox import Outbox, in_parts
from edge.report.status import StatusMessage
from edge.report.topics import topic
from edge.report.wire import to_wire

log = logging.getLogger(__name__)

_TICK_S = 1.0
"""How often the delivery thread looks by itself: whether a pause is over, whether the disk is back."""

_AT_ONCE = 256
"""Results fetched in one turn."""

_GOODBYE_S = 2.0
_LAST_COMMIT_S = 30.0
"""How long the end of the process waits for a disk that hangs."""


class MqttPublisher:
    """A sink that publishes every result, and keeps a retained `status` of online or offline.

    The line puts, the delivery thread owns the outbox and hands to paho, and paho's own thread notes what happens.

    open_outbox is called in the delivery thread; what it raises, this raises.
    """

    def __init__(self, broker: Broker, birth: StatusMessage, open_outbox: Callable[[], Outbox]) -> None:
        self._broker = broker
        self._birth = birth
        self.pulse = Pulse()
        self._changed = threading.Condition()
        self._inbox = Inbox()
        self._in_work = self._dropped = 0  # fetched from the inbox, not in the outbox's books yet
        self._notices = Notices()
        self._account = Account("mqtt")
        self._overflowing = self._closing = self._has_notice = self._is_renamed = False
        topics = topic(broker.prefix, birth.station, "result"), topic(broker.prefix, birth.station, "status")
        self._connection = Connection(broker, topics[1], to_wire(birth.ended("connection lost")), self._changed)
        opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(topics, open_outbox, opened), name="delivery", daemon=True)
        self._thread.start()
        opened.result()
        self._warn()
        self._connection.start()

    @property
    def waiting(self) -> int:
        """Results the broker has not accepted yet; after `close`, those that the outbox keeps for the next start."""
        with self._changed:
            return self._count_waiting()

    @property
    def lost(self) -> int:
        """Results that the broker will never have."""
        with self._changed:
            return self._read_books().lost

    def counts(self) -> Account:
        """Delivered is what the broker accepted; what it has not answered yet waits."""
        with self._changed:
            return self._read_books()

    def link(self) -> Link:
        """How the connection to the broker is."""
        return self._connection.link

    def tell(self, leaf: str, payload: bytes, *, retain: bool) -> None:
        """Publish this beside the results, before those that wait, as soon as the broker is there.

        Of what is retained only the newest of each leaf waits, of other messages the newest hundred; none is kept on disk.
        """
        with self._changed:
            self._notices.put(Notice(topic(self._broker.prefix, self._birth.station, leaf), payload, retain))
            self._has_notice = True
            self._changed.notify_all()

    def introduce(self, birth: StatusMessage) -> None:
        """Publish this status in the place of the one that is retained, if it says something else."""
        with self._changed:
            if birth != self._birth:
                self._birth, self._is_renamed = birth, True
                self._changed.notify_all()

    def put(self, result: Result) -> None:
        """Queue one result; never waits for disk or network."""
        with self._changed:
            fits = self._inbox.put(result)
            if not fits and not self._overflowing:
                log.error("mqtt.outbox: the disk is too slow for the line's results; they are dropped and counted")
            self._overflowing = not fits
            self._changed.notify_all()

    def commit(self, within_s: float) -> bool:
        """Wait until every result put so far is in the outbox; False: it took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._inbox and not self._in_work, within_s)

    def close(self) -> None:
        """Wait until everything is accepted or the time is over, say goodbye, and say what is left."""
        with self._changed:
            self._changed.wait_for(lambda: not self._has_work() or not self._thread.is_alive(), self._broker.close_s)
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_LAST_COMMIT_S)
        with self._changed:
            # Only a disk that hangs leaves results here.
            hung = len(self._inbox) + self._in_work
            gone = hung + self._inbox.overflowed + self._dropped
            self._account = self._account.plus(Account("mqtt", losses={Loss.OVERFLOWED: gone}))
            self._inbox.fetch(len(self._inbox))
            self._in_work = self._dropped = 0
        if hung:
            log.error("mqtt.outbox: the disk does not answer: %d results are lost", hung)
        if left := self.waiting:
            log.warning(
                "%d results were not accepted by the broker within %g s; the outbox keeps them", left, self._broker.close_s
            )
        self._connection.stop()

    def _warn(self) -> None:
        if self._broker.protocol != "5":
            log.warning(
                "mqtt.protocol: with 3.1.1 a broker cannot say that it refused a result; one it drops counts as delivered"
            )
        if self._broker.shows_password:
            log.warning(
                "mqtt.password: it goes to %s unencrypted, for everybody on the network to read; add mqtt.tls",
                self._broker.host,
            )

    def _count_waiting(self) -> int:
        return len(self._inbox) + self._in_work + self._account.waiting

    def _read_books(self) -> Account:
        coming = len(self._inbox) + self._in_work
        return self._account.plus(
            Account("mqtt", waiting=coming, losses={Loss.OVERFLOWED: self._inbox.overflowed + self._dropped})
        )

    def _has_work(self) -> bool:
        """Nobody waits for a broker that is away only to tell it news."""
        return self._count_waiting() > 0 or (len(self._notices) > 0 and self._connection.connected)

    def _is_wanted(self) -> bool:
        return len(self._inbox) > 0 or self._has_notice or self._is_renamed or self._connection.has_news or self._closing

    # The delivery thread.

    def _run(self, topics: tuple[str, str], open_outbox: Callable[[], Outbox], opened: Future[None]) -> None:
        try:
            outbox = open_outbox()
            self._show(outbox)
            opened.set_result(None)
        except BaseException as err:  # noqa: BLE001 - raised in the thread that waits for it
            opened.set_exception(err)
            return
        delivery = Delivery(outbox, self._connection, topics, self._birth, chance_of(self._broker))
        while self._turn(outbox, delivery):
            pass
        self._say_goodbye(outbox, delivery)
        outbox.close()
        self._show(outbox, closed=True)

    def _turn(self, outbox: Outbox, delivery: Delivery) -> bool:
        """Commit what has queued, note answers, send; False when all is committed and the end has come."""
        self.pulse.rest()
        with self._changed:
            self._changed.wait_for(self._is_wanted, _TICK_S)
            self.pulse.beat("outbox")
            self._has_notice = False
            fetched, self._dropped = self._inbox.fetch(_AT_ONCE)
            self._in_work = len(fetched)
            news = self._connection.look()
            birth, self._is_renamed = (self._birth if self._is_renamed else None), False
            goes_on = not self._closing or bool(fetched) or len(self._inbox) > 0
        outbox.put([], self._dropped)
        for part in in_parts([to_entry(*each) for each in fetched], lambda entry: entry.payload):
            outbox.put(part)
        delivery.settle(news.said)
        left = delivery.take_back(news)
        if left:
            with self._changed:
                self._notices.put_back(left)
        if birth:
            self._connection.bequeath(to_wire(birth.ended("connection lost")))
            delivery.rename(birth, news)
        if news.greet:
            delivery.greet()
        if goes_on:
            delivery.send_alone(news)
            with self._changed:
                notices = self._notices.fetch(delivery.room(news))
            delivery.tell(notices, news)
            delivery.send(news)
        self._show(outbox)
        return goes_on

    def _say_goodbye(self, outbox: Outbox, delivery: Delivery) -> None:
        with self._changed:
            connected = self._connection.connected
        if not connected:
            return
        mid = delivery.say_goodbye()
        answered = False
        while not answered:
            with self._changed:
                if not self._changed.wait_for(
                    lambda: self._connection.has_news or not self._connection.connected, _GOODBYE_S
                ):
                    return
                news = self._connection.look()
            delivery.settle(news.said)
            self._show(outbox)
            answered = not news.connected or mid in dict(news.said)

    def _show(self, outbox: Outbox, *, closed: bool = False) -> None:
        """Tell the other threads how the books stand."""
        waits_s = age_s(None if closed else outbox.oldest(), self._birth.boot_id, time.monotonic(), utc_now())
        with self._changed:
            self._account = replace(outbox.account, oldest_waiting_s=waits_s)
            self._in_work = self._dropped = 0
            self._changed.notify_all()
