"""Whatever dies between the verdict and the plant: what was committed is received, waits, or is counted."""

import json
import signal
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.app.sources import moves_files
from edge.capture.config import CameraConfig, FolderConfig, WatchConfig
from edge.recipe.recipe import open_recipe
from edge.report.message import Result
from edge.report.outbox.sqlite import SqliteOutbox
from edge.types import Shot, Verdict
from tests.brokers import HOST, Mosquitto, Subscriber, free_port, wait_until
from tests.commands import goodpart
from tests.conftest import part_picture, station_file, write_parts
from tests.devices import Device
from tests.lines import FRAME, Books, Quiet, line_of
from tests.outboxes import damage

PARTS = 24


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


def deliver(parts: Path, incoming: Path, count: int) -> None:
    names = sorted(p.name for p in parts.iterdir())[:count]
    for name in names:
        (parts / name).rename(incoming / name)
    wait_until(lambda: all((incoming / "processed" / name).exists() for name in names), "the parts to be judged")


def watch(incoming: Path) -> dict[str, object]:
    return {"kind": "watch", "path": str(incoming), "poll_s": 0.01}


def payloads(plant: Subscriber) -> list[str]:
    return [payload for topic, payload in list(plant.messages) if topic.endswith("/result")]


def test_kill_9_of_device_and_broker_loses_nothing_that_was_committed(
    recipe_dir: Path, incoming: Path, tmp_path: Path
) -> None:
    parts = write_parts(tmp_path / "parts", range(300, 300 + PARTS))
    broker = Mosquitto(tmp_path, durable=True)
    mqtt = {"host": HOST, "port": broker.port, "close_s": 60}
    config = station_file(tmp_path, recipe_dir, watch(incoming), mqtt=mqtt)
    with broker, Subscriber(broker, durable=True) as plant:
        for life in range(3):
            with Device(config) as device:
                deliver(parts, incoming, 3)
                wait_until(lambda least=3 * life + 1: len(plant.results()) >= least, "some results")
                if life:
                    # Stopped, it answers nothing: results are in flight when the device dies.
                    broker.send(signal.SIGSTOP)
                deliver(parts, incoming, 4)
                device.send(signal.SIGKILL)
            if life:
                broker.send(signal.SIGKILL)
                broker.start()
        with Device(config) as device:
            deliver(parts, incoming, 3)
            device.send(signal.SIGTERM)
            assert device.ended() == 0, device.err
        outbox = SqliteOutbox(tmp_path / "station.outbox", 2**29)
        counts = outbox.counts
        outbox.close()
        wait_until(lambda: len({r["result_id"] for r in plant.results()}) >= counts.committed, "what was committed")
    results = plant.results()
    assert counts.balanced
    assert counts.committed - len({r["result_id"] for r in results}) - counts.waiting - counts.gone == 0
    assert counts.waiting == counts.gone == 0
    copies: dict[str, set[str]] = defaultdict(set)
    for payload in payloads(plant):
        copies[json.loads(payload)["result_id"]].add(payload.replace('"historical":true', '"historical":false'))
    assert all(len(different) == 1 for different in copies.values()), "a duplicate is its twin but for the mark"
    boots: dict[str, set[int]] = defaultdict(set)
    for result in results:
        boots[result["boot_id"]].add(result["seq"])
    assert len(boots) == 4
    assert all(seqs == set(range(1, len(seqs) + 1)) for seqs in boots.values()), "none is missing in between"


def test_results_of_earlier_boots_come_first_and_say_that_they_are_late(
    recipe_dir: Path, incoming: Path, tmp_path: Path
) -> None:
    parts = write_parts(tmp_path / "parts", range(300, 304))
    broker = Mosquitto(tmp_path)
    mqtt = {"host": HOST, "port": broker.port, "close_s": 0}
    config = station_file(tmp_path, recipe_dir, watch(incoming), mqtt=mqtt)
    with Device(config) as device:
        deliver(parts, incoming, 2)
        device.send(signal.SIGTERM)
        assert device.ended() == 4
    assert "0 lost, 2 waiting in the outbox" in device.err
    with broker, Subscriber(broker) as plant, Device(config) as device:
        wait_until(lambda: len(plant.results()) == 2, "the old results")
        deliver(parts, incoming, 2)
        wait_until(lambda: len(plant.results()) == 4, "all results")
    results: list[dict[str, Any]] = plant.results()
    assert [(r["seq"], r["historical"]) for r in results] == [(1, True), (2, True), (1, False), (2, False)]


def test_a_damaged_outbox_stops_neither_inspection_nor_delivery(recipe_dir: Path, tmp_path: Path) -> None:
    parts = write_parts(tmp_path / "parts", range(300, 303))
    source: dict[str, object] = {"kind": "folder", "path": str(parts)}
    away = station_file(tmp_path, recipe_dir, source, mqtt={"host": HOST, "port": free_port(), "close_s": 0})
    assert goodpart("run", away).code == 4
    damage(tmp_path / "station.outbox")
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant:
        ended = goodpart("run", station_file(tmp_path, recipe_dir, source, mqtt={"host": HOST, "port": broker.port}))
        wait_until(lambda: len(plant.results()) == 3, "the new results")
    assert ended.code == 0
    assert ended.err.count("station.outbox.corrupt-") == 1


@pytest.mark.parametrize("commits", [True, False])
def test_a_file_is_moved_when_its_result_is_committed_so_that_a_kill_in_between_loses_neither(
    recipe_dir: Path, *, commits: bool
) -> None:
    happened: list[str] = []

    class Outbox(Books):
        def put(self, given: Result) -> None:
            super().put(given)
            happened.append("put")

        def commit(self, within_s: float) -> bool:
            assert within_s > 0
            happened.append("committed")
            return True

    class Incoming(Quiet):
        def __iter__(self) -> Iterator[Shot]:
            yield replace(FRAME, pixels=part_picture(300))

        def done(self, _shot: Shot, _verdict: Verdict) -> None:
            happened.append("moved")

    line = replace(line_of(open_recipe(recipe_dir), (Books("results"), Outbox("mqtt")), Incoming()), commits=commits)
    line.run()
    assert happened == (["put", "committed", "moved"] if commits else ["put", "moved"])


def test_only_files_of_a_watched_folder_wait_for_that() -> None:
    watched = WatchConfig(kind="watch", path="incoming")
    assert moves_files(watched)
    assert not moves_files(FolderConfig(kind="folder", path="parts"))
    assert not moves_files(CameraConfig(kind="camera", device=0))
