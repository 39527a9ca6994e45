"""What the kernel says, and what is made of it when it does not."""

import os
from pathlib import Path

from edge.host.machine import free_bytes, hottest_c, look_at_machine, memory_left, memory_max, resident_bytes


def zone(folder: Path, number: int, text: str) -> None:
    (folder / f"thermal_zone{number}").mkdir(parents=True)
    (folder / f"thermal_zone{number}" / "temp").write_text(text)


def test_the_hottest_zone_counts_and_a_broken_sensor_does_not(tmp_path: Path) -> None:
    zone(tmp_path, 0, "41000\n")
    zone(tmp_path, 1, "63500\n")
    zone(tmp_path, 2, "unknown\n")
    (tmp_path / "thermal_zone3").mkdir()
    (tmp_path / "thermal_zone3" / "temp").mkdir()
    assert hottest_c(tmp_path) == 63.5


def test_what_the_system_does_not_say_is_none(tmp_path: Path) -> None:
    assert hottest_c(tmp_path) is None
    assert resident_bytes(tmp_path / "absent") is None
    assert free_bytes(tmp_path / "absent") is None


def test_memory_is_in_bytes(tmp_path: Path) -> None:
    statm = tmp_path / "statm"
    statm.write_text("1000 50 30 1 0 100 0\n")
    assert resident_bytes(statm) == 50 * os.sysconf("SC_PAGE_SIZE")
    found = resident_bytes()
    assert found is not None
    assert 20 * 2**20 < found < 2**36


def test_the_least_that_a_control_group_or_one_above_it_allows_counts(tmp_path: Path) -> None:
    own, limits = tmp_path / "cgroup", tmp_path / "limits"
    unit = limits / "system.slice" / "cell.service"
    unit.mkdir(parents=True)
    own.write_text("0::/system.slice/cell.service\n")
    assert memory_max(limits, own) is None
    (unit / "memory.max").write_text("max\n")
    (tmp_path / "memory.max").write_text("1\n")
    assert memory_max(limits, own) is None, "no limit, and what lies outside is nobody's"
    (unit / "memory.max").write_text("2000\n")
    assert memory_max(limits, own) == 2000
    (limits / "system.slice" / "memory.max").write_text("1500\n")
    assert memory_max(limits, own) == 1500
    own.write_text("1:name=systemd:/\n")
    assert memory_max(limits, own) is None
    assert memory_max(limits, tmp_path / "absent") is None
    assert memory_left() is not None


def test_this_machine_answers(tmp_path: Path) -> None:
    machine = look_at_machine(tmp_path)
    assert machine.disk_free_bytes is not None
    assert machine.disk_free_bytes > 0
    assert machine.clock_synced in {True, False, None}
