"""Results to any MQTT broker, quality of service 1: committed first, deleted once the broker has accepted them.

Accepted means that the broker said so: with MQTT 3.1.1 a broker cannot refuse a message visibly, so its promise is weaker.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

from edge.report.broker import Broker, chance_of
from edge.report.connection import Connection
from edge.report.delivery import Delivery
from edge.report.inbox import Inbox, to_entry
from edge.report.message import Result
from edge.report.outbox.outbox import Counts, Outbox, in_parts
from edge.report.status import StatusMessage
from edge.report.topics import topic

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
        self._changed = threading.Condition()
        self._inbox = Inbox()
        self._in_work = 0
        self._counts, self._lost = Counts(), 0
        self._overflowing = self._closing = False
        topics = topic(broker.prefix, birth.station, "result"), topic(broker.prefix, birth.station, "status")
        self._connection = Connection(broker, topics[1], birth.ended("connection lost").to_wire(), self._changed)
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
            return self._lost

    def put(self, result: Result) -> None:
        """Queue one result; never waits for disk or network."""
        with self._changed:
            fits = self._inbox.put(result)
            if not fits and not self._overflowing:
                log.error("mqtt.outbox: the disk is too slow for the line's results; they are dropped and counted")
            self._overflowing = not fits
            self._changed.notify_all()

    def close(self) -> None:
        """Wait until everything is accepted or the time is over, say goodbye, and say what is left."""
        with self._changed:
            self._changed.wait_for(lambda: not self._count_waiting() or not self._thread.is_alive(), self._broker.close_s)
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_LAST_COMMIT_S)
        with self._changed:
            # Only a disk that hangs leaves results here.
            self._lost += (hung := len(self._inbox) + self._in_work)
            self._inbox.fetch(len(self._inbox))
            self._in_work = 0
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
        return len(self._inbox) + self._in_work + self._counts.waiting

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
        self._show(outbox)

    def _turn(self, outbox: Outbox, delivery: Delivery) -> bool:
        """Commit what has queued, note answers, send; False when all is committed and the end has come."""
        with self._changed:
            self._changed.wait_for(lambda: self._inbox or self._connection.has_news or self._closing, _TICK_S)
            fetched, overflowed = self._inbox.fetch(_AT_ONCE)
            self._in_work = len(fetched)
            news = self._connection.look()
            goes_on = not self._closing or bool(fetched) or len(self._inbox) > 0
        outbox.put([], overflowed)
        for part in in_parts([to_entry(*each) for each in fetched], lambda entry: entry.payload):
            outbox.put(part)
        delivery.settle(news.said)
        if news.greet:
            delivery.greet()
        if goes_on:
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

    def _show(self, outbox: Outbox) -> None:
        """Tell the other threads how the books stand."""
        with self._changed:
            self._counts, self._lost, self._in_work = outbox.counts, outbox.lost, 0
            self._changed.notify_all()
