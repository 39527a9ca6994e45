"""An MQTT broker inside this process and a subscriber that hears it: the plant's side of the demo."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paho.mqtt.client as paho
from amqtt.broker import Broker
from paho.mqtt.enums import CallbackAPIVersion

from edge.errors import BrokerLost

_START_TIMEOUT_S = 10.0
HOST = "127.0.0.1"


@contextmanager
def running_broker() -> Iterator[int]:
    """A broker on a free port of the loopback; yields the port."""
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    logging.getLogger("transitions").setLevel(logging.ERROR)
    port = _free_port()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="broker", daemon=True)
    thread.start()
    broker = asyncio.run_coroutine_threadsafe(_start(port), loop).result(_START_TIMEOUT_S)
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(broker.shutdown(), loop).result(_START_TIMEOUT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_START_TIMEOUT_S)
        loop.close()


async def _start(port: int) -> Broker:
    anonymous = "amqtt.plugins.authentication.AnonymousAuthPlugin"
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
            "plugins": {anonymous: {"allow_anonymous": True}},
        }
    )
    await broker.start()
    return broker


@contextmanager
def subscribed(port: int, topic: str, receive: Callable[[bytes], None]) -> Iterator[None]:
    """A client of its own that hands every payload below `topic` to `receive`.

    Raises:
        BrokerLost: the broker does not confirm the subscription in time.
    """
    ready = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, "demo-subscriber", protocol=paho.MQTTv311)
    client.on_connect = lambda c, *_: c.subscribe(topic, qos=1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _client, _data, message: receive(bytes(message.payload))
    client.connect(HOST, port)
    client.loop_start()
    try:
        if not ready.wait(_START_TIMEOUT_S):
            raise BrokerLost(f"the demo's broker on port {port} does not confirm the subscription to {topic}.")
        yield
    finally:
        client.disconnect()
        client.loop_stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
