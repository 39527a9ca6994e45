"""What systemd knows of the station's service."""

import subprocess
from pathlib import Path

from edge.doctor.symptom import Symptom, ill, well, worry

_RUNS_HERE = Path("/run/systemd/system")
_ASKED = ("LoadState", "ActiveState", "UnitFileState", "WatchdogUSec", "NRestarts", "StatusText")
_PATIENCE_S = 10.0


def service_of(station_file: Path) -> str:
    """The unit that runs a station file."""
    return f"goodpart@{station_file.stem}.service"


def try_unit(service: str) -> Symptom:
    """Whether it starts at boot, is watched, and had to be started again."""
    if not _RUNS_HERE.is_dir():
        return well("service", "systemd does not run here")
    command = ["systemctl", "show", service, "--property", ",".join(_ASKED)]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=True)  # noqa: S603 - our own
    except (OSError, subprocess.SubprocessError):
        return well("service", f"systemd cannot be asked about {service} from here")
    return judge_unit(service, dict(line.partition("=")[::2] for line in asked.stdout.splitlines()))


def judge_unit(service: str, said: dict[str, str]) -> Symptom:
    """By the properties of `systemctl show`."""
    if said.get("LoadState") != "loaded":
        return worry("service", f"{service} is not installed; run systemd/install.")
    words = f"{service} is {said['ActiveState']}" + (f" ({said['StatusText']})" if said["StatusText"] else "")
    watchdog = said["WatchdogUSec"]
    if said["ActiveState"] == "failed":
        return ill("service", f"{words}; journalctl -u {service} says why.")
    if watchdog in {"0", "infinity"}:
        return worry("service", f"{words}, and nobody notices if it hangs; set WatchdogSec= in its unit.")
    if said["NRestarts"] not in {"", "0"}:
        again = f"{words}, and was started again {said['NRestarts']} times"
        return worry("service", f"{again}; journalctl -u {service} says why.")
    if said["UnitFileState"] != "enabled":
        return worry("service", f"{words}, and does not start at boot; systemctl enable {service}.")
    return well("service", f"{words}, watchdog {watchdog}, starts at boot")
