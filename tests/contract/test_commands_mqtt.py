"""Commands to a real `goodpart run` over a real Mosquitto, asked with `mosquitto_rr` as people and scripts do."""

import json
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.recipe.recipe import open_recipe
from tests.asking import ALL, KEY, STATION_TOPIC, ask, vouched, wish
from tests.brokers import HOST, Mosquitto, Subscriber, retained, wait_until
from tests.cameras import MjpegCamera
from tests.conftest import part_picture, station_file, write_parts
from tests.devices import Device


def commands(folder: Path, *allow: str) -> dict[str, object]:
    """Nothing but what a test must not depend on is other than by default: whether this machine's clock is synchronised."""
    (folder / "key.pub").write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return {
        "allow": sorted(allow or ALL - {"rollback_recipe", "teach", "unteach"}),  # they need keys of their own
        "public_key_file": "key.pub",
        "memory_file": "commands.json",
        "threshold": {"min": 0.5, "max": 20.5},
        "clock": "any",
    }


def mqtt(broker: Mosquitto, **more: object) -> dict[str, object]:
    return {"host": HOST, "port": broker.port, **more}


def talkative(folder: Path) -> Mosquitto:
    """A broker whose log tells who has subscribed."""
    return Mosquitto(folder, more="log_type all")


def listening(broker: Mosquitto, times: int = 1) -> None:
    """The device has subscribed, `times` in all."""
    wait_until(lambda: broker.log.count(f"{STATION_TOPIC}/command (QoS 1)") == times, "the subscription")


def test_a_camera_waits_for_its_trigger_and_the_result_says_who_asked(recipe_dir: Path, tmp_path: Path) -> None:
    with (
        talkative(tmp_path) as broker,
        Subscriber(broker) as plant,
        MjpegCamera(part_picture(300)) as camera,
    ):
        source: dict[str, object] = {"kind": "camera", "device": camera.url, "trigger": "command", "timeout_s": 20.0}
        config = station_file(
            tmp_path, recipe_dir, source, mqtt=mqtt(broker), commands=commands(tmp_path, "trigger", "ping")
        )
        with Device(config) as device:
            listening(broker)
            assert ask(broker, wish("ping"))["detail"] == "here"
            assert plant.results() == [], "nobody has asked for a part"
            asked = [wish("trigger", part_id=f"DMC {n}", job_id="job-7") for n in range(2)]
            for number, command in enumerate(asked):
                answer = ask(broker, command)
                assert (answer["ok"], answer["code"], answer["command_id"]) == (True, "OK", command["command_id"])
                wait_until(lambda: len(plant.results()) > number, "the result")  # noqa: B023 - waited for at once
            assert ask(broker, asked[0])["code"] == "DONE_BEFORE"
            assert ask(broker, wish("status"))["code"] == "REFUSED_NOT_ALLOWED"
            device.send(signal.SIGTERM)
            assert device.ended() == 0
        found = [(r["part_id"], r["job_id"], r["command_id"], r["verdict"]) for r in plant.results()]
    assert found == [(c["part_id"], "job-7", c["command_id"], "OK") for c in asked]


def test_pause_threshold_and_recipe_act_on_the_parts_that_follow_and_a_restart_does_not_repeat_them(
    recipe_dir: Path, tmp_path: Path
) -> None:
    second = shutil.copytree(recipe_dir, tmp_path / "second")
    card = json.loads((second / "recipe.json").read_text())
    (second / "recipe.json").write_text(json.dumps(card | {"name": "plate-2"}))
    sealed = open_recipe(recipe_dir)
    incoming, parts = tmp_path / "incoming", write_parts(tmp_path / "parts", range(300, 306))
    incoming.mkdir()
    names = iter(sorted(p.name for p in parts.iterdir()))
    with talkative(tmp_path) as broker, Subscriber(broker) as plant:

        def judged() -> dict[str, Any]:
            before = len(plant.results())
            name = next(names)
            (parts / name).rename(incoming / name)
            wait_until(lambda: len(plant.results()) > before, "a result")
            return plant.results()[-1]

        config = station_file(
            tmp_path,
            recipe_dir,
            {"kind": "watch", "path": str(incoming), "poll_s": 0.01},
            mqtt=mqtt(broker),
            commands=commands(tmp_path),
            recipes={"other": "second", "gone": "nowhere"},
        )
        with Device(config) as device:
            listening(broker)
            assert judged()["threshold_command_id"] is None
            assert ask(broker, wish("pause"))["code"] == "REFUSED_SIGNATURE"
            assert ask(broker, vouched(wish("pause")))["code"] == "OK"
            waiting = next(names)
            (parts / waiting).rename(incoming / waiting)
            assert ask(broker, wish("status"))["line"]["state"] == "PAUSED"
            assert len(plant.results()) == 1
            assert ask(broker, wish("resume"))["code"] == "OK"
            wait_until(lambda: len(plant.results()) == 2, "the part that waited")

            limits = {"recipe_id": sealed.id, "min": 0.5, "max": 20.5}
            lower = vouched(wish("set_threshold", threshold=0.75, **limits))
            assert ask(broker, vouched(wish("set_threshold", threshold=0.75, **limits | {"min": 0.25})))["code"] == (
                "REFUSED_LIMITS"
            )
            assert ask(broker, lower)["code"] == "OK"
            strict = judged()
            assert (strict["verdict"], strict["threshold"]) == ("NOK", 0.75)
            assert (strict["recipe_id"], strict["threshold_command_id"]) == (sealed.id, lower["command_id"])

            assert ask(broker, vouched(wish("activate_recipe", recipe="gone")))["code"] == "FAILED"
            assert judged()["recipe_name"] == "plate"
            activate = vouched(wish("activate_recipe", recipe="other"))
            assert ask(broker, activate)["code"] == "OK"
            other = judged()
            assert (other["recipe_name"], other["verdict"], other["threshold_command_id"]) == ("plate-2", "OK", None)
            wait_until(lambda: retained(broker, "status")["recipe_name"] == "plate-2", "the status of the new recipe")
            device.send(signal.SIGKILL)
        assert "promise of the recipe does not hold" in device.err
        with Device(config) as restarted:
            listening(broker, times=2)
            again = ask(broker, activate)
            assert (again["code"], "before a restart" in again["detail"]) == ("DONE_BEFORE", True)
            assert judged()["recipe_name"] == "plate"
            restarted.send(signal.SIGTERM)
            assert restarted.ended() == 0
    assert [r["boot_id"] for r in plant.results()].count(plant.results()[-1]["boot_id"]) == 1


def test_what_is_no_command_is_answered_and_harms_nothing(recipe_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    source: dict[str, object] = {"kind": "watch", "path": "incoming"}
    with talkative(tmp_path) as broker, Subscriber(broker) as plant:
        allowed = commands(tmp_path, "ping", "trigger")
        with Device(station_file(tmp_path, recipe_dir, source, mqtt=mqtt(broker), commands=allowed)) as device:
            listening(broker)
            codes = [
                ask(broker, text)["code"]
                for text in ("hello", "{}", '{"a": NaN}', "[" * 3000, "x" * 5000, json.dumps(wish("ping", station={})))
            ]
            assert codes == ["REFUSED_SCHEMA"] * 4 + ["REFUSED_SIZE", "REFUSED_SCHEMA"]
            assert ask(broker, wish("trigger", part_id="p", job_id="j"))["code"] == "REFUSED_STATE"
            own = f"{STATION_TOPIC}/response"
            assert ask(broker, wish("ping"), answers=own)["code"] == "OK"
            assert plant.results() == []
            device.send(signal.SIGTERM)
            assert device.ended() == 0


def test_with_mqtt_3_1_1_answers_come_on_the_stations_response_topic(recipe_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    source: dict[str, object] = {"kind": "watch", "path": "incoming"}
    with talkative(tmp_path) as broker:
        config = station_file(
            tmp_path, recipe_dir, source, mqtt=mqtt(broker, protocol="3.1.1"), commands=commands(tmp_path, "ping")
        )
        with Device(config) as device:
            listening(broker)
            assert ask(broker, wish("ping"), answers=f"{STATION_TOPIC}/response", version="311")["code"] == "OK"
            device.send(signal.SIGTERM)
            assert device.ended() == 0


def test_without_the_key_commands_nobody_listens(recipe_dir: Path, tmp_path: Path) -> None:
    parts = write_parts(tmp_path / "parts", range(300, 301))
    with talkative(tmp_path) as broker:
        config = station_file(tmp_path, recipe_dir, {"kind": "folder", "path": str(parts)}, mqtt=mqtt(broker))
        with Device(config) as device:
            assert device.ended() == 0
        assert "SUBSCRIBE" not in broker.log
        assert "-commands" not in broker.log


def test_the_port_comes_back_with_its_broker_and_says_so_once(recipe_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    source: dict[str, object] = {"kind": "watch", "path": "incoming"}
    with talkative(tmp_path) as broker:
        config = station_file(tmp_path, recipe_dir, source, mqtt=mqtt(broker), commands=commands(tmp_path, "ping"))
        with Device(config) as device:
            listening(broker)
            broker.send(signal.SIGKILL)
            device.wait_for_line("commands: broker")
            broker.start()
            device.wait_for_line("commands: heard on topic")
            assert ask(broker, wish("ping"))["code"] == "OK"
            device.send(signal.SIGTERM)
            assert device.ended() == 0
    assert device.err.count("commands: broker") == 1
    assert device.err.count("commands: heard") == 1


def test_an_answer_that_the_broker_refuses_is_named_in_the_journal(recipe_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    own = f"{STATION_TOPIC}/response"
    acl = f"topic readwrite goodpart/v1/#\ntopic deny {own}\n"
    source: dict[str, object] = {"kind": "watch", "path": "incoming"}
    with Mosquitto(tmp_path, acl=acl, more="log_type all") as broker:
        config = station_file(tmp_path, recipe_dir, source, mqtt=mqtt(broker), commands=commands(tmp_path, "ping"))
        with Device(config) as device:
            listening(broker)
            subprocess.run(
                ["mosquitto_pub", "-h", HOST, "-p", str(broker.port), "-t", f"{STATION_TOPIC}/command", "-m", "hello"],
                check=True,
            )
            device.wait_for_line("refuses an answer: Not authorized")
            device.send(signal.SIGTERM)
            assert device.ended() == 0
