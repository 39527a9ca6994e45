"""The unit file starts the loop that the command line starts."""

import configparser
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.config import load_config
from edge.report.config import MqttConfig
from tests.conftest import station_file

UNIT = Path(__file__).parents[2] / "systemd" / "goodpart@.service"


@pytest.fixture
def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # systemd's keys have capitals
    parser.read(UNIT)
    return parser


def test_its_command_judges_the_parts_of_the_station_it_is_named_after(
    unit: configparser.RawConfigParser, recipe_dir: Path, test_set: Path, tmp_path: Path
) -> None:
    source = {"kind": "folder", "path": str(test_set / "good")}
    config = station_file(tmp_path, recipe_dir, source, results={"path": "results.jsonl"})
    program, *arguments = shlex.split(unit["Service"]["ExecStart"].replace("/etc/goodpart/%i.yaml", str(config)))
    assert program == "/opt/goodpart/bin/goodpart"
    subprocess.run([Path(sys.executable).parent / "goodpart", *arguments], check=True)
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]


def installed_unit(folder: Path) -> Path:
    """A copy that names a program which is there, since the real one is not installed where tests run."""
    program = folder / "goodpart"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = folder / "goodpart@.service"
    copy.write_text(UNIT.read_text().replace("/opt/goodpart/bin/goodpart", str(program)))
    return copy


def test_its_sandbox_has_the_marks_that_were_promised(tmp_path: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", installed_unit(tmp_path)]
    marked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert marked.returncode == 0, marked.stdout.splitlines()[-1]


def test_what_the_device_needs_is_left_open(unit: configparser.RawConfigParser) -> None:
    service = unit["Service"]
    # ONNX Runtime reads /proc/cpuinfo, the camera is a device, and results say whether the clock is in step.
    assert not {"ProcSubset", "PrivateDevices", "PrivateNetwork", "ProtectClock", "DynamicUser"} & set(service)
    assert service["DeviceAllow"] == "char-video4linux rw"
    assert "SystemCallFilter=adjtimex clock_adjtime" in UNIT.read_text()


def test_it_is_watched_and_has_time_to_end(unit: configparser.RawConfigParser) -> None:
    service = unit["Service"]
    assert (service["Type"], service["WatchdogSec"]) == ("notify", "30")
    assert int(service["TimeoutStopSec"]) > MqttConfig(host="broker").close_s + 30, "30 s for the last commit"
    # 4: results wait in the outbox, which is no failure of the service.
    assert service["SuccessExitStatus"] == "4"


def test_a_process_beside_the_line_that_takes_all_memory_dies_alone(unit: configparser.RawConfigParser) -> None:
    assert unit["Service"]["OOMPolicy"] == "continue"


def test_its_password_comes_as_the_credential_that_the_example_names(
    unit: configparser.RawConfigParser, tmp_path: Path
) -> None:
    (tmp_path / "station.yaml").write_text((UNIT.parent / "station.yaml.example").read_text())
    config = load_config(tmp_path / "station.yaml")
    assert config.mqtt
    assert unit["Service"]["LoadCredential"].split(":")[0] == config.mqtt.password_credential


def test_user_and_folders_are_made_by_systemds_own_tools(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\ngoodpart:x:9:9::/:/bin/sh\n")
    (tmp_path / "etc" / "group").write_text("root:x:0:\nvideo:x:44:\ngoodpart:x:9:\n")
    for tool, name in (("systemd-sysusers", "sysusers"), ("systemd-tmpfiles", "tmpfiles")):
        option = ["--create"] if name == "tmpfiles" else []
        command = [tool, f"--root={tmp_path}", *option, UNIT.parent / f"goodpart.{name}"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr
    assert "video:x:44:goodpart" in (tmp_path / "etc" / "group").read_text().splitlines()
    modes = [(tmp_path / folder).stat().st_mode & 0o777 for folder in ("etc/goodpart", "var/lib/goodpart")]
    assert modes == [0o750, 0o750]


def test_it_is_tried_again_for_ever(unit: configparser.RawConfigParser) -> None:
    assert (unit["Service"]["Restart"], unit["Service"]["RestartSec"]) == ("always", "5")
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"


def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    copy = installed_unit(tmp_path)
    verifier = shutil.which("systemd-analyze")
    assert verifier, "install the Debian package systemd"
    checked = subprocess.run([verifier, "verify", copy], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
