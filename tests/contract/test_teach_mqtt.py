"""A part that people accept, over a real Mosquitto and on the operator's page of the same `goodpart run`."""

import http.client
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import cv2

from tests.asking import ALL, ask, vouched, wish
from tests.brokers import HOST, Subscriber, free_port, wait_until
from tests.conftest import station_file
from tests.contract.test_commands_mqtt import commands, listening, mqtt, talkative
from tests.devices import Device
from tests.stained import stained

SIGNED_BY = {"who": "Ada", "reason": "a new stamp"}


class Feed:
    """Puts one picture after another before the line, each with the mark that a person would accept."""

    def __init__(self, folder: Path, plant: Subscriber) -> None:
        self.folder, self._draft, self._plant, self._count = folder, folder.with_name("draft.png"), plant, 0
        folder.mkdir()

    def judged(self) -> dict[str, Any]:
        before = len(self._plant.results())
        cv2.imwrite(str(self._draft), stained(200))
        self._draft.rename(self.folder / f"part-{self._count}.png")
        self._count += 1
        wait_until(lambda: len(self._plant.results()) > before, "a result")
        return self._plant.results()[-1]


def pressed(port: int, result: dict[str, Any], decision: str) -> tuple[int, str]:
    """What the page answers to one of its buttons."""
    page = http.client.HTTPConnection(HOST, port, timeout=30)
    body = json.dumps({"decision": decision, "who": "Bob"})
    page.request("POST", f"/rejects/{result['result_id']}", body, {"Origin": f"http://{HOST}:{port}"})
    answer = page.getresponse()
    said = answer.status, answer.read().decode()
    page.close()
    return said


def taught_and_not(plant: Subscriber) -> list[str]:
    codes = [str(event["code"]) for event in plant.events()]
    return [code for code in codes if code.startswith(("PART_TAUGHT", "TEACHING"))]


def told_by_shadow(plant: Subscriber) -> list[dict[str, Any]]:
    return [json.loads(payload) for topic, payload in list(plant.messages) if topic.endswith("/shadow")]


def test_parts_are_taught_and_taken_back_by_command_and_on_the_page_and_the_challenger_says_otherwise(
    recipe_dir: Path, tmp_path: Path
) -> None:
    second = shutil.copytree(recipe_dir, tmp_path / "second")
    card = json.loads((second / "recipe.json").read_text())
    (second / "recipe.json").write_text(json.dumps(card | {"name": "plate-2"}))
    port = free_port()
    with talkative(tmp_path) as broker, Subscriber(broker) as plant:
        feed = Feed(tmp_path / "incoming", plant)
        config = station_file(
            tmp_path,
            recipe_dir,
            {"kind": "watch", "path": "incoming", "poll_s": 0.01},
            mqtt=mqtt(broker),
            commands=commands(tmp_path, *ALL),
            evidence={"path": "evidence"},
            teach={"max_score_ratio": 4, "most_patches": 32},
            recipe_store={"path": "store"},
            recipes={"new": "second"},
            shadow={"recipe": "second"},
            page={"port": port},
            health={"interval_s": 1},
        )
        with Device(config) as device:
            listening(broker)
            first = feed.judged()
            assert (first["verdict"], first["taught"]) == ("NOK", 0)
            teach = wish("teach", result_id=first["result_id"], **SIGNED_BY)
            assert ask(broker, teach)["code"] == "REFUSED_SIGNATURE"
            assert "counts as good from now on" in ask(broker, vouched(teach))["detail"]
            good = feed.judged()
            assert (good["verdict"], good["taught"], good["recipe_id"]) == ("OK", 1, first["recipe_id"])
            wait_until(lambda: told_by_shadow(plant), "the challenger's verdict")
            (otherwise,) = told_by_shadow(plant)
            assert (otherwise["result_id"], otherwise["agreement"]) == (good["result_id"], "only_challenger")
            assert ask(broker, vouched(wish("unteach", **SIGNED_BY)))["code"] == "OK"

            bad = feed.judged()
            assert bad["verdict"] == "NOK"
            status, said = pressed(port, bad, "accepted")
            assert (status, "counts as good from now on" in said) == (200, True), said
            assert pressed(port, bad, "accepted")[0] == 409
            assert feed.judged()["verdict"] == "OK"
            status, said = pressed(port, first, "accepted")
            assert (status, said.startswith("Accepted as good. Not taught: ")) == (200, True), said

            assert ask(broker, vouched(wish("activate_recipe", recipe="new")))["code"] == "OK"
            assert (feed.judged()["recipe_name"], feed.judged()["verdict"]) == ("plate-2", "NOK")
            assert "counts as good no longer" in pressed(port, bad, "undone")[1]
            assert ask(broker, vouched(wish("rollback_recipe")))["code"] == "OK"
            last = feed.judged()
            assert (last["recipe_name"], last["verdict"], last["taught"]) == ("plate", "NOK", 0)
            results = len(plant.results())
            wait_until(lambda: plant.healths() and plant.healths()[-1]["inspected"] == results, "health of all parts")
            health = plant.healths()[-1]
            assert (health["reconciles"], [books["to"] for books in health["delivery"]]) == (True, ["mqtt"])
            device.send(signal.SIGTERM)
            assert device.ended() == 0
        told = ["PART_TAUGHT", "TEACHING_UNDONE", "PART_TAUGHT", "TEACHING_REFUSED", "TEACHING_UNDONE"]
        wait_until(lambda: taught_and_not(plant) == told, "all events of teaching")
    assert f"judged {results}: " in device.err
    assert "0 lost, 0 waiting" in device.err
