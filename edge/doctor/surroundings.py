"""Clock, memory and temperature."""

from datetime import datetime
from pathlib import Path

from edge.doctor.symptom import Symptom, ill, well, worry
from edge.host.clock import utc_now
from edge.host.machine import hottest_c, memory_left, resident_bytes, throttled
from edge.host.time_sync import ask_kernel

_HOT_C = 85.0
"""Where the chips of small computers begin to slow down."""

_SPARE = 100 * 2**20
_MIB = 2**20


def try_clock(not_before: datetime | None, now: datetime | None = None, *, synced: bool | None = None) -> Symptom:
    """Whether the clock can be right, and is in step. not_before: something has been made at that time."""
    now, synced = now or utc_now(), ask_kernel() if synced is None else synced
    words = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if not_before and now < not_before:
        return ill("clock", f"{words} is before the recipe was made ({not_before:%Y-%m-%d %H:%M}); set the clock.")
    if synced is False:
        return worry("clock", f"{words}, not in step with a time server; start systemd-timesyncd or chrony, and let it out.")
    return well(
        "clock", f"{words}, {'in step with a time server' if synced else 'whether it is in step cannot be asked here'}"
    )


def try_memory(left: int | None = None) -> Symptom:
    """Whether as much memory is left as this process has now, with the recipe open, and some more."""
    needed, left = (resident_bytes() or 0) + _SPARE, memory_left() if left is None else left
    if left is None:
        return well("memory", "how much is left is not known here")
    words = f"{left // _MIB:,} MiB left, {needed // _MIB:,} MiB are needed"
    return well("memory", words) if left >= needed else ill("memory", f"{words}; end other programs, or raise MemoryMax=.")


def try_temperature(zones: Path = Path("/sys/class/thermal"), cpus: Path = Path("/sys/devices/system/cpu")) -> Symptom:
    """Whether heat slows the CPU."""
    hottest, times = hottest_c(zones), throttled(cpus)
    words = "not known" if hottest is None else f"{hottest:.0f} °C"
    if times:
        return worry("heat", f"{words}, and the CPU was slowed down {times} times since the start; cool it better.")
    if hottest is not None and hottest >= _HOT_C:
        return worry("heat", f"{words}; the CPU is about to slow down, cool it better.")
    return well("heat", words)
