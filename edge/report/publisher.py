"""Results to any MQTT broker, quality of service 1.

Results wait in memory while the broker is away, up to `MAX_WAITING`; beyond that, and at a hard end of the process, they are
lost to MQTT, counted and logged. Accepted means that the broker said so: with MQTT 3.1.1 a broker cannot refuse a message
visibly, so its promise is weaker.
"""

import logging
import threading
from collections import deque
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from edge.events import Happening
from edge.report.broker import Broker, explain, make_client
from edge.report.event import make_event
from edge.report.message import Result, to_wire
from edge.report.status import State, StatusMessage
from edge.report.topics import topic
from edge.report.wire import StationName

log = logging.getLogger(__name__)

MAX_WAITING = 10_000
"""Results kept in memory while the broker is away: about 10 MB."""

MAX_EVENTS = 100
"""Events kept in memory beside them; the journal has all."""

_IN_FLIGHT = 16
"""Handed to paho and not yet accepted. After a reconnect paho sends all it holds at once, whatever the broker allows."""

_BACKOFF_S = (1, 8)
"""The longest pause is shorter than the usual `close_s`: a broker that is back is found before a run gives up."""

_GOODBYE_S = 2.0
_PACKET_OVERHEAD_BYTES = 10  # type, length, topic length, message id, no properties


@dataclass(frozen=True, slots=True)
class _Message:
    topic: str
    payload: bytes
    retain: bool = False


class MqttPublisher:
    """A sink that publishes every result and what happens, and keeps a retained `status` of online or offline.

    It starts without a network and reconnects for ever; "lost" and "back" are logged once each, and so are the first of
    the results that a broker refuses and the end of its refusing.

    Three threads meet here: the line puts, a sender hands to paho, and paho's own calls back. paho holds its lock for
    outgoing messages while it calls `on_publish`, which takes ours; so no thread may call paho while it holds ours.
    """

    def __init__(self, broker: Broker, station: StationName, boot_id: str) -> None:
        self._broker, self._station = broker, station
        self._result_topic = topic(broker.prefix, station, "result")
        self._status_topic = topic(broker.prefix, station, "status")
        self._event_topic = topic(broker.prefix, station, "event")
        self._boot_id = boot_id
        self._changed = threading.Condition()
        self._queue: deque[_Message] = deque()
        self._events: deque[_Message] = deque(maxlen=MAX_EVENTS)
        self._in_flight: dict[int, _Message] = {}
        self._early: dict[int, ReasonCode] = {}  # accepted before publish() has told us the message's number
        self._connected = self._greeting_due = self._closing = False
        self._window = _IN_FLIGHT
        self._max_packet_bytes: int | None = None
        self._refused = self._refused_before = 0
        # Touched by paho's thread alone.
        self._said_away, self._said_refusal = False, ""
        self._client = self._make_client()
        self._client.connect_async(broker.host, broker.port)
        self._client.loop_start()
        self._sender = threading.Thread(target=self._send_until_closing, name="mqtt-sender", daemon=True)
        self._sender.start()

    @property
    def undelivered(self) -> int:
        """Results the broker has not accepted: still waiting, or refused."""
        with self._changed:
            return self._count_waiting() + self._refused

    def put(self, result: Result) -> None:
        """Hand one result to the sending thread; never blocks on the network."""
        message = _Message(self._result_topic, to_wire(result))
        with self._changed:
            if self._count_waiting() >= MAX_WAITING:
                self._lose(f"{MAX_WAITING} results are waiting for the broker already")
                return
            self._queue.append(message)
            self._changed.notify_all()

    def tell(self, happening: Happening) -> None:
        """Publish an event before the results that wait; never blocks on the network. Of too many the newest are kept."""
        event = make_event(happening, self._station, self._boot_id)
        with self._changed:
            self._events.append(_Message(self._event_topic, to_wire(event)))
            self._changed.notify_all()

    def close(self) -> None:
        """Wait until everything is accepted or the time is over, say goodbye, and log what is left."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._count_waiting() or self._events), self._broker.close_s)
            left, connected = self._count_waiting(), self._connected
            self._closing = True
            self._changed.notify_all()
        if left:
            log.error("%d results were not accepted by the broker within %g s", left, self._broker.close_s)
        self._sender.join(_GOODBYE_S)
        if connected:
            farewell = self._client.publish(self._status_topic, self._status("offline").payload, qos=1, retain=True)
            with self._changed:
                self._changed.wait_for(lambda: farewell.mid in self._early or not self._connected, _GOODBYE_S)
        self._client.disconnect()
        # loop_stop waits for paho's thread without a limit, and that may hang in a name look-up or a dead connection.
        stopper = threading.Thread(target=self._client.loop_stop, name="mqtt-stop", daemon=True)
        stopper.start()
        stopper.join(_GOODBYE_S)

    def _make_client(self) -> paho.Client:
        client = make_client(self._broker)
        client.will_set(self._status_topic, self._status("offline").payload, qos=1, retain=True)
        client.reconnect_delay_set(*_BACKOFF_S)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def _status(self, state: State) -> _Message:
        return _Message(self._status_topic, to_wire(StatusMessage(state=state, boot_id=self._boot_id)), retain=True)

    # Called with the lock held.

    def _count_waiting(self) -> int:
        return len(self._queue) + sum(m.topic == self._result_topic for m in self._in_flight.values())

    def _lose(self, why: str) -> None:
        if self._refused == self._refused_before:
            log.error(
                "topic %s: a result is lost to MQTT: %s; more such losses are counted, not logged", self._result_topic, why
            )
        self._refused += 1

    def _drop(self, message: _Message, why: str) -> None:
        if message.topic == self._result_topic:
            self._queue.popleft()
            self._lose(why)
        else:
            log.error("topic %s: this message cannot be sent: %s", message.topic, why)
        self._changed.notify_all()

    def _settle(self, message: _Message, code: ReasonCode) -> None:
        """The broker has answered."""
        if message.topic != self._result_topic:
            if code.is_failure:
                log.error("topic %s: the broker refuses this message: %s", message.topic, explain(code))
        elif code.is_failure:
            self._lose(f"the broker refuses it: {explain(code)}")
        elif self._refused > self._refused_before:
            log.warning("topic %s: results are accepted again; %d are lost", self._result_topic, self._refused)
            self._refused_before = self._refused

    def _next(self) -> _Message | None:
        """What the sender may hand over now; a result stays in the queue until paho has it."""
        if not self._connected or len(self._in_flight) >= self._window:
            return None
        if self._greeting_due:
            self._greeting_due = False
            return self._status("online")
        if self._events:
            return self._events.popleft()
        return self._queue[0] if self._queue else None

    # The sender's thread.

    def _send_until_closing(self) -> None:
        while True:
            with self._changed:
                message = None
                while not self._closing and (message := self._next()) is None:
                    self._changed.wait()
                limit = self._max_packet_bytes
            if message is None:
                return
            size = _PACKET_OVERHEAD_BYTES + len(message.topic.encode()) + len(message.payload)
            if limit is not None and size > limit:
                # Sent all the same, it would end the connection now and after every reconnect.
                with self._changed:
                    self._drop(message, f"it has {size} bytes and the broker takes {limit}; raise its maximum packet size")
            else:
                self._hand_over(message)

    def _hand_over(self, message: _Message) -> None:
        sent = self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)
        with self._changed:
            if sent.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
                self._drop(message, paho.error_string(sent.rc))
                return
            # Any other code, "not connected" among them: paho has it and sends it after the next connect.
            if message.topic == self._result_topic:
                self._queue.popleft()
            if (code := self._early.pop(sent.mid, None)) is not None:
                self._settle(message, code)
            else:
                self._in_flight[sent.mid] = message
            self._changed.notify_all()

    # Callbacks run in paho's thread; one that raised would end it.

    def _on_connect(self, _client: object, _data: object, _flags: object, code: ReasonCode, props: object) -> None:
        if code.is_failure:
            self._say_refusal(f"refuses the connection: {explain(code)}")
            return
        if self._said_away:
            log.warning("broker %s:%d is back", self._broker.host, self._broker.port)
        else:
            log.info("broker %s:%d: connected", self._broker.host, self._broker.port)
        self._said_away, self._said_refusal = False, ""
        with self._changed:
            self._connected = self._greeting_due = True
            self._max_packet_bytes = getattr(props, "MaximumPacketSize", None)
            self._window = min(_IN_FLIGHT, getattr(props, "ReceiveMaximum", _IN_FLIGHT))
            self._changed.notify_all()

    def _on_connect_fail(self, _client: object, _data: object) -> None:
        self._say_away("cannot be reached")

    def _on_disconnect(self, _client: object, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        with self._changed:
            was_connected, closing = self._connected, self._closing
            self._connected = False
            self._changed.notify_all()
        if closing:
            return
        if was_connected:
            self._say_away(f"connection lost: {explain(code)}")
        elif not self._said_refusal:
            self._say_refusal("ends the connection before accepting it; is it an MQTT broker that speaks mqtt.protocol?")

    def _on_publish(self, _client: object, _data: object, mid: int, code: ReasonCode, _props: object) -> None:
        with self._changed:
            message = self._in_flight.pop(mid, None)
            if message is None:
                self._early[mid] = code
            else:
                self._settle(message, code)
            self._changed.notify_all()

    def _say_away(self, why: str) -> None:
        if not self._said_away:
            self._say(why)

    def _say_refusal(self, why: str) -> None:
        """A refusal is said even when the broker was away before: it has another mend."""
        if why != self._said_refusal:
            self._say(why)
        self._said_refusal = why

    def _say(self, why: str) -> None:
        self._said_away = True
        log.error("broker %s:%d: %s; trying again for ever", self._broker.host, self._broker.port, why)
