"""The device's ear: an MQTT client of its own that hears commands and sends answers, so that results never wait for it."""

import logging
import time
from dataclasses import replace

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.command.desk import Answer, Desk
from edge.command.gatekeeper import Request
from edge.report.broker import Broker, explain, make_client
from edge.report.outage import Outage
from edge.report.stopping import stop_client
from edge.report.topics import topic
from edge.report.wire import StationName

log = logging.getLogger(__name__)

_BACKOFF_S = (1, 8)
_GOODBYE_S = 2.0
_MOST_ANSWERS_WAITING = 100
_LARGEST_PACKET_BYTES = 256 * 1024
"""What MQTT 5 lets a client ask for: the broker drops larger packets before they fill our memory."""

_SEND_NO_RETAINED = 2
"""MQTT 5, 3.8.3.1, Retain Handling."""


class CommandPort:
    """Subscribes to the station's `command`, hands each message to the desk, and publishes its answers.

    Like the publisher it starts without a network and reconnects for ever, and says "lost" and "back" once each. The broker
    keeps no session: a command that comes while nobody listens is lost, and its sender hears no answer.
    """

    def __init__(self, broker: Broker, station: StationName, desk: Desk) -> None:
        self._broker, self._desk = broker, desk
        self._topic = topic(broker.prefix, station, "command")
        self._is_5 = broker.protocol == "5"
        self._closing = self._connected = self._said_refused = False
        self._outage = Outage(broker, "commands")  # touched by paho's thread alone
        self._client = make_client(replace(broker, client_id=f"{broker.client_id}-commands"))
        self._client.reconnect_delay_set(*_BACKOFF_S)
        self._client.max_queued_messages_set(_MOST_ANSWERS_WAITING)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = lambda _client, _data: self._outage.unreachable()
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish
        self._client.connect_async(broker.host, broker.port, properties=self._connect_properties())
        self._client.loop_start()

    def close(self) -> None:
        """Hear nothing more, let what is being done end, and send its answer."""
        self._closing = True
        if self._client.is_connected():
            self._client.unsubscribe(self._topic)
        self._desk.close(self._broker.close_s)
        deadline_s = time.monotonic() + _GOODBYE_S
        while self._client.want_write() and self._client.is_connected() and time.monotonic() < deadline_s:
            time.sleep(0.01)
        stop_client(self._client, _GOODBYE_S)

    def _connect_properties(self) -> Properties | None:
        if not self._is_5:
            return None
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho ships it without types
        properties.MaximumPacketSize = _LARGEST_PACKET_BYTES
        return properties

    # Callbacks run in paho's thread; one that raised would end it.

    def _on_connect(self, _client: object, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        self._connected = not code.is_failure
        if code.is_failure:
            self._outage.refused(code)
        elif self._is_5:
            self._client.subscribe(self._topic, options=SubscribeOptions(qos=1, retainHandling=_SEND_NO_RETAINED))
        else:
            self._client.subscribe(self._topic, qos=1)

    def _on_subscribe(self, _client: object, _data: object, _mid: int, codes: list[ReasonCode], _props: object) -> None:
        if codes[0].is_failure:
            self._outage.refuses(f"refuses the subscription to {self._topic}: {explain(codes[0])}")
            return
        level = logging.WARNING if self._outage.over() else logging.INFO
        log.log(level, "commands: heard on topic %s", self._topic)

    def _on_disconnect(self, _client: object, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        was_connected, self._connected = self._connected, False
        if not self._closing:
            self._outage.ended(code, was_connected=was_connected)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        came_s = time.monotonic()
        properties = message.properties
        request = Request(
            payload=bytes(message.payload),
            mono_s=came_s,
            response_topic=getattr(properties, "ResponseTopic", None),
            correlation=getattr(properties, "CorrelationData", None),
            retained=message.retain,
        )
        try:
            self._desk.receive(request, self._send)
        except Exception:
            # The line goes on, and so does the next command.
            log.exception("commands: a message could not be answered")

    def _on_publish(self, _client: object, _data: object, _mid: int, code: ReasonCode, _props: object) -> None:
        if code.is_failure and not self._said_refused:
            log.error("commands: the broker refuses an answer: %s; more are not logged", explain(code))
        self._said_refused = code.is_failure

    def _send(self, answer: Answer) -> None:
        properties = None
        if self._is_5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho ships it without types
            if answer.correlation is not None:
                properties.CorrelationData = answer.correlation
        self._client.publish(answer.topic, answer.payload, qos=1, properties=properties)
