"""The MQTT sink by itself: what a broker may do to it, and that it never hangs."""

import json
import logging
import signal
import threading
from functools import partial
from pathlib import Path

import pytest

from edge.app.delivery import tell_event
from edge.events import EventCode, Events
from edge.report.books import Loss
from edge.report.notices import MOST_WAITING
from edge.report.outbox.lasting import LastingOutbox
from edge.report.outbox.memory import MOST_IN_MEMORY
from edge.report.wire import to_wire
from tests.brokers import PATIENCE_S, Mosquitto, Subscriber, answering, free_port, retained, wait_until
from tests.faults.proxy import Proxy, Traffic
from tests.outboxes import inside
from tests.publishing import broker_at, publishing
from tests.results import STATION, result

CONNACK = b"\x20\x03\x00\x00\x00"


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_thousands_of_results_in_a_row_neither_hang_nor_get_lost(tmp_path: Path, protocol: str) -> None:
    # Answers come while the next results are put: the moment in which two locks taken in different order would meet.
    many = 3000
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant:
        on_disk = partial(LastingOutbox, tmp_path / "waiting.outbox", 2**25)
        with publishing(broker_at(broker.port, protocol=protocol), on_disk) as publisher:
            putter = threading.Thread(target=lambda: [publisher.put(result(n)) for n in range(many)], daemon=True)
            putter.start()
            putter.join(PATIENCE_S)
            assert not putter.is_alive()
        assert (publisher.waiting, publisher.lost) == (0, 0)
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


def test_a_result_too_large_for_the_broker_is_a_dead_letter_and_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto(tmp_path, more="max_packet_size 2000") as broker, Subscriber(broker) as plant:
        with publishing(broker_at(broker.port)) as publisher:
            for seq, detail in ((1, ""), (2, "x" * 4000), (3, "")):
                publisher.put(result(seq, detail))
        assert (publisher.waiting, publisher.lost) == (0, 1)
        wait_until(lambda: len(plant.results()) == 2, "the others")
    assert [r["seq"] for r in plant.results()] == [1, 3]
    assert "the broker takes 2000" in errors(caplog)[0]
    assert "among the dead letters" in errors(caplog)[0]
    assert "connection lost" not in caplog.text


@pytest.mark.parametrize("larger", [1, 2])
def test_a_broker_that_hangs_up_on_a_large_result_without_a_word_is_found_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, larger: int
) -> None:
    # With MQTT 3.1.1 Mosquitto cannot say how large a packet may be.
    details = ["", *["x" * 4000] * larger, "", ""]
    path = tmp_path / "waiting.outbox"
    with Mosquitto(tmp_path, more="max_packet_size 2000") as broker, Subscriber(broker) as plant:
        with publishing(broker_at(broker.port, protocol="3.1.1"), partial(LastingOutbox, path, 2**25)) as publisher:
            for seq, detail in enumerate(details):
                publisher.put(result(seq, detail))
            wait_until(lambda: publisher.lost == larger, "the large ones among the dead letters", patience_s=90)
            assert publisher.counts().losses[Loss.DEAD] == larger
        assert publisher.waiting == 0
        small = {seq for seq, detail in enumerate(details) if not detail}
        wait_until(lambda: {r["seq"] for r in plant.results()} == small, "the others")
    assert {reason for (reason,) in inside(path, "SELECT reason FROM dead")} == {
        "the broker hangs up on it and takes smaller ones; raise its maximum packet size"
    }
    assert "results are sent one by one" in caplog.text


def test_beyond_its_memory_results_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    with publishing(broker_at(free_port(), close_s=0.0)) as publisher:
        for seq in range(MOST_IN_MEMORY + 5):
            publisher.put(result(seq))
        wait_until(lambda: publisher.lost >= 5, "the overflow")
        assert (publisher.waiting, publisher.lost) == (MOST_IN_MEMORY, 5)
    assert (publisher.waiting, publisher.lost) == (0, MOST_IN_MEMORY + 5)
    assert len(errors(caplog)) <= 2


@pytest.mark.parametrize("answer", [b"", CONNACK], ids=["before it accepts", "after it accepted"])
def test_a_broker_that_falls_silent_holds_up_neither_the_line_nor_the_end(tmp_path: Path, answer: bytes) -> None:
    many = 1000
    with answering(answer, stay=True) as (port, calls):
        on_disk = partial(LastingOutbox, tmp_path / "waiting.outbox", 2**22)
        with publishing(broker_at(port, close_s=0.1), on_disk) as publisher:
            wait_until(lambda: calls, "the connection")
            for seq in range(many):
                publisher.put(result(seq))
        assert (publisher.waiting, publisher.lost) == (many, 0)


def test_a_broker_with_a_small_window_is_not_overrun(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, more="max_inflight_messages 1") as broker, Subscriber(broker) as plant:
        with publishing(broker_at(broker.port)) as publisher:
            for seq in range(100):
                publisher.put(result(seq))
        assert (publisher.waiting, publisher.lost) == (0, 0)
        wait_until(lambda: len(plant.results()) == 100, "all results")


def test_two_devices_with_one_client_id_are_told_so(caplog: pytest.LogCaptureFixture) -> None:
    # What MQTT 5 brokers say to the elder of two: session taken over.
    with answering(CONNACK + b"\xe0\x02\x8e\x00") as (port, _), publishing(broker_at(port, close_s=0.0)):
        wait_until(lambda: "same mqtt.client_id" in caplog.text, "the hint")


def test_news_go_before_what_waits_and_only_the_newest_is_kept(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    with publishing(broker_at(broker.port)) as publisher:
        for seq in range(3):
            publisher.put(result(seq))
            publisher.tell("health", b'{"number": %d}' % seq, retain=True)
        account = publisher.counts()
        assert (account.delivered, account.waiting, account.lost, account.put) == (0, 3, 0, 3)
        assert not publisher.link().connected
        with broker, Subscriber(broker) as plant:
            wait_until(lambda: len(plant.results()) == 3, "all results")
            assert plant.healths() == [{"number": 2}]
            wait_until(lambda: publisher.counts().delivered == 3, "the books")
            link = publisher.link()
            assert (link.connected, link.connects) == (True, 1)
            assert retained(broker, "health") == {"number": 2}


def test_a_lost_connection_that_is_made_again_is_counted(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    with broker, publishing(broker_at(broker.port)) as publisher:
        wait_until(lambda: publisher.link().connected, "the connection")
        first = publisher.link()
        broker.send(signal.SIGKILL)
        wait_until(lambda: not publisher.link().connected, "the loss")
        broker.start()
        wait_until(lambda: publisher.link().connected, "the next connection")
        assert publisher.link().connects == 2
        assert publisher.link().since_s > first.since_s


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_an_outage_caught_on_its_way_says_afterwards_that_it_is_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    caught = result(2)
    monkeypatch.setattr("edge.report.delivery.FRESH_S", float("inf"))
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant, Proxy(broker.port) as link:
        with publishing(broker_at(link.port, protocol=protocol)) as publisher:
            publisher.put(result(1))
            wait_until(lambda: publisher.counts().delivered == 1, "the first result")
            link.strand()
            link.let(Traffic.REFUSED)
            publisher.tell("event", b'{"code": "X"}', retain=False)
            publisher.tell("health", b'{"number": 1}', retain=True)
            publisher.put(caught)
            assert publisher.commit(PATIENCE_S), "all are on their way"
            link.cut()
            wait_until(lambda: not publisher.link().connected, "the loss")
            publisher.tell("health", b'{"number": 2}', retain=True)
            monkeypatch.setattr("edge.report.delivery.FRESH_S", 0.0)
            link.let(Traffic.PASSES)
        wait_until(lambda: len(plant.results()) == 2 and plant.events() and plant.healths(), "the rest")
    assert [(said["seq"], said["historical"]) for said in plant.results()] == [(1, False), (2, True)]
    assert (plant.events(), plant.healths()) == ([{"code": "X"}], [{"number": 2}])
    assert plant.results()[1] == {**json.loads(to_wire(caught)), "historical": True}
    assert (publisher.waiting, publisher.lost) == (0, 0)


def test_news_that_the_broker_refuses_are_said_once_and_cost_no_result(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    acl = "topic read goodpart/#\ntopic write goodpart/v1/+/+/+/+/result\ntopic write goodpart/v1/+/+/+/+/status\n"
    with Mosquitto(tmp_path, acl=acl) as broker, Subscriber(broker) as plant:
        with publishing(broker_at(broker.port)) as publisher:
            for seq in range(4):
                publisher.tell("health", b"{}", retain=True)
                publisher.put(result(seq))
                wait_until(lambda seq=seq: publisher.counts().delivered == seq + 1, "the result")
        assert (publisher.waiting, publisher.lost) == (0, 0)
        wait_until(lambda: len(plant.results()) == 4, "all results")
    assert plant.healths() == []
    assert [line for line in errors(caplog) if "/health" in line] == errors(caplog)
    assert len(errors(caplog)) == 1
    assert "Not authorized" in errors(caplog)[0]


def test_news_too_large_for_the_broker_are_said_once_and_end_no_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto(tmp_path, more="max_packet_size 2000") as broker, Subscriber(broker) as plant:
        with publishing(broker_at(broker.port)) as publisher:
            for seq in range(3):
                publisher.tell("health", b"x" * 4000, retain=True)
                publisher.put(result(seq))
                wait_until(lambda seq=seq: publisher.counts().delivered == seq + 1, "the result")
            assert publisher.link().connects == 1
        wait_until(lambda: len(plant.results()) == 3, "all results")
    assert len(errors(caplog)) == 1
    assert "the broker takes 2000" in errors(caplog)[0]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_news_at_which_the_broker_hangs_up_hold_up_no_result(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    # With MQTT 3.1.1 nobody knows beforehand that it will hang up.
    why = "the broker takes 2000" if protocol == "5" else "the broker hangs up on it"
    monkeypatch.setattr("edge.report.held_back._FIRST_S", 1.0)
    with Mosquitto(tmp_path, more="max_packet_size 2000") as broker, Subscriber(broker) as plant:
        with publishing(broker_at(broker.port, protocol=protocol)) as publisher:

            def delivered(many: int) -> bool:
                publisher.tell("health", b"x" * 4000, retain=True)
                return publisher.counts().delivered == many

            for seq in range(5):
                assert not delivered(5)
                publisher.put(result(seq))
            wait_until(lambda: delivered(5), "the results")
            wait_until(lambda: delivered(5) and why in caplog.text, "the line in the journal", patience_s=90)
            for seq in range(5, 10):
                publisher.put(result(seq))
                wait_until(lambda seq=seq: delivered(seq + 1), "a later result")
        assert (publisher.waiting, publisher.lost) == (0, 0)
        wait_until(lambda: {said["seq"] for said in plant.results()} == set(range(10)), "all results")
    assert caplog.text.count(why) == 1


def test_what_is_lost_is_lost_by_its_cause() -> None:
    with publishing(broker_at(free_port(), close_s=0.0)) as publisher:
        for seq in range(MOST_IN_MEMORY + 2):
            publisher.put(result(seq))
            assert publisher.counts().put == seq + 1, "the books are right at every moment"
        wait_until(lambda: publisher.counts().losses[Loss.OVERFLOWED] == 2, "the overflow")
        assert (publisher.counts().waiting, publisher.counts().put) == (MOST_IN_MEMORY, MOST_IN_MEMORY + 2)


def test_what_an_earlier_process_left_is_carried_over(tmp_path: Path) -> None:
    opened = partial(LastingOutbox, tmp_path / "waiting.outbox", 2**22)
    with publishing(broker_at(free_port(), close_s=0.0), opened) as publisher:
        publisher.put(result(1))
    with Mosquitto(tmp_path) as broker, publishing(broker_at(broker.port), opened) as publisher:
        publisher.put(result(2))
        wait_until(lambda: publisher.counts().delivered == 2, "both")
        account = publisher.counts()
    assert (account.carried, account.waiting, account.lost, account.put) == (1, 0, 0, 1)


def test_what_happens_while_the_broker_is_away_is_told_when_it_is_back_the_newest_of_too_many(tmp_path: Path) -> None:
    events = Events()
    with Mosquitto(tmp_path, durable=True) as broker, Subscriber(broker, durable=True) as plant:
        wait_until(lambda: broker.database.exists() and b"the-plant" in broker.database.read_bytes(), "the session on disk")
        broker.send(signal.SIGTERM)
        with publishing(broker_at(broker.port)) as publisher:
            events.listen(partial(tell_event, publisher, STATION, "boot"))
            for number in range(MOST_WAITING + 2):
                events.say(EventCode.RECIPE_ACTIVATED, f"recipe {number}")
            publisher.put(result(1))
            broker.start()
        wait_until(lambda: len(plant.events()) >= MOST_WAITING and plant.results(), "what was kept")
    assert [e["detail"] for e in plant.events()] == [f"recipe {n}" for n in range(2, MOST_WAITING + 2)]
    assert (publisher.waiting, publisher.lost) == (0, 0)


def test_a_damaged_outbox_is_an_event_though_it_is_found_before_anybody_listens(tmp_path: Path) -> None:
    events, path = Events(), tmp_path / "waiting.outbox"
    path.write_bytes(b"no database at all" * 1000)
    opened = partial(LastingOutbox, path, 2**22, events=events)
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant, publishing(broker_at(broker.port), opened) as publisher:
        events.listen(partial(tell_event, publisher, STATION, "boot"))
        wait_until(plant.events, "the event")
    assert [(e["code"], e["severity"]) for e in plant.events()] == [("OUTBOX_CORRUPT", "error")]
