"""How a running station says how it is: over a real broker, by HTTP, and in words."""

import json
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.app.delivery import make_broker
from edge.capture.sources import Feed
from edge.config import load_config
from edge.errors import BadConfig
from edge.health.ask import Heard, State, ask_station, troubles
from edge.health.message import Health
from edge.host.clock import utc_now
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.books import Loss
from edge.report.outbox.memory import MemoryOutbox
from edge.report.publisher import MqttPublisher
from tests.brokers import HOST, Mosquitto, Subscriber, retained, wait_until
from tests.commands import goodpart
from tests.conftest import station_file, write_parts
from tests.devices import Device
from tests.lines import LOST, Books, Fed, checkup_of, line_of, tell
from tests.results import BIRTH

PARTS = 6
TOPIC = "goodpart/v1/test/lab/line-1/camera-1/health"


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


def told_to(broker: Mosquitto, recipe_dir: Path, folder: Path, protocol: object = 5) -> Path:
    mqtt = {"host": HOST, "port": broker.port, "protocol": protocol}
    return station_file(folder, recipe_dir, {"kind": "folder", "path": "."}, mqtt=mqtt)


def said(config: Path) -> tuple[State | None, list[str]]:
    """What the status command would say, without a process for each question."""
    heard = ask_station(load_config(config))
    return heard.state, troubles(heard, utc_now())


def test_a_stations_health_is_retained_reconciles_and_is_read_by_the_status_command(
    recipe_dir: Path, tmp_path: Path
) -> None:
    incoming = write_parts(tmp_path / "incoming", range(300, 300 + PARTS))
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant:
        config = station_file(
            tmp_path,
            recipe_dir,
            {"kind": "watch", "path": str(incoming), "poll_s": 0.01},
            mqtt={"host": HOST, "port": broker.port},
            results={"path": "results.jsonl"},
            health={"interval_s": 0.2},
        )
        with Device(config) as device:
            wait_until(lambda: (h := plant.healths()) and settled(h[-1]), "health with every part delivered")
            health = Health.model_validate_json(json.dumps(retained(broker, "health")))
            machine, words = goodpart("status", config, "--json"), goodpart("status", config)
            device.send(signal.SIGTERM)
            assert device.ended() == 0
        wait_until(lambda: plant.states() == ["online", "offline"], "the farewell")
        away = goodpart("status", config)
    assert health.inspected == PARTS
    assert {books.to: (books.delivered, books.waiting, books.lost) for books in health.delivery} == {
        "mqtt": (PARTS, 0, 0),
        "results": (PARTS, 0, 0),
    }
    assert all(h["reconciles"] for h in plant.healths())
    assert {h["boot_id"] for h in plant.healths()} == {r["boot_id"] for r in plant.results()}
    assert health.inspect_ms is not None
    assert health.inspect_ms.max == max(r["inspect_ms"] for r in plant.results())
    assert health.source is not None
    assert (health.source.kind, health.source.up, health.source.frames) == ("watch", True, PARTS)
    assert health.broker is not None
    assert (health.broker.connected, health.broker.reconnects) == (True, 0)
    found = json.loads(machine.out)
    assert (machine.code, found["healthy"], found["state"], found["health"]["inspected"]) == (0, True, "online", PARTS)
    assert words.code == 0
    assert words.out.startswith("test/lab/line-1/camera-1: healthy")
    assert f"parts      {PARTS}: {PARTS} OK" in words.out
    assert away.code == 1
    assert "NOT HEALTHY" in away.out
    assert "! the station is offline" in away.out
    assert f"{PARTS} delivered" in away.out


def settled(health: dict[str, Any]) -> bool:
    return health["inspected"] == PARTS and all(books["delivered"] == PARTS for books in health["delivery"])


def test_a_station_that_was_killed_a_broker_that_knows_nothing_and_none_at_all(recipe_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    with Mosquitto(tmp_path) as broker:
        source = {"kind": "watch", "path": "incoming"}
        config = station_file(tmp_path, recipe_dir, source, mqtt={"host": HOST, "port": broker.port})
        state, found = said(config)
        assert state is None
        assert "no health is known" in found[0]
        with Device(config) as device:
            wait_until(lambda: said(config) == ("online", []), "a healthy station")
            device.send(signal.SIGKILL)
            wait_until(lambda: said(config) == ("offline", ["the station is offline"]), "the last will")
    assert "cannot be reached" in goodpart("status", config).sentence


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_lost_results_a_lost_camera_and_an_old_message_are_named(
    recipe: Recipe, recipe_dir: Path, tmp_path: Path, protocol: object
) -> None:
    with Mosquitto(tmp_path) as broker:
        config = told_to(broker, recipe_dir, tmp_path, protocol)
        station = load_config(config)
        assert station.mqtt
        sink = Books("mqtt")
        line = line_of(recipe, (sink,), Fed(Feed(up=False, since_s=0.0)))
        tell(line, LOST)
        sink.lose(1, Loss.DEAD)
        sink.forgets = 1
        old = checkup_of(line, interval_s=0.001).health()
        publisher = MqttPublisher(make_broker(station.mqtt, station.station), BIRTH, MemoryOutbox)
        publisher.tell("health", old.model_dump_json().encode(), retain=True)
        wait_until(lambda: len(said(config)[1]) > 1, "the message")
        _, found = said(config)
        publisher.close()
    for words in ("s old", "no pictures from its camera source", "1 results are lost on their way to mqtt", "do not add up"):
        assert sum(words in trouble for trouble in found) == 1, found


def test_what_is_no_health_message_is_one_sentence(recipe_dir: Path, tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        config = told_to(broker, recipe_dir, tmp_path)
        station = load_config(config)
        assert station.mqtt
        publisher = MqttPublisher(make_broker(station.mqtt, station.station), BIRTH, MemoryOutbox)
        publisher.tell("health", b'{"format": "goodpart.health/9"}', retain=True)
        wait_until(lambda: publisher.link().connected, "the connection")
        publisher.close()
        assert "understands" in goodpart("status", config).sentence


def test_nobody_to_ask_is_one_sentence(recipe_dir: Path, tmp_path: Path) -> None:
    config = station_file(tmp_path, recipe_dir, {"kind": "folder", "path": "."}, results={"path": "r.jsonl"})
    with pytest.raises(BadConfig, match="add mqtt: or prometheus:"):
        ask_station(load_config(config))


def test_health_without_a_word_that_the_station_is_online_is_not_enough(recipe: Recipe) -> None:
    health = checkup_of(line_of(recipe, ())).health()
    assert troubles(Heard("somebody", "online", health), health.sent_utc) == []
    assert "not known" in troubles(Heard("somebody", None, health), health.sent_utc)[0]
    late = health.sent_utc + timedelta(seconds=200)
    assert troubles(Heard("somebody", "online", health), late) == [
        "its last health is 200 s old, and should come every 60 s"
    ]
    assert troubles(Heard("somebody", "offline", health), late) == ["the station is offline"]
