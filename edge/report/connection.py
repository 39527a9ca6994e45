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
"""Handed to paho and not yet answered at most; a broker may allow fewer."""

_BACKOFF_S = ((1.0, 2.0), (6.0, 8.0))
"""Between which a device draws its shortest and its longest pause. The longest is shorter than the usual `close_s`: a broker
that is back is found before a run gives up."""

_GOODBYE_S = 2.0

_EARLY_S = 5.0
"""A connection that ends within so long of its beginning may have ended for what was sent at once."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A connection that is over.

    unanswered: numbers of the messages it left over, which paho has forgotten. was_short: over as soon as it had begun.
    """

    unanswered: tuple[int, ...]
    was_short: bool


@dataclass(frozen=True, slots=True)
class News:
    """What has happened since the last look. said: number of a message and the broker's answer to it."""

    connected: bool
    greet: bool  # connected anew: say who we are
    window: int
    max_packet_bytes: int | None
    said: tuple[tuple[int, ReasonCode], ...]
    ended: tuple[Ended, ...] = ()  # each that another has followed, the oldest first


class Connection:
    """Reconnects for ever, and starts without a network.

    `changed` guards what paho's thread and the delivery thread share. paho holds its lock for outgoing messages while it
    calls `on_publish`, which takes ours; so no thread may call paho while it holds ours.
    """

    def __init__(self, broker: Broker, will_topic: str, will: bytes, changed: threading.Condition) -> None:
        self._broker = broker
        self._changed = changed
        self._connected = self._greet = self._closing = False
        self._was_short = False
        self.link = Link(connected=False, since_s=time.monotonic(), connects=0)
        self._window = WINDOW
        self._max_packet_bytes: int | None = None
        self._said: deque[tuple[int, ReasonCode]] = deque()
        self._ended: list[Ended] = []
        self._outage = Outage(broker)  # touched by paho's thread alone
        self._will_topic = will_topic
        self._client = make_client(broker)
        # Our window is narrower than paho's own limit, which counts also what it was told to forget.
        self._client.max_inflight_messages_set(0)
        self._client.will_set(will_topic, will, qos=1, retain=True)
        shortest_s, longest_s = (chance_of(broker).uniform(*pause) for pause in _BACKOFF_S)
        self._client.reconnect_delay_set(shortest_s, longest_s)  # type: ignore[arg-type] # paho counts in fractions as well
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish

    def start(self) -> None:
        """Begin to connect."""
        self._client.connect_async(self._broker.host, self._broker.port)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Hand one message to paho and return its number; never with the lock held.

        Whatever paho says at once, "not connected" among it: the number is told as answered, or as left unanswered.
        """
        return int(self._client.publish(topic, payload, qos=1, retain=retain).mid)

    def bequeath(self, will: bytes) -> None:
        """The will of the connections to come; MQTT leaves a connection the one it began with."""
        self._client.will_set(self._will_topic, will, qos=1, retain=True)

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
        return self._greet or bool(self._said)

    def look(self) -> News:
        """Take what has happened."""
        news = News(
            self._connected, self._greet, self._window, self._max_packet_bytes, tuple(self._said), tuple(self._ended)
        )
        self._said.clear()
        self._ended.clear()
        self._greet = False
        return news

    # Callbacks run in paho's thread; one that raised would end it.

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, props: object) -> None:
        if code.is_failure:
            self._outage.refused(code)
            return
        self._outage.back()
        # paho would send it again now as it was, though in the meantime it may have become late.
        unanswered = tuple(message.mid for message in client.drop_out_messages())
        with self._changed:
            self._ended.append(Ended(unanswered, self._was_short))
            self._was_short = False
            self._connected = self._greet = True
            self.link = Link(connected=True, since_s=time.monotonic(), connects=self.link.connects + 1)
            self._max_packet_bytes = getattr(props, "MaximumPacketSize", None)
            self._window = min(WINDOW, getattr(props, "ReceiveMaximum", WINDOW))
            self._changed.notify_all()

    def _on_connect_fail(self, _client: object, _data: object) -> None:
        self._outage.unreachable()

    def _on_disconnect(self, _client: object, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        with self._changed:
            was_connected, closing = self._connected, self._closing
            self._connected = self._greet = False
            if was_connected:
                self._was_short = time.monotonic() - self.link.since_s < _EARLY_S
                self.link = replace(self.link, connected=False, since_s=time.monotonic())
            self._changed.notify_all()
        if not closing:
            self._outage.ended(code, was_connected=was_connected)

    def _on_publish(self, _client: object, _data: object, mid: int, code: ReasonCode, _props: object) -> None:
        with self._changed:
            self._said.append((mid, code))
            self._changed.notify_all()
