"""The port against brokers that do not behave as Mosquitto does, and a desk that falls."""

from collections.abc import Callable

import pytest

from edge.command.desk import Answer
from edge.command.gatekeeper import Request
from edge.command.port import CommandPort
from edge.report.broker import Broker
from tests.asking import STATION_TOPIC
from tests.brokers import HOST, answering, wait_until
from tests.results import STATION

CONNACK = b"\x20\x03\x00\x00\x00"
"""MQTT 5: success, no properties."""

SUBACK, SUBACK_REFUSED = b"\x90\x04\x00\x01\x00\x01", b"\x90\x04\x00\x01\x00\x87"
"""For message 1: quality of service 1; not authorised."""


class FallingDesk:
    """What nobody thought of."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def receive(self, request: Request, _send: Callable[[Answer], None]) -> None:
        self.asked.append(request)
        raise RuntimeError("unforeseen")

    def close(self, timeout_s: float) -> None:
        pass


def port(number: int, desk: FallingDesk) -> CommandPort:
    broker = Broker(HOST, number, "5", "goodpart", "camera", None, None, 0.1)
    return CommandPort(broker, STATION, desk)  # type: ignore[arg-type] # it has what the port asks of a desk


def test_a_subscription_that_is_refused_is_named_with_its_topic(caplog: pytest.LogCaptureFixture) -> None:
    with answering(CONNACK + SUBACK_REFUSED, stay=True) as (number, _):
        ear = port(number, FallingDesk())
        wait_until(lambda: "refuses the subscription" in caplog.text, "the journal")
        ear.close()
    assert f"{STATION_TOPIC}/command: Not authorized" in caplog.text


def test_a_message_nobody_can_answer_does_not_make_the_port_deaf(caplog: pytest.LogCaptureFixture) -> None:
    body = len(STATION_TOPIC).to_bytes(2, "big") + STATION_TOPIC.encode() + b"\x00"
    message = b"\x30" + bytes([len(body) + 2]) + body + b"{}"
    desk = FallingDesk()
    with answering(CONNACK + SUBACK + message * 2, stay=True) as (number, _):
        ear = port(number, desk)
        wait_until(lambda: len(desk.asked) == 2, "both messages")
        ear.close()
    assert [request.payload for request in desk.asked] == [b"{}", b"{}"]
    assert caplog.text.count("could not be answered") == 2
