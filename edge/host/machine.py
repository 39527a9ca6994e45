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


def memory_left(meminfo: Path = Path("/proc/meminfo"), limits: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that may still be taken: of the computer, or of the control group this process is in, whichever is less."""
    found = [left for left in (_available(meminfo), _below_limit(limits)) if left is not None]
    return min(found, default=None)


def _available(meminfo: Path) -> int | None:
    try:
        line = next(line for line in meminfo.read_text().splitlines() if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def memory_max(limits: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int | None:
    """Bytes that the control group of this process and those above it allow all their processes together; None: any."""
    if (group := _own_group(limits, own)) is None:
        return None
    above = [each for each in (group, *group.parents) if each.is_relative_to(limits)]
    return min((most for each in above if (most := _number(each / "memory.max")) is not None), default=None)


def _below_limit(limits: Path) -> int | None:
    """By cgroup v2."""
    if (group := _own_group(limits)) is None:
        return None
    most, taken = _number(group / "memory.max"), _number(group / "memory.current")
    return None if most is None or taken is None else most - taken


def _own_group(limits: Path, own: Path = Path("/proc/self/cgroup")) -> Path | None:
    try:
        # "0::/system.slice/…": the one line of the unified hierarchy (cgroups(7)).
        return limits / next(line[4:] for line in own.read_text().splitlines() if line.startswith("0::/"))
    except (OSError, StopIteration):
        return None


def _number(file: Path) -> int | None:
    """None where the kernel has none: "max" is no limit, and the topmost group has no such file."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def throttled(cpus: Path = Path("/sys/devices/system/cpu")) -> int:
    """How often heat slowed a CPU down since the computer was started; 0 where nobody counts."""
    counts: list[int] = []
    for count in cpus.glob("cpu*/thermal_throttle/package_throttle_count"):
        try:
            counts.append(int(count.read_text()))
        except (OSError, ValueError):
            continue
    # Each CPU of a package counts for the package.
    return max(counts, default=0)


def cpu_features(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """What the first CPU can do, in the kernel's words."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return frozenset()
    # x86 says flags, ARM says Features.
    named = (line.partition(":")[2] for line in lines if line.startswith(("flags", "Features")))
    return frozenset(next(named, "").split())
