"""The station file says what it means, and who must be told."""

from datetime import time
from pathlib import Path

import pytest

from edge.config import CameraConfig, FolderConfig, load_config
from edge.errors import BadConfig

STATION = "station: {site: a, area: b, line: c, station: d}\n"
_COMMANDS = "recipe: r\nsource: {kind: folder, path: p}\nmqtt: {host: h}\ncommands: "
_SIGNED = "public_key_file: k, memory_file: m"
_SHIFT = "recipe: r\nsource: {kind: folder, path: p}\nresults: {path: o}\nshift_check: "


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
        ("recipe: r\nsource: {kind: folder, path: p}\nmqtt: {host: h, port: 70000}", "mqtt.port"),
        ("recipe: r\nsource: {kind: folder, path: p}\nmqtt: {host: h, protocol: 4}", "mqtt.protocol"),
        ("recipe: r\nsource: {kind: folder, path: p}\nmqtt: {host: h, password: x}", "mqtt.password: unknown key"),
        ("recipe: r\nsource: {kind: folder, path: p}\nmqtt: {host: h, password_file: x}", "add mqtt.username"),
        ("recipe: r\nsource: {kind: folder, path: p}\nresults: {path: o}\nthreads: 0", "threads"),
        ("source: {kind: folder, path: p}\nresults: {path: o}", "recipe: missing"),
        (_SHIFT + "{at: [06:00]}", "shift_check.samples: missing"),
        (_SHIFT + "{samples: s, at: [6:00]}", "shift_check.at.0"),
        (_SHIFT + "{samples: s, at: [24:00]}", "shift_check.at.0"),
        (_SHIFT + "{samples: s, at: [06:00, 06:00]}", "a time is given twice"),
        (_SHIFT + "{samples: s, tries: 0}", "shift_check.tries"),
        (_SHIFT + "{samples: s, pause_s: -1}", "shift_check.pause_s"),
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


@pytest.mark.parametrize("level", ["a/b", "+", "#", "", "ä"])
def test_a_topic_level_with_a_separator_or_wildcard_is_refused(tmp_path: Path, level: str) -> None:
    text = f"station: {{site: '{level}', area: b, line: c, station: d}}\nrecipe: r\nsource: {{kind: folder, path: p}}\n"
    with pytest.raises(BadConfig, match=r"station\.site"):
        load(tmp_path, text + "results: {path: o}")
