"""The MQTT sink as a test wants it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from edge.report.broker import Broker
from edge.report.outbox.memory import MemoryOutbox
from edge.report.outbox.outbox import Outbox
from edge.report.publisher import MqttPublisher
from tests.brokers import HOST, PATIENCE_S
from tests.results import BIRTH


def broker_at(port: int, **more: object) -> Broker:
    usual = Broker(HOST, port, "5", "goodpart", "camera-1", None, None, close_s=PATIENCE_S)
    return replace(usual, **more)  # type: ignore[arg-type]


@contextmanager
def publishing(broker: Broker, opened: Callable[[], Outbox] = MemoryOutbox) -> Iterator[MqttPublisher]:
    publisher = MqttPublisher(broker, BIRTH, opened)
    try:
        yield publisher
    finally:
        publisher.close()
