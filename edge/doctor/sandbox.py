"""The doctor inside the service's own sandbox: a transient unit with the properties of the station's unit and its drop-ins.

So the sandbox is written once, and what this device adds to it (a credential, a device) holds for the doctor, too.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from edge.doctor.unit import service_of
from edge.errors import BadConfig

_NOT_THE_SANDBOX = ("Exec", "Restart", "Watchdog", "Timeout", "Type", "NotifyAccess", "StandardOutput", "StandardError")
"""How keys begin that say how the service runs, not what it may do."""


def enter(station_file: Path, arguments: Sequence[str]) -> NoReturn:
    """Run `goodpart doctor` with these arguments as the station's service, and end as it ends.

    Raises:
        BadConfig: there is no such service, or no systemd.
    """
    service = service_of(station_file)
    if not (systemctl := shutil.which("systemctl")) or not (runner := shutil.which("systemd-run")):
        raise BadConfig("--sandbox: there is no systemd here; leave it out.")
    shown = subprocess.run([systemctl, "cat", service], capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if shown.returncode:
        why = (shown.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BadConfig(f"--sandbox: systemd has no {service}: {why}; run systemd/install, or leave it out.")
    given = [part for line in properties(shown.stdout, station_file.stem) for part in ("--property", line)]
    program = [program_of(shown.stdout), "doctor", str(station_file.resolve()), *arguments]
    command = [runner, "--quiet", "--wait", "--pipe", "--collect", *given, *program]
    sys.exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - our own


def properties(unit: str, instance: str) -> list[str]:
    """What a unit with its drop-ins, as `systemctl cat` prints it, sets for whoever runs in it: `Key=value` in order."""
    section, found = "", []
    for line in _whole_lines(unit):
        if line.startswith("["):
            section = line
        elif section == "[Service]" and not line.startswith(("#", ";")) and "=" in line:
            key = line.partition("=")[0].strip()
            if not key.startswith(_NOT_THE_SANDBOX):
                # A transient unit is no instance of a template.
                found.append(line.replace("%i", instance).replace("%I", instance))
    return found


def program_of(unit: str) -> str:
    """What the service starts.

    Raises:
        BadConfig: nothing.
    """
    starts = [line.partition("=")[2] for line in _whole_lines(unit) if line.startswith("ExecStart=")]
    words = starts[-1].split() if starts else []
    if not words:
        raise BadConfig("--sandbox: the unit has no ExecStart=; mend its drop-ins, or leave it out.")
    return words[0].lstrip("@-:+!")


def _whole_lines(unit: str) -> list[str]:
    return [line.strip() for line in unit.replace("\\\n", " ").splitlines()]
