"""An edge node of Sparkplug B 3.0 with one device, the camera.

Sparkplug sends births and data with quality of service 0: nobody confirms them. What is written to the connection counts as
sent, so what is on the way when a network breaks may be lost without a trace; the native results topic is the one that
promises more. Results wait in memory while the broker is away or the primary host is offline, up to `MAX_WAITING`, and are
sent as historical ones after the next birth.
"""

import logging
import threading
from collections import deque
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from edge.host.clock import utc_now
from edge.report.books import Account, Loss
from edge.report.broker import Broker, make_client
from edge.report.message import Result
from edge.report.outage import Outage
from edge.report.sparkplug.counter import BirthCounter
from edge.report.sparkplug.host import PrimaryHost
from edge.report.sparkplug.payload import booleans
from edge.report.sparkplug.reading import Reading, read
from edge.report.sparkplug.session import REBIRTH, NodeName, Said, Session, node_death, state_topic
from edge.report.stopping import stop_client

log = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Results kept in memory while nobody may be told: about 10 MB."""

_BACKOFF_S = (1, 8)
_GOODBYE_S = 2.0


@dataclass(frozen=True, slots=True)
class _Step:
    """Messages that belong together, for one connection. taken: whether they bring out the first result of the queue."""

    said: list[Said]
    connection: int
    taken: bool = False
    leave: bool = False


class SparkplugNode:
    """A sink that publishes every result as DDATA; reconnects for ever, and "lost" and "back" are logged once each.

    Three threads meet here, as in `edge.report.publisher`: the line puts, a sender speaks, and paho's own hears. No thread
    calls paho while it holds our lock.
    """

    def __init__(self, broker: Broker, name: NodeName, host: str | None, counter: BirthCounter, session: Session) -> None:
        self._broker, self._name, self._counter, self._session = broker, name, counter, session
        self._changed = threading.Condition()
        self._queue: deque[Reading] = deque()
        self._late = 0  # so many at the head of the queue are older than the current values of the last birth
        self._latest: Reading | None = None
        self._host = PrimaryHost(host)
        self._connected = self._birth_due = self._born = self._leave_due = self._end_meant = self._closing = False
        self._sent = self._lost = self._lost_before = 0
        self._written: set[int] = set()
        self._bd_seq = 0
        self._connection = 0  # counts the ends of connections, so that nobody waits for an answer on one that is over
        # Touched by paho's thread alone.
        self._outage = Outage(broker, "sparkplug")
        self._bd_seq_used = True
        self._said_strange = self._said_offline = False
        self._client = self._make_client()
        self._start_client()
        self._sender = threading.Thread(target=self._send_until_closing, name="sparkplug-sender", daemon=True)
        self._sender.start()

    @property
    def waiting(self) -> int:
        """Results that were not written to a connection yet."""
        with self._changed:
            return len(self._queue)

    @property
    def lost(self) -> int:
        """Results that were too many to wait; after `close`, those that still waited, too."""
        with self._changed:
            return self._lost

    def counts(self) -> Account:
        """Delivered is what was written to a connection: nobody confirms more than that in Sparkplug."""
        with self._changed:
            return Account("sparkplug", self._sent, len(self._queue), {Loss.OVERFLOWED: self._lost})

    def put(self, result: Result) -> None:
        """Hand one result to the sending thread; never blocks on the network."""
        reading = read(result)
        with self._changed:
            self._latest = reading
            if len(self._queue) >= MAX_WAITING:
                if self._lost == self._lost_before:
                    log.error(
                        "sparkplug: %d results are waiting already; more are lost to it, counted and not logged", MAX_WAITING
                    )
                self._lost += 1
                return
            if self._lost > self._lost_before:
                log.warning("sparkplug: results are taken again; %d are lost", self._lost)
                self._lost_before = self._lost
            self._queue.append(reading)
            self._changed.notify_all()

    def close(self) -> None:
        """Wait until everything is sent or the time is over, say the deaths, and log what is left."""
        with self._changed:
            self._changed.wait_for(lambda: not self._queue, self._broker.close_s)
            left, host = len(self._queue), "" if self._host.online else f"; the primary host {self._host.name} is not online"
            self._closing = self._end_meant = True
            self._changed.notify_all()
        if left:
            log.error("sparkplug: %d results were not sent within %g s%s", left, self._broker.close_s, host)
        self._sender.join(_GOODBYE_S)
        with self._changed:
            self._lost += len(self._queue)
            self._queue.clear()
        self._say_deaths()
        stop_client(self._client, _GOODBYE_S)

    def _make_client(self) -> paho.Client:
        client = make_client(self._broker)
        client.reconnect_delay_set(*_BACKOFF_S)
        client.on_pre_connect = self._on_pre_connect
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        return client

    def _start_client(self) -> None:
        # Sparkplug wants a new session each time (principles-persistence-clean-session); paho does so by itself with 3.1.1.
        clean = True if self._broker.protocol == "5" else paho.MQTT_CLEAN_START_FIRST_ONLY
        self._client.connect_async(self._broker.host, self._broker.port, clean_start=clean)
        self._client.loop_start()

    # Called with the lock held.

    def _next(self) -> _Step | None:
        """What the sender may say now; a result stays in the queue until it is written."""
        now_ms = _now_ms()
        if self._leave_due:
            self._leave_due, self._end_meant = False, True
            return _Step([], self._connection, leave=True)
        if not self._connected or not self._host.online:
            return None
        if self._birth_due:
            self._birth_due, self._born, self._late = False, True, len(self._queue)
            return _Step(self._session.births(self._bd_seq, self._latest, now_ms), self._connection)
        return _Step(self._tell(self._queue[0], now_ms), self._connection, taken=True) if self._queue else None

    def _tell(self, reading: Reading, now_ms: int) -> list[Said]:
        said = []
        if not self._session.device_alive:
            said.append(self._session.device_birth(self._latest, now_ms))
            self._late = len(self._queue)
        said.append(self._session.data(reading, historical=self._late > 0, now_ms=now_ms))
        if reading.camera_lost and reading is self._latest:
            said.append(self._session.device_death(now_ms))
        return said

    def _end_connection(self) -> None:
        self._connected = self._born = self._leave_due = False
        self._connection += 1
        self._changed.notify_all()

    # The sender's thread.

    def _send_until_closing(self) -> None:
        while True:
            with self._changed:
                step = None
                while not self._closing and (step := self._next()) is None:
                    self._changed.wait()
            if step is None:
                return
            if step.leave:
                self._leave()
            elif self._write(step.said, step.connection) and step.taken:
                with self._changed:
                    self._queue.popleft()
                    self._sent += 1
                    self._late = max(0, self._late - 1)
                    self._changed.notify_all()

    def _write(self, said: list[Said], connection: int) -> bool:
        """Whether all of it was written to that connection."""
        with self._changed:
            if self._connection != connection:
                return False
            self._written.clear()
        sent = [self._client.publish(message.topic, message.payload) for message in said]
        refused = any(info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS for info in sent)
        mids = {info.mid for info in sent}

        def over() -> bool:
            # paho refuses what comes after a connection; it will tell us of the end, too, and till then there is no hurry.
            return self._closing or self._connection != connection or (not refused and mids <= self._written)

        with self._changed:
            self._changed.wait_for(over)
            return not refused and mids <= self._written

    def _leave(self) -> None:
        """End the session with its deaths, and begin another connection, which waits for the host."""
        self._say_deaths()
        stop_client(self._client, _GOODBYE_S)
        with self._changed:
            # The old client, should it still be there, is not listened to any more.
            self._client = self._make_client()
            self._end_connection()
        self._start_client()

    def _say_deaths(self) -> None:
        """Bounded in time."""
        now_ms = _now_ms()
        with self._changed:
            if not (self._connected and self._born):
                return
            last = [self._session.device_death(now_ms)] if self._session.device_alive else []
            self._born = False
            self._written.clear()
        for message in last:
            self._client.publish(message.topic, message.payload)
        death = node_death(self._name, self._bd_seq, now_ms)
        farewell = self._client.publish(death.topic, death.payload, qos=1)
        with self._changed:
            self._changed.wait_for(lambda: farewell.mid in self._written or not self._connected, _GOODBYE_S)

    # Callbacks run in paho's thread; one that raised would end it.

    def _on_pre_connect(self, client: paho.Client, _data: object) -> None:
        if self._bd_seq_used:
            # Not again after an attempt that reached nobody: bdSeq counts what a broker was told.
            bd_seq = self._counter.next()
            with self._changed:
                self._bd_seq = bd_seq
        will = node_death(self._name, self._bd_seq, _now_ms())
        client.will_set(will.topic, will.payload, qos=1)
        self._bd_seq_used = True

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        if code.is_failure:
            self._outage.refused(code)
            return
        self._outage.back()
        topics = [self._name.node_topic("NCMD"), *([state_topic(self._host.name)] if self._host.name else [])]
        client.subscribe([(topic, 1) for topic in topics])
        with self._changed:
            self._host.forget()
            self._connected, self._birth_due, self._end_meant = True, True, False
            self._changed.notify_all()

    def _on_connect_fail(self, _client: object, _data: object) -> None:
        self._bd_seq_used = False
        self._outage.unreachable()

    def _on_subscribe(self, _client: object, _data: object, _mid: int, codes: list[ReasonCode], _props: object) -> None:
        for code in codes:
            if code.is_failure:
                log.error("sparkplug: the broker refuses a subscription: %s; let this user read NCMD and STATE topics", code)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        try:
            with self._changed:
                if message.topic == self._name.node_topic("NCMD"):
                    self._birth_due |= booleans(bytes(message.payload)).get(REBIRTH, False)
                else:
                    self._hear_host(bytes(message.payload))
                self._changed.notify_all()
        except ValueError as err:
            if not self._said_strange:
                log.error("sparkplug: topic %s: not understood: %s; such messages are ignored", message.topic, err)
            self._said_strange = True

    def _hear_host(self, raw: bytes) -> None:
        before = self._host.online
        self._host.hear(raw)
        if not self._host.online and not self._said_offline:
            log.warning("sparkplug: the primary host %s is offline; results wait", self._host.name)
        elif self._host.online and self._said_offline:
            log.warning("sparkplug: the primary host %s is online", self._host.name)
        self._said_offline = not self._host.online
        # A session ends with its host (edge-node-termination-host-offline), and the next one waits for it.
        self._leave_due |= before and self._born and not self._host.online

    def _on_publish(self, _client: object, _data: object, mid: int, _code: object, _props: object) -> None:
        with self._changed:
            self._written.add(mid)
            self._changed.notify_all()

    def _on_disconnect(self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        with self._changed:
            if client is not self._client:
                return
            was_connected, end_meant = self._connected, self._end_meant
            self._end_connection()
        if not end_meant:
            self._outage.ended(code, was_connected=was_connected)


def _now_ms() -> int:
    return round(utc_now().timestamp() * 1000)
