"""The unit file starts the loop that the command line starts."""

import configparser
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_it_is_tried_again_for_ever(unit: configparser.RawConfigParser) -> None:
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"


def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    # A copy that names a program which is there, since the real one is not installed where tests run.
    program = tmp_path / "goodpart"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / "goodpart@.service"
    copy.write_text(UNIT.read_text().replace("/opt/goodpart/bin/goodpart", str(program)))
    verifier = shutil.which("systemd-analyze")
    assert verifier, "install the Debian package systemd"
    checked = subprocess.run([verifier, "verify", copy], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
