"""A real `goodpart run` and its recipes: trial, death, way back, signatures and jobs, over a real Mosquitto."""

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.recipe.manifest import MANIFEST_FILE
from edge.recipe.recipe import open_recipe
from edge.recipe.signature import SIGNATURE_FILE
from edge.recipe.slot_file import read_slots
from edge.recipe.slots import Slots
from tests.asking import KEY, STATION_TOPIC, ask, vouched, wish
from tests.brokers import HOST, Mosquitto, Subscriber, wait_until
from tests.commands import goodpart
from tests.conftest import station_file, write_parts
from tests.devices import Device
from tests.recipes import renamed, unsound


class Station:
    """A station with a watched folder, and the plant that asks and listens. starts: how often it has run."""

    def __init__(self, folder: Path, recipe: Path, broker: Mosquitto, plant: Subscriber, allow: str, **more: object) -> None:
        self.folder, self.broker, self.plant = folder, broker, plant
        self.starts = 0
        (folder / "incoming").mkdir()
        (folder / "key.pub").write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        allowed = {"allow": allow.split(), "public_key_file": "key.pub", "memory_file": "commands.json", "clock": "any"}
        source: dict[str, object] = {"kind": "watch", "path": "incoming", "poll_s": 0.01}
        mqtt = {"host": HOST, "port": broker.port}
        self.config = station_file(folder, recipe, source, mqtt=mqtt, commands=allowed, **more)
        self._parts = iter(sorted(write_parts(folder / "parts", range(300, 330)).iterdir()))

    @contextmanager
    def running(self) -> Iterator[Device]:
        self.starts += 1
        with Device(self.config) as device:
            heard = f"{STATION_TOPIC}/command (QoS 1)"
            wait_until(lambda: self.broker.log.count(heard) == self.starts, f"the subscription; {device.err}")
            yield device

    def hand(self) -> None:
        next(self._parts).rename(self.folder / "incoming" / f"part-{len(self.plant.results())}-{self.starts}.png")

    def judged(self) -> dict[str, Any]:
        before = len(self.plant.results())
        self.hand()
        wait_until(lambda: len(self.plant.results()) > before, "a result")
        return self.plant.results()[-1]

    def ask(self, command: str, **more: object) -> dict[str, Any]:
        return ask(self.broker, vouched(wish(command, **more)), timeout_s=60)

    def codes(self) -> list[str]:
        return [event["code"] for event in self.plant.events()]

    def slots(self) -> Slots:
        slots = read_slots(self.folder / "store")
        assert slots
        return slots


@pytest.fixture
def two(recipe_dir: Path, tmp_path: Path) -> dict[str, object]:
    """Names for `recipes`: one that judges, and one that would kill who believed its index."""
    renamed(recipe_dir, tmp_path / "second", "plate-2")
    unsound(recipe_dir, tmp_path / "wicked", tmp_path)
    return {"second": "second", "wicked": "wicked"}


STORE = {"path": "store", "trial_parts": 3}


def end(device: Device) -> None:
    device.send(signal.SIGTERM)
    assert device.ended() == 0


def test_a_recipe_proves_itself_between_two_parts_and_one_with_an_unsound_index_changes_nothing(
    recipe_dir: Path, tmp_path: Path, two: dict[str, object]
) -> None:
    with Mosquitto(tmp_path, more="log_type all") as broker, Subscriber(broker) as plant:
        station = Station(
            tmp_path, recipe_dir, broker, plant, "status activate_recipe rollback_recipe", recipes=two, recipe_store=STORE
        )
        with station.running() as device:
            assert station.judged()["recipe_name"] == "plate"
            nothing = station.ask("rollback_recipe")
            assert (nothing["code"], "nothing was good before" in nothing["detail"]) == ("FAILED", True)
            refused = station.ask("activate_recipe", recipe="wicked")
            assert (refused["code"], "is no sound index" in refused["detail"]) == ("FAILED", True)
            assert station.judged()["recipe_name"] == "plate"

            assert station.ask("activate_recipe", recipe="second")["code"] == "OK"
            assert station.judged()["recipe_name"] == "plate-2"
            trial = ask(broker, wish("status"))["line"]["slots"]
            assert (trial["good"]["name"], trial["trial"]["recipe"]["name"]) == ("plate", "plate-2")
            assert (trial["trial"]["parts"], trial["trial"]["of_parts"], trial["trial"]["deaths"]) == (1, 3, 0)
            end(device)
        assert station.slots().trial
        with station.running() as device:
            assert [station.judged()["recipe_name"] for _ in range(2)] == ["plate-2"] * 2
            wait_until(lambda: "RECIPE_CONFIRMED" in station.codes(), "the end of the trial")
            proved = ask(broker, wish("status"))["line"]["slots"]
            assert (proved["good"]["name"], proved["trial"], proved["previous"]["name"]) == ("plate-2", None, "plate")
            assert station.ask("rollback_recipe")["code"] == "OK"
            assert station.judged()["recipe_name"] == "plate"
            busy = goodpart("recipe", "rollback", station.config)
            assert "in use by a station that runs" in busy.sentence
            end(device)
        for boot in {result["boot_id"] for result in plant.results()}:
            seqs = [result["seq"] for result in plant.results() if result["boot_id"] == boot]
            assert seqs == list(range(1, len(seqs) + 1))
    assert station.codes() == [
        *["RECIPE_ACTIVATED"] * 3,
        "RECIPE_CONFIRMED",
        "RECIPE_ROLLED_BACK",
        "RECIPE_ACTIVATED",
    ]


def test_a_recipe_that_two_processes_die_with_is_replaced_by_the_good_one(
    recipe_dir: Path, tmp_path: Path, two: dict[str, object]
) -> None:
    with Mosquitto(tmp_path, more="log_type all") as broker, Subscriber(broker) as plant:
        station = Station(tmp_path, recipe_dir, broker, plant, "status activate_recipe", recipes=two, recipe_store=STORE)
        with station.running() as device:
            assert station.ask("activate_recipe", recipe="second")["code"] == "OK"
            device.send(signal.SIGKILL)
        with station.running() as device:
            assert ask(broker, wish("status"))["line"]["slots"]["trial"]["deaths"] == 1
            assert station.judged()["recipe_name"] == "plate-2"
            device.send(signal.SIGKILL)
        with station.running() as device:
            assert station.judged()["recipe_name"] == "plate"
            wait_until(lambda: "RECIPE_ROLLED_BACK" in station.codes(), "the event")
            end(device)
        assert "2 processes died while it was on trial" in device.err
        assert station.slots() == Slots(good=station.slots().good)


def test_what_the_key_has_not_signed_is_not_opened_by_file_name_or_store(recipe_dir: Path, tmp_path: Path) -> None:
    mine = renamed(recipe_dir, tmp_path / "mine", "mine")
    theirs = renamed(recipe_dir, tmp_path / "theirs", "theirs")
    key = tmp_path / "engineer.pem"
    assert goodpart("sign", "--new-key", key).code == 0
    source: dict[str, object] = {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 302)))}
    trusted = {"recipe_public_key_file": "engineer.pem.pub", "results": {"path": "-"}, "recipe_store": {"path": "store"}}
    config = station_file(tmp_path, mine, source, **trusted)
    assert "is not signed" in goodpart("run", config).sentence

    signed = goodpart("sign", "--recipe", mine, "--key", key)
    assert (signed.code, "mine" in signed.out) == (0, True)
    ended = goodpart("run", config)
    assert [json.loads(line)["recipe_name"] for line in ended.out.splitlines()] == ["mine", "mine"]
    assert "signed by the owner of engineer.pem.pub" in goodpart("check", config).out
    assert "is not signed" in goodpart("recipe", "add", config, theirs).sentence
    shutil.copy(mine / SIGNATURE_FILE, theirs / SIGNATURE_FILE)
    assert "was not signed by the owner" in goodpart("recipe", "add", config, theirs).sentence
    (theirs / MANIFEST_FILE).write_text("no manifest at all")
    assert "was not signed by the owner" in goodpart("recipe", "add", config, theirs).sentence


def test_each_job_is_judged_with_its_recipe_and_one_without_is_not_judged(recipe_dir: Path, tmp_path: Path) -> None:
    renamed(recipe_dir, tmp_path / "second", "plate-2")
    rules = [{"match": "4711-*", "recipe": "first"}, {"match": "M8", "recipe": "second"}]
    named = {"first": str(recipe_dir), "second": "second"}
    with Mosquitto(tmp_path, more="log_type all") as broker, Subscriber(broker) as plant:
        station = Station(tmp_path, recipe_dir, broker, plant, "status set_job", recipes=named, changeover={"rules": rules})
        with station.running() as device:
            none = station.judged()
            assert (none["reason"], none["job_id"], none["score"]) == ("NO_RECIPE", None, None)
            found = []
            for job in (
                {"job_id": "4711-a"},
                {"job_id": "4711-b", "part_type": "M8"},
                {"job_id": "0815"},
                {"job_id": "4711-c"},
            ):
                assert ask(broker, wish("set_job", **job))["code"] == "OK"
                result = station.judged()
                found.append((result["job_id"], result["recipe_name"], result["verdict"], result["reason"]))
            assert found == [
                ("4711-a", "plate", "OK", "WITHIN_THRESHOLD"),
                ("4711-b", "plate-2", "OK", "WITHIN_THRESHOLD"),
                ("0815", "plate-2", "NOT_DECIDABLE", "NO_RECIPE"),
                ("4711-c", "plate", "OK", "WITHIN_THRESHOLD"),
            ]
            assert "0815" in plant.results()[-2]["detail"]
            assert ask(broker, wish("status"))["line"]["job_id"] == "4711-c"
            assert station.codes().count("RECIPE_MISSING") == 2
            end(device)
    assert {result["recipe_id"] for result in plant.results()[1:2]} == {open_recipe(recipe_dir).id}
