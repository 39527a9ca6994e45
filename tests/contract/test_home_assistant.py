"""The discovery message at a real broker: it is there, comes back, and can be taken away."""

import json
import logging
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ha_mqtt_models_pydantic import parse_device_discovery_payload

from edge.report.broker import Broker
from edge.report.retained import Retained
from tests.brokers import HOST, PATIENCE_S, Mosquitto, free_port, wait_until
from tests.conftest import station_file, write_parts
from tests.devices import Device

ANY = "homeassistant/device/+/config"


def retained(broker: Mosquitto, patience_s: float = PATIENCE_S) -> str | None:
    """What somebody who comes later is told, waited for; None: nothing within the patience."""
    command = ["mosquitto_sub", "-h", HOST, "-p", str(broker.port), "-t", ANY, "-C", "1", "-W", str(round(patience_s))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


@contextmanager
def keeping(port: int, payload: bytes = b"{}") -> Iterator[None]:
    broker = Broker(HOST, port, "5", "goodpart", "camera-1-home-assistant", None, None, close_s=0)
    kept = Retained("home_assistant", broker, "homeassistant/device/x/config", payload)
    try:
        yield
    finally:
        kept.close()


def test_a_run_leaves_a_valid_message_and_remove_takes_it_away(recipe_dir: Path, tmp_path: Path) -> None:
    source: dict[str, object] = {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 301)))}
    with Mosquitto(tmp_path) as broker:
        mqtt = {"host": HOST, "port": broker.port}
        for asked, there in (({}, True), ({"remove": True}, False)):
            config = station_file(tmp_path, recipe_dir, source, mqtt=mqtt, home_assistant=asked)
            with Device(config) as device:
                assert device.ended() == 0
            message = retained(broker, patience_s=PATIENCE_S if there else 1)
            assert (message is not None) is there
            if message:
                assert parse_device_discovery_payload(json.loads(message)).device.manufacturer == "goodpart"


def test_a_broker_that_forgot_is_told_again(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    with broker, keeping(broker.port):
        assert retained(broker) == "{}"
        broker.send(signal.SIGKILL)
        broker.start()
        assert retained(broker) == "{}"


def test_an_absent_broker_is_one_line_and_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    with keeping(free_port()):
        wait_until(lambda: caplog.records, "the line")
    assert [r.getMessage().split(": ", 2)[2] for r in caplog.records] == [
        "cannot be reached: Connection refused; trying again for ever"
    ]


def test_a_broker_that_refuses_the_topic_is_said_with_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Mosquitto(tmp_path, acl="topic read homeassistant/#\n") as broker, keeping(broker.port):
        wait_until(lambda: "the broker refuses the message: Not authorized" in caplog.text, "the refusal")
    errors = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "homeassistant/device/x/config" in errors[0]
