"""`goodpart check`: what is well is said to be, and what is not is named with its mend."""

import json
import shutil
from pathlib import Path

import cv2
import pytest

from edge.check import check_station
from tests.brokers import HOST, Mosquitto, answering, free_port
from tests.cameras import MjpegCamera
from tests.commands import goodpart
from tests.conftest import part_picture, station_file, write_parts

Station = dict[str, object]


@pytest.fixture
def source(tmp_path: Path) -> Station:
    return {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 302)))}


@pytest.fixture
def results(tmp_path: Path) -> Station:
    return {"path": str(tmp_path / "results.jsonl")}


def failures(config: Path) -> dict[str, str]:
    return {f.what: f.detail for f in check_station(config) if not f.ok}


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_a_good_station_passes_in_words_and_as_json(
    recipe_dir: Path, source: Station, results: Station, tmp_path: Path, protocol: object
) -> None:
    with Mosquitto(tmp_path) as broker:
        mqtt = {"host": HOST, "port": broker.port, "protocol": protocol}
        config = station_file(tmp_path, recipe_dir, source, mqtt=mqtt, results=results)
        words, machine = goodpart("check", config), goodpart("check", config, "--json")
    assert (words.code, machine.code) == (0, 0)
    assert [line.split()[:2] for line in words.out.splitlines()] == [
        ["ok", what] for what in ("config", "recipe", "source", "mqtt", "outbox", "results")
    ]
    found = json.loads(machine.out)
    assert [f["what"] for f in found] == ["config", "recipe", "source", "mqtt", "outbox", "results"]
    assert all(f["ok"] and f["detail"] for f in found)


def test_every_failure_is_found_in_one_go(recipe_dir: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(recipe_dir, tmp_path / "recipe")
    (broken / "bank.npy").write_bytes(b"something else")
    config = station_file(
        tmp_path,
        broken,
        {"kind": "watch", "path": str(tmp_path / "absent")},
        mqtt={"host": HOST, "port": free_port()},
        results={"path": str(tmp_path)},
    )
    ended = goodpart("check", config, "--json")
    assert ended.code == 2
    assert "Traceback" not in ended.err
    found = {f["what"]: f["detail"] for f in json.loads(ended.out) if not f["ok"]}
    assert found.keys() == {"recipe", "source", "mqtt", "results"}
    assert "bank.npy" in found["recipe"]
    assert "is not a folder" in found["source"]
    assert "cannot be reached" in found["mqtt"]
    assert "cannot be written" in found["results"]
    assert goodpart("check", config).out.count("FAIL") == 4


def test_a_wrong_configuration_is_the_only_finding(tmp_path: Path) -> None:
    path = tmp_path / "station.yaml"
    path.write_text("recipe: 1")
    assert "station" in failures(path)["config"]
    assert failures(tmp_path / "absent.yaml").keys() == {"config"}


@pytest.mark.parametrize("host", ["mqtt://broker", "broker:1883", "a..b", "bro ker"])
def test_a_host_that_is_no_host_is_a_wrong_configuration(
    recipe_dir: Path, source: Station, tmp_path: Path, host: str
) -> None:
    assert "mqtt.host" in failures(station_file(tmp_path, recipe_dir, source, mqtt={"host": host}))["config"]


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_a_wrong_password_is_named_with_its_keys(
    recipe_dir: Path, source: Station, tmp_path: Path, protocol: object
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    with Mosquitto(tmp_path, users={"camera": "right"}) as broker:
        mqtt = {"host": HOST, "port": broker.port, "protocol": protocol, "username": "camera", "password_file": str(secret)}
        found = failures(station_file(tmp_path, recipe_dir, source, mqtt=mqtt))
    assert found.keys() == {"mqtt"}
    assert "correct mqtt.username and mqtt.password_file" in found["mqtt"]
    secret.unlink()
    assert "mqtt.password_file" in failures(tmp_path / "station.yaml")["mqtt"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"\x20\x02\x00\x01", "set mqtt.protocol to '3.1.1'"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not answer as an MQTT broker"),
    ],
)
def test_a_broker_that_is_none_for_us_is_named(
    recipe_dir: Path, source: Station, tmp_path: Path, answer: bytes, says: str
) -> None:
    with answering(answer) as (port, _):
        found = failures(station_file(tmp_path, recipe_dir, source, mqtt={"host": HOST, "port": port}))
    assert says in found["mqtt"]


def test_a_camera_is_looked_through(recipe_dir: Path, results: Station, tmp_path: Path) -> None:
    with MjpegCamera(part_picture(300)) as camera:
        source: Station = {"kind": "camera", "device": camera.url}
        station = station_file(tmp_path, recipe_dir, source, results=results)
        assert failures(station) == {}
        (looked,) = [finding.detail for finding in check_station(station) if finding.what == "source"]
        assert looked.startswith("first picture 160×120, parts asked for by interval; the camera has shown no noise yet")
        assert not (tmp_path / "station.noise").exists(), "only looked at"
        by_hand = station_file(tmp_path, recipe_dir, source | {"frozen_frames": 50}, results=results)
        assert [f.detail[-8:] for f in check_station(by_hand) if f.what == "source"] == ["interval"]
    found = failures(station_file(tmp_path, recipe_dir, source | {"timeout_s": 0.2}, results=results))
    assert found.keys() == {"source"}


def test_commands_are_listed_and_their_files_and_the_other_recipes_are_tried(
    recipe_dir: Path, results: Station, tmp_path: Path
) -> None:
    goodpart("sign", "--new-key", tmp_path / "k.pem")
    commands: Station = {
        "allow": ["ping", "trigger", "activate_recipe"],
        "public_key_file": "k.pem.pub",
        "memory_file": "commands.json",
    }
    with Mosquitto(tmp_path) as broker, MjpegCamera(part_picture(300)) as camera:
        source: Station = {"kind": "camera", "device": camera.url, "trigger": "command"}
        more = {"mqtt": {"host": HOST, "port": broker.port}, "results": results, "recipes": {"other": str(recipe_dir)}}
        config = station_file(tmp_path, recipe_dir, source, commands=commands, **more)
        found = {f.what: f for f in check_station(config)}
        assert all(f.ok for f in found.values()), found
        assert found["commands"].detail == "allowed: ping, trigger, activate_recipe (signed)"
        assert found["recipes"].detail.startswith("other: plate ")
        assert not (tmp_path / "commands.json").exists(), "a check writes nothing into a running device's memory"

        # The private key is the mistake that is easily made.
        broken = commands | {"public_key_file": "k.pem"}
        wrong = failures(
            station_file(tmp_path, recipe_dir, source, commands=broken, **more | {"recipes": {"other": "nowhere"}})
        )
        assert wrong.keys() == {"commands", "recipes"}
        assert "no Ed25519 public key" in wrong["commands"]
        (tmp_path / "commands.json").write_text("{}")
        wrong = failures(station_file(tmp_path, recipe_dir, source, commands=commands, **more))
        assert "commands.json" in wrong["commands"]


def test_pictures_unlike_the_recipes_are_found_before_the_shift(recipe_dir: Path, results: Station, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    source: Station = {"kind": "folder", "path": str(other)}
    config = station_file(tmp_path, recipe_dir, source, results=results)
    assert "holds no pictures" in failures(config)["source"]
    cv2.imwrite(str(other / "small.png"), part_picture(1)[::2, ::2])
    assert "80×60" in failures(config)["source"]
    (other / "broken.png").touch()
    assert "empty" in failures(config)["source"]


def test_the_folder_of_evidence_is_tried_and_named_when_it_cannot_be_used(
    recipe_dir: Path, source: Station, results: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)

    def finding(evidence: Station) -> str:
        config = station_file(tmp_path, recipe_dir, source, results=results, evidence=evidence)
        return next(f.detail for f in check_station(config) if f.what == "evidence")

    assert finding({"path": "proof", "quota_mb": 50}).endswith("MB are free, at most 50 MB are kept")
    assert not (tmp_path / "proof").exists()
    (tmp_path / "file").touch()
    assert finding({"path": "file"}).startswith(f"evidence.path: {tmp_path}/file cannot be made")
    assert finding({}).startswith("evidence.path: missing")
