"""The promise to the plant, kept against a real broker: what is judged arrives, or is counted as missing."""

import json
import signal
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from edge.report.status import StatusMessage
from tests.brokers import HOST, Mosquitto, Subscriber, free_port, retained, wait_until
from tests.conftest import station_file, write_parts
from tests.devices import Device

PARTS = 8
TOPIC = "goodpart/v1/test/lab/line-1/camera-1"
SEQ = list(range(1, PARTS + 1))


def mqtt(broker: Mosquitto, **more: object) -> dict[str, object]:
    return {"host": HOST, "port": broker.port, **more}


def seqs(results: list[dict[str, Any]]) -> list[int]:
    return [result["seq"] for result in results]


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    return write_parts(tmp_path / "parts", range(300, 300 + PARTS))


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_every_verdict_arrives_once_and_the_status_is_retained(
    recipe_dir: Path, parts: Path, tmp_path: Path, protocol: object
) -> None:
    config = tmp_path / "station.yaml"
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant:
        station_file(tmp_path, recipe_dir, {"kind": "folder", "path": str(parts)}, mqtt=mqtt(broker, protocol=protocol))
        with Device(config) as device:
            assert device.ended() == 0
        wait_until(lambda: plant.states() == ["online", "offline"] and len(plant.results()) == PARTS, "all messages")
        status = StatusMessage.model_validate_json(json.dumps(retained(broker, "status")))
    assert (status.state, status.reason, status.recipe_name) == ("offline", "stopped", "plate")
    assert status.boot_id == plant.results()[0]["boot_id"]
    assert seqs(plant.results()) == SEQ
    assert {topic for topic, _ in plant.messages} == {f"{TOPIC}/{leaf}" for leaf in ("result", "event", "status", "health")}
    assert [r["part_id"] for r in plant.results()] == [p.stem for p in sorted(parts.iterdir())]
    assert len({r["boot_id"] for r in plant.results()}) == 1
    assert len({r["result_id"] for r in plant.results()}) == PARTS
    assert f"judged {PARTS}" in device.err
    assert "0 lost, 0 waiting" in device.err


def test_a_broker_that_comes_later_gets_everything(recipe_dir: Path, parts: Path, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, durable=True)
    with broker, Subscriber(broker, durable=True) as plant:
        wait_until(lambda: broker.database.exists() and b"the-plant" in broker.database.read_bytes(), "the session on disk")
        broker.send(signal.SIGTERM)
        config = station_file(tmp_path, recipe_dir, {"kind": "folder", "path": str(parts)}, mqtt=mqtt(broker, close_s=60))
        with Device(config) as device:
            device.wait_for_line("cannot be reached")
            broker.start()
            assert device.ended() == 0
        wait_until(lambda: len(plant.results()) >= PARTS, "all results")
    assert sorted(set(seqs(plant.results()))) == SEQ
    assert device.err.count("cannot be reached") == 1
    assert device.err.count("is back") == 1


def test_a_broker_that_is_killed_in_the_middle_loses_nothing(recipe_dir: Path, parts: Path, tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    names = sorted(p.name for p in parts.iterdir())

    def deliver(some: list[str]) -> None:
        for name in some:
            (parts / name).rename(incoming / name)
        wait_until(lambda: all((incoming / "processed" / n).exists() for n in some), "the parts to be judged")

    broker = Mosquitto(tmp_path, durable=True)
    config = station_file(
        tmp_path, recipe_dir, {"kind": "watch", "path": str(incoming), "poll_s": 0.01}, mqtt=mqtt(broker, close_s=60)
    )
    with broker, Subscriber(broker, durable=True) as plant, Device(config) as device:
        deliver(names[:2])
        wait_until(lambda: len(plant.results()) == 2, "the first results")
        # Stopped, it takes what is sent into the kernel's buffer and answers nothing: results are in flight when it dies.
        broker.send(signal.SIGSTOP)
        deliver(names[2:4])
        broker.send(signal.SIGKILL)
        device.wait_for_line("connection lost")
        deliver(names[4:6])
        broker.start()
        device.wait_for_line("is back")
        deliver(names[6:])
        device.send(signal.SIGTERM)
        assert device.ended() == 0
        wait_until(lambda: set(seqs(plant.results())) == set(SEQ), "all results")
    counts = Counter(r["result_id"] for r in plant.results())
    assert len(counts) == PARTS, "a duplicate has the result_id of its twin"
    assert device.err.count("connection lost") == 1
    assert device.err.count("is back") == 1
    assert "0 lost, 0 waiting" in device.err


def test_without_a_broker_the_run_ends_and_says_what_waits(recipe_dir: Path, parts: Path, tmp_path: Path) -> None:
    source = {"kind": "folder", "path": str(parts)}
    absent = {"host": HOST, "port": free_port(), "close_s": 0.1}
    results = tmp_path / "results.jsonl"
    with Device(station_file(tmp_path, recipe_dir, source, mqtt=absent, results={"path": str(results)})) as device:
        assert device.ended() == 4
    assert f"{PARTS} results were not accepted by the broker within 0.1 s; the outbox keeps them" in device.err
    assert f"0 lost, {PARTS} waiting in the outbox" in device.err
    assert [json.loads(line)["seq"] for line in results.read_text().splitlines()] == SEQ, "the file is not held up"


def test_without_an_outbox_what_waits_at_the_end_is_lost(recipe_dir: Path, parts: Path, tmp_path: Path) -> None:
    absent = {"host": HOST, "port": free_port(), "close_s": 0.1, "outbox": "none"}
    with Device(station_file(tmp_path, recipe_dir, {"kind": "folder", "path": str(parts)}, mqtt=absent)) as device:
        assert device.ended() == 1
    assert f"{PARTS} lost, 0 waiting" in device.err
    assert not list(tmp_path.glob("*.outbox*"))


def test_a_denied_topic_keeps_its_results_until_it_is_permitted(recipe_dir: Path, parts: Path, tmp_path: Path) -> None:
    acl = "topic read goodpart/#\ntopic write goodpart/v1/+/+/+/+/status\n"
    with Mosquitto(tmp_path, acl=acl) as broker, Subscriber(broker) as plant:
        config = station_file(tmp_path, recipe_dir, {"kind": "folder", "path": str(parts)}, mqtt=mqtt(broker, close_s=60))
        with Device(config) as device:
            device.wait_for_line(f"{TOPIC}/result")
            broker.permit(acl + "topic write goodpart/#\n")
            assert device.ended() == 0
        wait_until(lambda: len(plant.results()) == PARTS, "all results")
    assert sorted(seqs(plant.results())) == SEQ
    assert device.err.count("the broker refuses results: Not authorized") == 1
    assert device.err.count("accepts results again") == 1
    assert "0 lost, 0 waiting" in device.err


def test_the_last_will_says_offline_when_the_device_is_killed(recipe_dir: Path, tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant:
        config = station_file(tmp_path, recipe_dir, {"kind": "watch", "path": str(incoming)}, mqtt=mqtt(broker))
        with Device(config) as device:
            wait_until(lambda: plant.states() == ["online"], "online")
            assert retained(broker, "status")["state"] == "online"
            device.send(signal.SIGKILL)
            wait_until(lambda: plant.states() == ["online", "offline"], "the last will")
        assert (retained(broker, "status")["state"], retained(broker, "status")["reason"]) == ("offline", "connection lost")


def test_the_password_comes_from_its_file(recipe_dir: Path, parts: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("right\n")
    users = {"camera": "right", "plant": "eyes"}
    with Mosquitto(tmp_path, users=users) as broker, Subscriber(broker, user="plant", password="eyes") as plant:  # noqa: S106
        login = mqtt(broker, username="camera", password_file=str(secret))
        with Device(station_file(tmp_path, recipe_dir, {"kind": "folder", "path": str(parts)}, mqtt=login)) as device:
            assert device.ended() == 0
        wait_until(lambda: len(plant.results()) == PARTS, "all results")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_password_file_that_cannot_be_read_is_refused_with_its_key(
    recipe_dir: Path, parts: Path, tmp_path: Path, content: bytes | None
) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)
    login = {"host": HOST, "username": "camera", "password_file": str(secret)}
    with Device(station_file(tmp_path, recipe_dir, {"kind": "folder", "path": str(parts)}, mqtt=login)) as device:
        assert device.ended() == 2
    assert device.err.startswith("error: mqtt.password_file: ")
    assert len(device.err.splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_watch_run_with_everything_delivered(
    recipe_dir: Path, tmp_path: Path, number: signal.Signals
) -> None:
    incoming = write_parts(tmp_path / "incoming", range(300, 300 + PARTS))
    config = tmp_path / "station.yaml"
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant:
        station_file(tmp_path, recipe_dir, {"kind": "watch", "path": str(incoming), "poll_s": 0.01}, mqtt=mqtt(broker))
        with Device(config) as device:
            wait_until(plant.results, "the first result")
            device.send(number)
            assert device.ended() == 0
        processed = {p.stem for p in (incoming / "processed").iterdir()}
        wait_until(lambda: len(plant.results()) == len(processed), "what was judged")
        assert retained(broker, "status")["state"] == "offline"
    assert {r["part_id"] for r in plant.results()} == processed
    assert processed | {p.stem for p in incoming.glob("*.png")} == {f"part-{n}" for n in range(300, 300 + PARTS)}
    assert seqs(plant.results()) == list(range(1, len(processed) + 1))


def test_a_second_signal_ends_at_once_even_while_waiting_for_a_broker(recipe_dir: Path, tmp_path: Path) -> None:
    incoming = write_parts(tmp_path / "incoming", range(300, 301))
    with socket.create_server((HOST, 0)) as deaf:
        broker = {"host": HOST, "port": deaf.getsockname()[1], "close_s": 600}
        config = station_file(tmp_path, recipe_dir, {"kind": "watch", "path": str(incoming), "poll_s": 0.01}, mqtt=broker)
        with Device(config) as device:
            wait_until((incoming / "processed" / "part-300.png").exists, "the part to be judged")
            device.send(signal.SIGTERM)
            wait_until(lambda: not device.catches(signal.SIGTERM), "the first signal to be heard")
            device.send(signal.SIGTERM)
            assert device.ended() == -signal.SIGTERM
