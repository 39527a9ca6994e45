"""A device is set up, runs its station under a real systemd, and is cleared again.

pip's own work is left out: an interpreter of the test stands in for `python -m venv` and gives the environment of the tests,
so that nothing is fetched or compiled. Everything else is the real thing.
"""

import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import wait_until
from tests.conftest import station_file, write_parts
from tests.machines import Machine, why_not

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "systemd" / "install"
NAME = "plate"
SERVICE = f"goodpart@{NAME}"
WHERE = ("/etc", "/opt", "/usr/local", "/var/lib")

_RUN = f"PYTHONPATH={ROOT} exec {sys.executable}"


def interpreter(
    pip: str = "exit 0", python: str = f'{_RUN} "$@"', goodpart: str = f'{_RUN} {ROOT}/tests/goodpart.py "$@"'
) -> str:
    """One that makes the environment of the tests instead of a new one, of these three programs."""
    lines = ["#!/bin/sh", f'[ "$1 $2" = "-m venv" ] || exec {sys.executable} "$@"', 'mkdir -p "$3/bin"']
    for name, does in {"pip": pip, "python": python, "goodpart": goodpart}.items():
        lines += [f'echo {shlex.quote("#!/bin/sh")} >"$3/bin/{name}"', f'echo {shlex.quote(does)} >>"$3/bin/{name}"']
    return "\n".join([*lines, 'chmod 755 "$3/bin/"*', ""])


_HANGS = """
import ctypes
from edge.inspect.encoder import Encoder
from edge.cli import main

encode, parts = Encoder.encode, [0]


def hang(self):
    parts[0] += 1
    return ctypes.CDLL(None).pause() if parts[0] > 4 else encode(self)


Encoder.encode = hang
main()
"""
"""After three golden pictures and one part the encoder does not come back from native code."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if reason := why_not():
        pytest.skip(f"the unit is not started for real: {reason}")
    folder = tmp_path_factory.mktemp("machine")
    with Machine(folder) as booted:
        python(booted, interpreter())
        # Its user must find the interpreter and the code, wherever they lie; this changes nothing outside of the machine.
        for place in (Path(sys.executable), Path(sys.executable).resolve(), Path(sys.base_prefix) / "lib", ROOT / "edge"):
            booted.does("chmod", "a+rx", *place.parents)
        yield booted


@pytest.fixture
def installed(machine: Machine, recipe_dir: Path) -> Iterator[Machine]:
    """goodpart on the machine, with a station that watches a folder and whose broker is away."""
    before = machine.files(*WHERE)
    machine.does(INSTALL, "--python", machine.shared / "python")
    incoming = f"/var/lib/goodpart/{NAME}/incoming"
    mqtt = {"host": "127.0.0.1", "port": 1, "username": "camera", "password_credential": "mqtt-password", "close_s": 0}
    source: dict[str, object] = {"kind": "watch", "path": incoming, "poll_s": 0.01}
    config = station_file(machine.shared, Path("recipe"), source, mqtt=mqtt, evidence={})
    shutil.copytree(recipe_dir, machine.shared / "recipe", dirs_exist_ok=True)
    machine.does("cp", "-r", config, machine.shared / "recipe", "/etc/goodpart/")
    machine.does("mv", "/etc/goodpart/station.yaml", f"/etc/goodpart/{NAME}.yaml")
    machine.does("chgrp", "-R", "goodpart", "/etc/goodpart")
    machine.does("chmod", "-R", "g+rX", "/etc/goodpart")
    machine.does("install", "-d", "-o", "goodpart", "-g", "goodpart", f"/var/lib/goodpart/{NAME}", incoming)
    # The interpreter and the code of the tests may lie below /root or /home, which the sandbox hides.
    drop_in(machine, "place", "ProtectHome=read-only\nPrivateTmp=no")
    machine.does("sh", "-c", "mkdir -p /etc/credstore && echo secret >/etc/credstore/goodpart.plate.mqtt-password")
    yield machine
    machine.does(INSTALL, "--purge")
    assert machine.files(*WHERE) - before <= {"/etc/credstore"}
    assert machine.run("getent", "passwd", "goodpart").returncode


def python(machine: Machine, text: str, name: str = "python") -> Path:
    """An interpreter to install with."""
    path = machine.shared / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def drop_in(machine: Machine, name: str, lines: str) -> None:
    folder = f"/etc/systemd/system/{SERVICE}.service.d"
    (machine.shared / name).write_text(f"[Service]\n{lines}\n")
    machine.does("mkdir", "-p", folder)
    machine.does("cp", machine.shared / name, f"{folder}/{name}.conf")
    machine.does("systemctl", "daemon-reload")


def show(machine: Machine, key: str) -> str:
    return machine.does("systemctl", "show", "--value", "--property", key, SERVICE).strip()


def lay_down(machine: Machine, seed: int) -> None:
    write_parts(machine.shared / f"parts-{seed}", range(seed, seed + 1))
    machine.does(
        "install",
        "-o",
        "goodpart",
        machine.shared / f"parts-{seed}" / f"part-{seed:03d}.png",
        f"/var/lib/goodpart/{NAME}/incoming/",
    )


def test_the_unit_is_ready_when_it_judges_says_what_it_does_and_keeps_its_results(installed: Machine) -> None:
    installed.does("systemctl", "enable", "--now", SERVICE)
    assert show(installed, "ActiveState") == "active"
    assert show(installed, "StatusText") == "judging; no part yet; waits for the broker, 0 results in the outbox"
    lay_down(installed, 300)
    wait_until(lambda: "; waits for the broker, 1 results" in show(installed, "StatusText"), "the part's result")
    assert show(installed, "User") == "goodpart"
    found = installed.run("goodpart", "doctor", f"/etc/goodpart/{NAME}.yaml", "--sandbox", "--json")
    symptoms = {s["what"]: s for s in json.loads(found.stdout)}
    assert (found.returncode, {what for what, s in symptoms.items() if s["state"] == "fail"}) == (2, {"mqtt"}), found
    assert symptoms["user"]["detail"] == "goodpart, groups goodpart, video"
    assert "starts at boot" in symptoms["service"]["detail"]
    # Its own journal, searched by the fields.
    lost = installed.does("journalctl", "--output=cat", "GOODPART_STATION=test/lab/line-1/camera-1", "PRIORITY=3")
    assert "127.0.0.1:1" in lost
    installed.does("systemctl", "stop", SERVICE)
    assert (show(installed, "ActiveState"), show(installed, "ExecMainStatus")) == ("inactive", "4")
    # Removed, what the station made is still there; installed again, it goes on with it.
    installed.does(INSTALL, "--uninstall")
    assert not {path for path in installed.files("/opt", "/usr/local", "/etc/systemd") if "goodpart" in path} - {
        f"/etc/systemd/system/{SERVICE}.service.d",
        f"/etc/systemd/system/{SERVICE}.service.d/place.conf",
    }
    assert f"/var/lib/goodpart/{NAME}/{NAME}.outbox" in installed.files("/var/lib/goodpart")
    installed.does(INSTALL, "--python", installed.shared / "python")
    installed.does("systemctl", "start", SERVICE)
    assert "1 results in the outbox" in show(installed, "StatusText")


def test_a_line_whose_encoder_hangs_is_started_again_and_the_journal_says_where(installed: Machine) -> None:
    program = installed.shared / "hangs.py"
    program.write_text(_HANGS)
    installed.does("install", "-m", "644", program, "/etc/goodpart/hangs.py")
    command = f"{sys.executable} /etc/goodpart/hangs.py run /etc/goodpart/{NAME}.yaml"
    drop_in(
        installed, "hang", f"Environment=PYTHONPATH={ROOT}\nWatchdogSec=2\nRestartSec=1\nExecStart=\nExecStart={command}"
    )
    installed.does("systemctl", "start", SERVICE)
    lay_down(installed, 301)
    lay_down(installed, 302)
    wait_until(lambda: show(installed, "NRestarts") == "1", "systemd to start it again")
    said = installed.does("journalctl", "--output=cat", "GOODPART_EVENT=STUCK")
    assert "stuck: inference has not moved" in said
    assert "hang" in installed.does("journalctl", "--output=cat", f"--unit={SERVICE}")


def test_a_line_that_is_killed_is_started_again_and_still_has_what_it_committed(installed: Machine) -> None:
    installed.does("systemctl", "start", SERVICE)
    lay_down(installed, 303)
    wait_until(lambda: "1 results in the outbox" in show(installed, "StatusText"), "the part's result")
    installed.does("systemctl", "kill", "--signal=KILL", SERVICE)
    wait_until(lambda: show(installed, "NRestarts") == "1", "systemd to start it again")
    lay_down(installed, 304)
    wait_until(lambda: "2 results in the outbox" in show(installed, "StatusText"), "the next part's result beside it")
    assert show(installed, "ActiveState") == "active"


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"pip": "exit 1"}, "pip could not install goodpart"),
        ({"goodpart": "exit 1"}, "what was installed does not answer"),
        # As hnswlib does that was compiled for another CPU.
        ({"python": "kill -ILL $$"}, "what was installed does not run on this device"),
    ],
)
def test_an_installation_that_fails_leaves_the_one_in_use(installed: Machine, broken: dict[str, str], says: str) -> None:
    before, used = installed.files("/opt"), installed.does("readlink", "/opt/goodpart")
    ended = installed.run(INSTALL, "--python", python(installed, interpreter(**broken), "broken"))
    assert (ended.returncode, ended.stderr.count("error: ")) == (2, 1), ended
    assert says in ended.stderr
    assert (installed.files("/opt"), installed.does("readlink", "/opt/goodpart")) == (before, used)
    installed.does("goodpart", "--version")


def test_an_installation_that_is_interrupted_leaves_nothing_beside_the_one_in_use(installed: Machine) -> None:
    before = installed.files("/opt")
    # pip is where it takes long; the signal comes to the shell that waits for it.
    ended = installed.run(INSTALL, "--python", python(installed, interpreter(pip="kill -TERM $PPID"), "slow"))
    assert ended.returncode == 143, ended
    assert installed.files("/opt") == before


def test_the_one_of_before_is_kept_until_every_station_runs_again(installed: Machine) -> None:
    install = (INSTALL, "--python", installed.shared / "python")
    installed.does("systemctl", "start", SERVICE)
    used = installed.does("readlink", "/opt/goodpart").strip()
    # Somebody else's, which no installation takes away.
    installed.does("mkdir", "/opt/goodpart.2024-backup")
    installed.does("mv", f"/etc/goodpart/{NAME}.yaml", f"/etc/goodpart/{NAME}.away")
    ended = installed.run(*install)
    assert (ended.returncode, ended.stderr.count("error: ")) == (2, 1), ended
    assert f"Back: ln -sfn {used} /opt/goodpart" in ended.stderr
    installed.does(f"{used}/bin/goodpart", "--version")
    installed.does("mv", f"/etc/goodpart/{NAME}.away", f"/etc/goodpart/{NAME}.yaml")
    # Mended, it is brought to this version, and what was left behind goes.
    installed.does("sh", "-c", 'umask 077 && exec "$@"', "sh", *install)
    assert show(installed, "ActiveState") == "active"
    left = installed.does("sh", "-c", "echo /opt/goodpart*").split()
    assert left == ["/opt/goodpart", "/opt/goodpart.2024-backup", installed.does("readlink", "/opt/goodpart").strip()]
    installed.does("rmdir", "/opt/goodpart.2024-backup")
    installed.does("runuser", "-u", "goodpart", "--", "/opt/goodpart/bin/goodpart", "--version")


def test_a_folder_where_the_link_should_be_is_refused_before_anything_is_made(installed: Machine) -> None:
    used = installed.does("readlink", "/opt/goodpart").strip()
    installed.does("sh", "-c", "rm /opt/goodpart && mkdir /opt/goodpart")
    before = installed.files("/opt")
    ended = installed.run(INSTALL, "--python", installed.shared / "python")
    assert (ended.returncode, ended.stderr) == (
        2,
        "error: /opt/goodpart is no link that this script made; move it away first.\n",
    )
    assert installed.files("/opt") == before
    installed.does("sh", "-c", f"rmdir /opt/goodpart && ln -s {used} /opt/goodpart")
