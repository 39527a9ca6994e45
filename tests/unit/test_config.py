"""The station file says what it means, and who must be told."""

from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from edge.app.delivery import make_broker
from edge.app.sources import origin_of
from edge.capture.config import CameraConfig, FolderConfig
from edge.config import StationConfig, load_capture_config, load_config
from edge.errors import BadConfig
from edge.report.config import OutboxConfig
from edge.report.tls import Tls, make_context
from edge.types import Decision

STATION = "station: {site: a, area: b, line: c, station: d}\n"
_HEALTH = "recipe: r\nsource: {kind: folder, path: p}\nresults: {path: o}\n"
_COMMANDS = "recipe: r\nsource: {kind: folder, path: p}\nmqtt: {host: h}\ncommands: "
_SIGNED = "public_key_file: k, memory_file: m"
_SHIFT = "recipe: r\nsource: {kind: folder, path: p}\nresults: {path: o}\nshift_check: "
_EVIDENCE = _SHIFT.replace("shift_check", "evidence")


def load(tmp_path: Path, text: str):
    path = tmp_path / "station.yaml"
    path.write_text(text)
    return load_config(path)


def test_relative_paths_start_at_the_files_folder_and_absolute_ones_stay(tmp_path: Path) -> None:
    text = (
        STATION
        + "recipe: r\nsource: {kind: folder, path: /abs}\nmqtt: {host: h, username: u, password_file: p}\nresults: {path: o}"
    )
    config = load(tmp_path, text)
    assert config.recipe == str(tmp_path / "r")
    assert isinstance(config.source, FolderConfig)
    assert config.source.path == "/abs"
    assert config.mqtt is not None
    assert config.mqtt.password_file == str(tmp_path / "p")
    assert config.results is not None
    assert config.results.path == str(tmp_path / "o")


MQTT = STATION + "recipe: r\nsource: {kind: folder, path: p}\n"


def outbox_path(config: StationConfig) -> str | None:
    assert config.mqtt is not None
    assert isinstance(config.mqtt.outbox, OutboxConfig)
    return config.mqtt.outbox.path


def test_the_outbox_stands_beside_the_station_file_or_where_systemd_keeps_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert outbox_path(load(tmp_path, MQTT + "mqtt: {host: h}")) == str(tmp_path / "station.outbox")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/goodpart/x:/var/lib/other")
    assert outbox_path(load(tmp_path, MQTT + "mqtt: {host: h}")) == "/var/lib/goodpart/x/station.outbox"
    assert outbox_path(load(tmp_path, MQTT + "mqtt: {host: h, outbox: {path: o}}")) == str(tmp_path / "o")
    none = load(tmp_path, MQTT + "mqtt: {host: h, outbox: none}").mqtt
    assert none is not None
    assert none.outbox == "none"


@pytest.mark.parametrize(("tls", "port"), [("", 1883), (", tls: {}", 8883), (", tls: {}, port: 1", 1)])
def test_the_port_is_the_usual_one_with_tls_and_without(tmp_path: Path, tls: str, port: int) -> None:
    config = load(tmp_path, MQTT + f"mqtt: {{host: h{tls}}}")
    assert config.mqtt is not None
    assert make_broker(config.mqtt, config.station).port == port


def test_a_credential_of_systemd_is_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(tmp_path, MQTT + "mqtt: {host: h, username: u, password_credential: broker}")
    assert config.mqtt is not None
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(BadConfig, match="LoadCredential=broker:FILE"):
        make_broker(config.mqtt, config.station)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(BadConfig, match=r"mqtt\.password_credential: .* cannot be read"):
        make_broker(config.mqtt, config.station)
    (tmp_path / "broker").write_text("word\n")
    broker = make_broker(config.mqtt, config.station)
    assert broker.password == "word"  # noqa: S105 - the test's own
    assert broker.shows_password
    assert not replace(broker, host="127.0.0.1").shows_password
    assert not replace(broker, host="localhost").shows_password
    assert not replace(broker, tls=make_context(Tls())).shows_password


def test_standard_output_is_no_path(tmp_path: Path) -> None:
    config = load(tmp_path, STATION + "recipe: r\nsource: {kind: camera, device: 0}\nresults: {path: '-'}")
    assert config.results is not None
    assert config.results.path == "-"


def test_a_shift_check_has_its_file_beside_the_station_and_plain_times(tmp_path: Path) -> None:
    check = load(tmp_path, STATION + _SHIFT + "{samples: shift.json, at: [22:00, '06:00']}").shift_check
    assert check is not None
    assert check.samples == str(tmp_path / "shift.json")
    assert check.times == (time(22), time(6))
    assert (check.tries, check.pause_s) == (3, 0)


def test_health_is_told_every_minute_and_only_this_computer_may_scrape(tmp_path: Path) -> None:
    config = load(tmp_path, STATION + _HEALTH)
    assert (config.health.interval_s, config.prometheus) == (60, None)
    near = load(tmp_path, STATION + _HEALTH + "prometheus: {port: 9108}").prometheus
    assert near is not None
    assert (near.host, near.near_host) == ("127.0.0.1", "127.0.0.1")
    wide = load(tmp_path, STATION + _HEALTH + "prometheus: {port: 9108, host: '::', expose: true}").prometheus
    assert wide is not None
    assert wide.near_host == "::1"


_HEAD = STATION + "recipe: r\nsource: {kind: folder, path: p}\nresults: {path: o}\n"


def test_evidence_is_kept_of_what_is_not_ok_beside_the_station_file(tmp_path: Path) -> None:
    evidence = load(tmp_path, _HEAD + "evidence: {path: proof}").evidence
    assert evidence is not None
    assert evidence.folder == str(tmp_path / "proof")
    assert evidence.keep == (Decision.NOK, Decision.NOT_DECIDABLE)
    assert (evidence.overlay, evidence.quota_mb) == (True, 2000)
    assert load(tmp_path, _HEAD).evidence is None


def test_evidence_without_a_path_goes_to_the_state_directory_or_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/goodpart/cell:/var/lib/other")
    evidence = load(tmp_path, _HEAD + "evidence: {keep: [OK]}").evidence
    assert evidence is not None
    assert evidence.folder == "/var/lib/goodpart/cell/evidence"
    monkeypatch.delenv("STATE_DIRECTORY")
    evidence = load(tmp_path, _HEAD + "evidence: {keep: [OK]}").evidence
    assert evidence is not None
    with pytest.raises(BadConfig, match=r"evidence\.path: missing"):
        _ = evidence.folder


@pytest.mark.parametrize(
    ("rest", "wanted"),
    [
        ("source: {kind: camera, device: 0}", "live"),
        ("source: {kind: watch, path: p}", "live"),
        ("source: {kind: folder, path: p}", "replay"),
        ("source: {kind: video, path: p}", "replay"),
        ("source: {kind: camera, device: 0}\nsimulated: true", "simulated"),
    ],
)
def test_the_source_says_whether_parts_are_real(tmp_path: Path, rest: str, wanted: str) -> None:
    assert origin_of(load(tmp_path, STATION + f"recipe: r\nresults: {{path: o}}\n{rest}")) == wanted


def test_commands_have_their_files_beside_the_station_and_recipes_have_names(tmp_path: Path) -> None:
    commands = "{allow: [ping, pause], public_key_file: k.pub, memory_file: /var/done.json}"
    config = load(tmp_path, STATION + _COMMANDS + commands + "\nrecipes: {other: b, far: /abs}")
    assert config.commands is not None
    assert config.commands.public_key_file == str(tmp_path / "k.pub")
    assert config.commands.memory_file == "/var/done.json"
    assert (config.commands.max_per_minute, config.commands.clock) == (120, "synchronised")
    assert config.recipes == {"other": str(tmp_path / "b"), "far": "/abs"}


@pytest.mark.parametrize("device", ["0", "/dev/v4l/by-id/usb-cam", "rtsp://10.0.0.7/stream"])
def test_a_camera_is_an_index_a_path_or_an_address(tmp_path: Path, device: str) -> None:
    config = load(tmp_path, STATION + f"recipe: r\nsource: {{kind: camera, device: '{device}'}}\nresults: {{path: o}}")
    assert isinstance(config.source, CameraConfig)


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("recipe: r\nsource: {kind: folder, path: p}", "nobody would be told"),
        ("recipe: r\nsource: {kind: scanner, path: p}\nresults: {path: o}", "source"),
        ("recipe: r\nsource: {path: p}\nresults: {path: o}", "source: missing 'kind'"),
        ("recipe: r\nsource: {kind: folder}\nresults: {path: o}", "source.folder.path: missing"),
        ("recipe: r\nsource: {kind: video, path: p, every: 0}\nresults: {path: o}", "source.video.every"),
        ("recipe: r\nsource: {kind: camera, device: -1}\nresults: {path: o}", "source.camera.device"),
        ("recipe: r\nsource: {kind: folder, path: p}\nresults: {path: o}\nthreads: 0", "threads"),
        ("source: {kind: folder, path: p}\nresults: {path: o}", "recipe: missing"),
        (
            "recipe: r\nsource: {kind: watch, path: p, poll_s: 0.5}\nresults: {path: o}\ntakt_s: 1",
            "takt_s: every file would be late, as it is looked at twice; make it more than 2 × source.poll_s",
        ),
        (_HEALTH + "health: {interval_s: 0}", "health.interval_s"),
        (_HEALTH + "prometheus: {}", "prometheus.port: missing"),
        (_HEALTH + "prometheus: {port: 9108, host: 0.0.0.0}", "add expose: true"),
        (_HEALTH + "prometheus: {port: 9108, host: '::'}", "add expose: true"),
        (_HEALTH + "prometheus: {port: 9108, host: 10.0.0.7}", "add expose: true"),
        (_HEALTH + "prometheus: {port: 9108, host: here}", "'here' is not an address"),
        (_SHIFT + "{at: [06:00]}", "shift_check.samples: missing"),
        (_SHIFT + "{samples: s, at: [6:00]}", "shift_check.at.0"),
        (_SHIFT + "{samples: s, at: [24:00]}", "shift_check.at.0"),
        (_SHIFT + "{samples: s, at: [06:00, 06:00]}", "a time is given twice"),
        (_SHIFT + "{samples: s, tries: 0}", "shift_check.tries"),
        (_SHIFT + "{samples: s, pause_s: -1}", "shift_check.pause_s"),
        (_EVIDENCE + "{path: e, keep: []}", "evidence.keep"),
        (_EVIDENCE + "{path: e, keep: [GOOD]}", "evidence.keep.0"),
        (_EVIDENCE + "{path: e, keep: [NOK, NOK]}", "a verdict is given twice"),
        (_EVIDENCE + "{path: e, quota_mb: 0}", "evidence.quota_mb"),
        (_EVIDENCE + "{path: e, quota: 1}", "evidence.quota: unknown key"),
        (_COMMANDS + "{}", "commands.allow: missing"),
        (_COMMANDS + "{allow: []}", "commands.allow"),
        (_COMMANDS + "{allow: [reboot]}", "commands.allow.0"),
        (_COMMANDS + "{allow: [ping], max_per_minute: 0}", "commands.max_per_minute"),
        (_COMMANDS + "{allow: [ping], max_bytes: 1e9}", "commands.max_bytes"),
        (_COMMANDS + "{allow: [pause], memory_file: m}", "pause must be signed and done once; add public_key_file"),
        (_COMMANDS + "{allow: [pause], public_key_file: k}", "add memory_file"),
        (_COMMANDS + f"{{allow: [set_threshold], {_SIGNED}}}", "add threshold: {min: …, max: …}"),
        (_COMMANDS + "{allow: [ping], threshold: {min: 2, max: 1}}", "min is not below max"),
        (_COMMANDS + f"{{allow: [activate_recipe], {_SIGNED}}}", "add recipes"),
        (
            _COMMANDS + f"{{allow: [activate_recipe], {_SIGNED}}}\nrecipes: {{a: b}}\nshift_check: {{samples: s}}",
            "would leave the recipe of shift_check",
        ),
        ("recipe: r\nsource: {kind: folder, path: p}\nresults: {path: o}\ncommands: {allow: [ping]}", "add mqtt:"),
        ("recipe: r\nsource: {kind: camera, device: 0, trigger: command}\nresults: {path: o}", "add trigger to commands"),
        (_COMMANDS + "{allow: [ping]}\nrecipes: {a/b: c}", "recipes"),
    ],
)
def test_every_mistake_is_named_with_its_key(tmp_path: Path, rest: str, says: str) -> None:
    with pytest.raises(BadConfig) as caught:
        load(tmp_path, STATION + rest)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("port: 70000", "mqtt.port"),
        ("protocol: 4", "mqtt.protocol"),
        ("password: x", "mqtt.password: "),
        ("password: x", "name the file it stands in with mqtt.password_file"),
        ("password_file: x", "add mqtt.username"),
        ("password_credential: x", "add mqtt.username"),
        ("username: u, password_credential: a/b", "mqtt.password_credential"),
        ("username: u, password_credential: x, password_file: x", "remove one"),
        ("tls: {key_file: k}", "add mqtt.tls.cert_file"),
        ("outbox: {quota_mb: 1}", "quota_mb"),
        ("outbox: nowhere", "mqtt.outbox"),
    ],
)
def test_every_mistake_about_the_broker_is_named_with_its_key(tmp_path: Path, keys: str, says: str) -> None:
    with pytest.raises(BadConfig) as caught:
        load(tmp_path, MQTT + f"mqtt: {{host: h, {keys}}}")
    assert says in str(caught.value)


@pytest.mark.parametrize("level", ["a/b", "+", "#", "", "ä"])
def test_a_topic_level_with_a_separator_or_wildcard_is_refused(tmp_path: Path, level: str) -> None:
    text = f"station: {{site: '{level}', area: b, line: c, station: d}}\nrecipe: r\nsource: {{kind: folder, path: p}}\n"
    with pytest.raises(BadConfig, match=r"station\.site"):
        load(tmp_path, text + "results: {path: o}")


def test_pictures_can_be_taken_before_there_is_a_recipe_but_nothing_else_is_let_through(tmp_path: Path) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(STATION + "source: {kind: folder, path: p}")
    config = load_capture_config(path)
    assert (config.recipe, config.mqtt, config.results) == (None, None, None)
    assert isinstance(config.source, FolderConfig)
    assert config.source.path == str(tmp_path / "p")
    for wrong, says in (
        ("source: {kind: folder, path: p}\nrecepe: r", "recepe: unknown key"),
        ("source: {kind: folder, path: p}\nmqtt: {host: h, port: 70000}", "mqtt.port"),
        ("recipe: r", "source: missing"),
    ):
        path.write_text(STATION + wrong)
        with pytest.raises(BadConfig) as caught:
            load_capture_config(path)
        assert says in str(caught.value)


def test_the_file_that_run_reads_serves_for_taking_pictures_too(tmp_path: Path) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(
        STATION + "recipe: r\nsource: {kind: camera, device: 0}\nmqtt: {host: h}\nresults: {path: o}\nthreads: 2"
    )
    whole, capture = load_config(path), load_capture_config(path)
    assert capture.model_dump() == whole.model_dump()
