"""The connection to the broker: paho's thread notes what happens."""

import threading
import time
from collections import deque
from dataclasses import dataclass, replace

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode

from edge.report.books import Link
from edge.report.broker import Broker, chance_of, make_client
from edge.report.outage import Outage
from edge.report.stopping import stop_client

WINDOW = 16
"""Handed to paho and not yet answered. After a reconnect paho sends all it holds at once, whatever the broker allows."""

_BACKOFF_S = ((1.0, 2.0), (6.0, 8.0))
"""Between which a device draws its shortest and its longest pause. The longest is shorter than the usual `close_s`: a broker
that is back is found before a run gives up."""

_GOODBYE_S = 2.0

_EARLY_S = 5.0
"""A connection that ends within so long of its beginning may have ended for what was sent at once."""


@dataclass(frozen=True, slots=True)
class News:
    """What has happened since the last look. said: number of a message and the broker's answer to it."""

    connected: bool
    greet: bool  # connected anew: say who we are
    window: int
    max_packet_bytes: int | None
    said: tuple[tuple[int, ReasonCode], ...]
    ended_early: bool = False  # a connection was over as soon as it had begun


class Connection:
    """Reconnects for ever, and starts without a network.

    `changed` guards what paho's thread and the delivery thread share. paho holds its lock for outgoing messages while it
    calls `on_publish`, which takes ours; so no thread may call paho while it holds ours.
    """

    def __init__(self, broker: Broker, will_topic: str, will: bytes, changed: threading.Condition) -> None:
        self._broker = broker
        self._changed = changed
        self._connected = self._greet = self._closing = self._ended_early = False
        self.link = Link(connected=False, since_s=time.monotonic(), connects=0)
        self._window = WINDOW
        self._max_packet_bytes: int | None = None
        self._said: deque[tuple[int, ReasonCode]] = deque()
        self._outage = Outage(broker)  # touched by paho's thread alone
        self._will_topic, self._will = will_topic, will
        self._client = self._make_client()

    def _make_client(self) -> paho.Client:
        client = make_client(self._broker)
        client.will_set(self._will_topic, self._will, qos=1, retain=True)
        shortest_s, longest_s = (chance_of(self._broker).uniform(*pause) for pause in _BACKOFF_S)
        client.reconnect_delay_set(shortest_s, longest_s)  # type: ignore[arg-type] # paho counts in fractions as well
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        return client

    def start(self) -> None:
        """Begin to connect."""
        self._client.connect_async(self._broker.host, self._broker.port)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Hand one message to paho and return its number; never with the lock held.

        Whatever paho says at once, "not connected" among it: it has the message, and sends it after the next connect.
        """
        return int(self._client.publish(topic, payload, qos=1, retain=retain).mid)

    def bequeath(self, will: bytes) -> None:
        """The will of the connections to come; MQTT leaves a connection the one it began with."""
        self._will = will
        self._client.will_set(self._will_topic, will, qos=1, retain=True)

    def take_back(self) -> None:
        """Forget every message that has no answer yet, and connect anew: paho would send them again for ever."""
        old = self._client
        with self._changed:
            self._client = self._make_client()
            self._connected = self._greet = False
            self._said.clear()
        stop_client(old, _GOODBYE_S)
        self.start()

    def stop(self) -> None:
        """Hang up."""
        with self._changed:
            self._closing = True
        stop_client(self._client, _GOODBYE_S)

    # Called with the lock held.

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us."""
        return self._connected

    @property
    def has_news(self) -> bool:
        """Whether there is something to look at."""
        return self._greet or self._ended_early or bool(self._said)

    def look(self) -> News:
        """Take what has happened."""
        said = tuple(self._said)
        news = News(self._connected, self._greet, self._window, self._max_packet_bytes, said, self._ended_early)
        self._said.clear()
        self._greet = self._ended_early = False
        return news

    # Callbacks run in paho's thread; one that raised would end it.

    def _on_connect(self, client: object, _data: object, _flags: object, code: ReasonCode, props: object) -> None:
        if code.is_failure:
            self._outage.refused(code)
            return
        self._outage.back()
        with self._changed:
            if client is not self._client:
                return
            self._connected = self._greet = True
            self.link = Link(connected=True, since_s=time.monotonic(), connects=self.link.connects + 1)
            self._max_packet_bytes = getattr(props, "MaximumPacketSize", None)
            self._window = min(WINDOW, getattr(props, "ReceiveMaximum", WINDOW))
            self._changed.notify_all()

    def _on_connect_fail(self, _client: object, _data: object) -> None:
        self._outage.unreachable()

    def _on_disconnect(self, client: object, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        with self._changed:
            if client is not self._client:
                return
            was_connected, closing = self._connected, self._closing
            self._connected = self._greet = False
            if was_connected:
                self._ended_early = time.monotonic() - self.link.since_s < _EARLY_S
                self.link = replace(self.link, connected=False, since_s=time.monotonic())
            self._changed.notify_all()
        if not closing:
            self._outage.ended(code, was_connected=was_connected)

    def _on_publish(self, client: object, _data: object, mid: int, code: ReasonCode, _props: object) -> None:
        with self._changed:
            if client is self._client:
                self._said.append((mid, code))
                self._changed.notify_all()
