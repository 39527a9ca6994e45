"""What `goodpart run` really sends through a real broker, judged by what `goodpart schema` prints."""

import json
import signal
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker

from edge.recipe.recipe import open_recipe
from edge.schema.command import describe_interface, describe_messages
from edge.shift.card import SampleCard, ShiftCard
from edge.types import Decision
from tests.brokers import HOST, Mosquitto, Subscriber, wait_until
from tests.cameras import MjpegCamera
from tests.commands import goodpart
from tests.conftest import part_picture, station_file, write_parts
from tests.devices import Device

TOPIC = "goodpart/v1/test/lab/line-1/camera-1"
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_utc(value: object) -> bool:
    return not isinstance(value, str) or (value.endswith("Z") and datetime.fromisoformat(value) is not None)


def judge_all(plant: Subscriber) -> None:
    """Each message by the schema of its kind as printed, by the exact one, and by that of its channel in the interface."""
    interface = yaml.safe_load(describe_interface(None))
    for leaf in {topic.rpartition("/")[2] for topic, _ in plant.messages}:
        schemas = [json.loads(describe_messages(leaf, exact=exact)) for exact in (False, True)]
        judges: list[Any] = [Draft202012Validator(schema, format_checker=FORMATS) for schema in schemas]
        payload = interface["components"]["messages"][leaf]["payload"]
        judges.append(Draft7Validator({**payload, "components": interface["components"]}, format_checker=FORMATS))
        for topic, message in plant.messages:
            if topic == f"{TOPIC}/{leaf}":
                for judge in judges:
                    judge.validate(json.loads(message))


@pytest.fixture
def samples(recipe_dir: Path, tmp_path: Path) -> Path:
    """One golden sample and one red rabbit."""
    gold = SampleCard(name="gold", kind="good", expected=Decision.OK, score=1.0)
    rabbit = SampleCard(name="rabbit", kind="scratch", expected=Decision.NOK, score=9.0)
    made = datetime.fromisoformat("2026-11-24T06:00:00Z")
    card = ShiftCard(made_utc=made, recipe_name="plate", recipe_id=open_recipe(recipe_dir).id, samples=(gold, rabbit))
    path = tmp_path / "shift.json"
    path.write_text(card.model_dump_json())
    return path


def test_a_shift_with_samples_defects_and_a_broken_file_is_as_the_schema_says_and_its_evidence_is_there(
    recipe_dir: Path, samples: Path, tmp_path: Path
) -> None:
    parts = write_parts(tmp_path / "parts", range(300, 301))
    write_parts(tmp_path / "bad", range(301, 303), defect=True)
    for picture in (tmp_path / "bad").iterdir():
        picture.rename(parts / picture.name)
    write_parts(tmp_path / "more", range(303, 304))
    (tmp_path / "more" / "part-303.png").rename(parts / "part-303.png")
    (parts / "part-304.png").touch()
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant:
        config = station_file(
            tmp_path,
            recipe_dir,
            {"kind": "folder", "path": str(parts)},
            mqtt={"host": HOST, "port": broker.port},
            shift_check={"samples": str(samples)},
            evidence={"path": "evidence"},
        )
        ended = goodpart("run", config)
        assert ended.code == 0, ended.err
        wait_until(lambda: plant.states() == ["online", "offline"] and len(plant.results()) == 5, "all messages")
        judge_all(plant)
    results = plant.results()
    assert [(r["verdict"], r["purpose"], r["evidence"] is not None) for r in results] == [
        ("OK", "golden_sample", True),
        ("NOK", "red_rabbit", True),
        ("NOK", None, True),
        ("OK", None, False),
        ("NOT_DECIDABLE", None, False),
    ]
    assert {r["origin"] for r in results} == {"replay"}
    assert {r["clock_synced"] for r in results} <= {True, False, None}
    assert all(r["margin"] > 0 for r in results if r["verdict"] == "NOK")
    assert all(0 < r["inspect_ms"] <= r["latency_ms"] for r in results)
    assert [e["code"] for e in plant.events()] == ["RECIPE_ACTIVATED", "SHIFT_CHECK_DUE", "SHIFT_CHECK_RELEASED"]
    assert plant.events()[2]["since_utc"] == plant.events()[1]["time_utc"]
    for found in (r["evidence"] for r in results if r["evidence"]):
        raw = (tmp_path / "evidence" / found["path"]).read_bytes()
        assert sha256(raw).hexdigest() == found["sha256"]
        assert (tmp_path / "evidence" / found["overlay"]).is_file()
    # The same recipe says the same of the picture that was kept.
    third = tmp_path / "evidence" / results[2]["evidence"]["path"]
    again = json.loads(goodpart("once", third, "--recipe", recipe_dir, "--json", cwd=tmp_path).out)
    assert again["score"] == results[2]["score"]


def test_a_camera_that_is_lost_and_comes_back_is_an_event_at_each_end(recipe_dir: Path, tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as plant:
        with MjpegCamera(part_picture(300, defect=True), running=False) as camera:
            config = station_file(
                tmp_path,
                recipe_dir,
                {"kind": "camera", "device": camera.url, "interval_s": 0.0, "timeout_s": 0.5, "frozen_frames": 100_000},
                mqtt={"host": HOST, "port": broker.port},
                evidence={"path": "evidence", "overlay": False, "quota_mb": 10},
            )
            with Device(config) as device:
                wait_until(lambda: "CAMERA_LOST" in [e["code"] for e in plant.events()], "the loss")
                camera.running = True
                wait_until(lambda: len(plant.results()) >= 4, "results after it")
                device.send(signal.SIGTERM)
                assert device.ended() == 0
        wait_until(lambda: plant.states() == ["online", "offline"], "the goodbye")
        judge_all(plant)
    assert [e["code"] for e in plant.events()] == ["RECIPE_ACTIVATED", "CAMERA_LOST", "CAMERA_BACK"]
    lost, back = plant.events()[1:]
    assert (lost["severity"], lost["since_utc"]) == ("error", None)
    assert (back["severity"], back["since_utc"]) == ("info", lost["time_utc"])
    results = plant.results()
    assert [r["seq"] for r in results] == list(range(1, len(results) + 1))
    assert (results[0]["reason"], results[0]["evidence"]) == ("CAMERA_LOST", None)
    assert {r["origin"] for r in results} == {"live"}
    assert any(r["evidence"] for r in results[1:])
    for found in (r["evidence"] for r in results if r["evidence"]):
        assert sha256((tmp_path / "evidence" / found["path"]).read_bytes()).hexdigest() == found["sha256"]
