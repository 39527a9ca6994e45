"""One retained message that a broker is to hold for as long as we run."""

import logging
import threading

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode

from edge.report.broker import Broker, explain, make_client
from edge.report.outage import Outage
from edge.report.stopping import stop_client

log = logging.getLogger(__name__)

_BACKOFF_S = (1, 60)
_GOODBYE_S = 2.0


class Retained:
    """Publishes it after every connect, since a broker may have forgotten it; an empty one takes it away.

    who: the key of the station file that asks for it. A broker that is away is tried for ever, logged once.
    """

    def __init__(self, who: str, broker: Broker, topic: str, payload: bytes) -> None:
        self._who, self._topic, self._payload = who, topic, payload
        self._answered = threading.Event()
        self._closing = False
        # Touched by paho's thread alone.
        self._outage = Outage(broker, who)
        self._connected = self._said_refusal = False
        self._client = make_client(broker)
        self._client.reconnect_delay_set(*_BACKOFF_S)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = self._on_disconnect
        self._client.connect_async(broker.host, broker.port)
        self._client.loop_start()

    def close(self) -> None:
        """Give a broker that is slow to answer a last chance; what it retains stays there."""
        self._answered.wait(_GOODBYE_S)
        self._closing = True
        stop_client(self._client, _GOODBYE_S)

    # Callbacks run in paho's thread; one that raised would end it.

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        if code.is_failure:
            self._outage.refused(code)
            return
        self._connected = True
        self._outage.back()
        client.publish(self._topic, self._payload, qos=1, retain=True)

    def _on_connect_fail(self, _client: object, _data: object) -> None:
        self._outage.unreachable()

    def _on_publish(self, _client: object, _data: object, _mid: int, code: ReasonCode, _props: object) -> None:
        if code.is_failure and not self._said_refusal:
            log.error("%s: topic %s: the broker refuses the message: %s", self._who, self._topic, explain(code))
        self._said_refusal = code.is_failure
        self._answered.set()

    def _on_disconnect(self, _client: object, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        was_connected, self._connected = self._connected, False
        if not self._closing:
            self._outage.ended(code, was_connected=was_connected)
