"""The MQTT sink by itself: what a broker may do to it, and that it never hangs."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edge.events import EventCode, Events
from edge.report.broker import Broker
from edge.report.publisher import MAX_EVENTS, MAX_WAITING, MqttPublisher
from tests.brokers import HOST, PATIENCE_S, Mosquitto, Subscriber, answering, free_port, wait_until
from tests.results import STATION, result

CONNACK = b"\x20\x03\x00\x00\x00"


def broker_at(port: int, **more: object) -> Broker:
    usual = Broker(HOST, port, "5", "goodpart", "camera-1", None, None, close_s=PATIENCE_S)
    return replace(usual, **more)  # type: ignore[arg-type]


@contextmanager
def publishing(broker: Broker) -> Iterator[MqttPublisher]:
    publisher = MqttPublisher(broker, STATION, "boot")
    try:
        yield publisher
    finally:
        publisher.close()


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_thousands_of_results_in_a_row_neither_hang_nor_get_lost(tmp_path: Path, protocol: str) -> None:
    # Answers come while the next results are put: the moment in which two locks taken in different order would meet.
    many = 3000
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant:
        with publishing(broker_at(broker.port, protocol=protocol)) as publisher:
            putter = threading.Thread(target=lambda: [publisher.put(result(n)) for n in range(many)], daemon=True)
            putter.start()
            putter.join(PATIENCE_S)
            assert not putter.is_alive()
        assert publisher.undelivered == 0
        wait_until(lambda: len(plant.results()) == many, "all results")
    assert [r["seq"] for r in plant.results()] == list(range(many))


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_wrong_password_is_one_line_with_the_mend_however_often_it_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, protocol: str
) -> None:
    with Mosquitto(tmp_path, users={"camera": "right"}, more="log_type all") as broker:
        wrong = broker_at(broker.port, protocol=protocol, username="camera", password="wrong", close_s=0.0)  # noqa: S106
        with publishing(wrong):
            wait_until(lambda: broker.log.count("not authorised") >= 2, "two refusals")
    assert len(errors(caplog)) == 1
    assert "Not authorized" in errors(caplog)[0]
    assert "mqtt.password_file" in errors(caplog)[0]


def test_a_broker_of_the_older_protocol_is_one_line_with_the_mend(caplog: pytest.LogCaptureFixture) -> None:
    # What brokers that know only MQTT 3.1.1 answer: version not supported.
    with answering(b"\x20\x02\x00\x01") as (port, calls), publishing(broker_at(port, close_s=0.0)):
        wait_until(lambda: len(calls) >= 2, "two refusals")
    assert len(errors(caplog)) == 1
    assert "set mqtt.protocol to '3.1.1'" in errors(caplog)[0]


def test_something_else_at_the_port_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, calls), publishing(broker_at(port, close_s=0.0)):
        wait_until(lambda: len(calls) >= 2, "two answers")
    assert len(errors(caplog)) == 1
    assert "is it an MQTT broker" in errors(caplog)[0]


def test_a_result_too_large_for_the_broker_is_lost_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Mosquitto(tmp_path, more="max_packet_size 2000") as broker, Subscriber(broker) as plant:
        with publishing(broker_at(broker.port)) as publisher:
            for seq, detail in ((1, ""), (2, "x" * 4000), (3, "")):
                publisher.put(result(seq, detail))
        assert publisher.undelivered == 1
        wait_until(lambda: len(plant.results()) == 2, "the others")
    assert [r["seq"] for r in plant.results()] == [1, 3]
    assert "the broker takes 2000" in errors(caplog)[0]
    assert "results are accepted again; 1 are lost" in caplog.text
    assert "connection lost" not in caplog.text


def test_beyond_its_memory_results_are_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with publishing(broker_at(free_port(), close_s=0.0)) as publisher:
        for seq in range(MAX_WAITING + 5):
            publisher.put(result(seq))
    assert publisher.undelivered == MAX_WAITING + 5
    assert sum("are waiting for the broker already" in line for line in errors(caplog)) == 1


@pytest.mark.parametrize("answer", [b"", CONNACK], ids=["before it accepts", "after it accepted"])
def test_a_broker_that_falls_silent_holds_up_neither_the_line_nor_the_end(answer: bytes) -> None:
    many = 1000
    with answering(answer, stay=True) as (port, calls):
        with publishing(broker_at(port, close_s=0.1)) as publisher:
            wait_until(lambda: calls, "the connection")
            for seq in range(many):
                publisher.put(result(seq))
        assert publisher.undelivered == many


def test_a_broker_with_a_small_window_is_not_overrun(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, more="max_inflight_messages 1") as broker, Subscriber(broker) as plant:
        with publishing(broker_at(broker.port)) as publisher:
            for seq in range(100):
                publisher.put(result(seq))
        assert publisher.undelivered == 0
        wait_until(lambda: len(plant.results()) == 100, "all results")


def test_two_devices_with_one_client_id_are_told_so(caplog: pytest.LogCaptureFixture) -> None:
    # What MQTT 5 brokers say to the elder of two: session taken over.
    with answering(CONNACK + b"\xe0\x02\x8e\x00") as (port, _), publishing(broker_at(port, close_s=0.0)):
        wait_until(lambda: "same mqtt.client_id" in caplog.text, "the hint")


def test_what_happens_while_the_broker_is_away_is_told_when_it_is_back_the_newest_of_too_many(tmp_path: Path) -> None:
    events = Events()
    with Mosquitto(tmp_path, durable=True) as broker, Subscriber(broker, durable=True) as plant:
        wait_until(lambda: broker.database.exists() and b"the-plant" in broker.database.read_bytes(), "the session on disk")
        broker.send(signal.SIGTERM)
        with publishing(broker_at(broker.port)) as publisher:
            events.listen(publisher.tell)
            for number in range(MAX_EVENTS + 2):
                events.say(EventCode.RECIPE_ACTIVATED, f"recipe {number}")
            publisher.put(result(1))
            broker.start()
        wait_until(lambda: len(plant.events()) >= MAX_EVENTS and plant.results(), "what was kept")
    assert [e["detail"] for e in plant.events()] == [f"recipe {n}" for n in range(2, MAX_EVENTS + 2)]
    assert publisher.undelivered == 0
