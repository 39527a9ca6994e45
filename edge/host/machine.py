"""What the kernel says of this computer and this process."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from edge.host.time_sync import ask_kernel


@dataclass(frozen=True, slots=True)
class Machine:
    """None where the system does not say. Bytes; degrees Celsius of the hottest zone."""

    rss_bytes: int | None
    temperature_c: float | None
    disk_free_bytes: int | None
    clock_synced: bool | None


def look_at_machine(folder: Path) -> Machine:
    """Memory of this process, temperature, the clock, and the room this user has on the disk of `folder`."""
    return Machine(resident_bytes(), hottest_c(), free_bytes(folder), ask_kernel())


def resident_bytes(statm: Path = Path("/proc/self/statm")) -> int | None:
    """Resident memory, by the second number of proc_pid_statm(5)."""
    try:
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def hottest_c(zones: Path = Path("/sys/class/thermal")) -> float | None:
    """The highest of all thermal zones, which the kernel gives in thousandths of a degree; a sensor that fails has none."""
    found: list[float] = []
    for zone in zones.glob("thermal_zone*/temp"):
        try:
            found.append(int(zone.read_text()) / 1000)
        except (OSError, ValueError):
            continue
    return max(found, default=None)


def free_bytes(folder: Path) -> int | None:
    """Room on the disk of a folder."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
