"""What the doctor says, and of what."""

import errno
import json
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import edge  # noqa: F401 - it sets what the first test looks at
from edge.capture.config import CameraConfig, GenicamConfig
from edge.doctor.camera import try_camera, try_usb_cameras
from edge.doctor.certificates import try_certificates
from edge.doctor.native import try_native
from edge.doctor.sandbox import program_of, properties
from edge.doctor.speed import compare
from edge.doctor.storage import Claim, try_disks
from edge.doctor.surroundings import try_clock, try_memory, try_temperature
from edge.doctor.symptom import State
from edge.doctor.unit import judge_unit
from edge.host.machine import cpu_features
from edge.inspect.encoder import DEFAULT_ENCODER, read_encoder
from edge.report.broker import Broker
from edge.report.config import TlsConfig
from edge.report.tls import Tls, make_context
from tests.certificates import Authority
from tests.commands import goodpart
from tests.conftest import station_file

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_onnx_runtime_collects_nothing() -> None:
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_a_good_station_has_no_ills_and_a_broken_one_names_the_mend(
    recipe_dir: Path, test_set: Path, tmp_path: Path
) -> None:
    source: dict[str, object] = {"kind": "folder", "path": str(test_set / "good")}
    config = station_file(tmp_path, recipe_dir, source, results={"path": "results.jsonl"})
    well = goodpart("doctor", config, "--json")
    symptoms = {s["what"]: s for s in json.loads(well.out)}
    assert (well.code, well.err) == (0, "")
    assert {"packages", "recipe", "user", "cpu", "speed", "clock", "memory", "heat", "service"} <= symptoms.keys()
    assert "certificate says" in symptoms["speed"]["detail"]
    camera: dict[str, object] = {"kind": "camera", "device": str(tmp_path / "video9")}
    ill = goodpart("doctor", station_file(tmp_path, recipe_dir, camera, results={"path": "results.jsonl"}))
    assert ill.code == 2
    assert "FAIL  camera    source.device:" in ill.out


def test_a_package_for_another_cpu_is_named_and_the_doctor_lives() -> None:
    found = try_native("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert found.state is State.ILL
    assert "hnswlib was compiled for another CPU" in found.detail
    assert "No module named 'nothing'" in try_native("import nothing").detail


def test_a_camera_that_is_missing_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-Maker_Camera-video-index0").touch()
    [found] = try_camera(CameraConfig(kind="camera", device=str(tmp_path / "gone")), by_id)
    assert found.state is State.ILL
    assert f"Cameras here: {by_id}/usb-maker_camera-video-index0".lower() in found.detail.lower()


@pytest.fixture
def usb(tmp_path: Path) -> tuple[Path, Path]:
    """A USB3 Vision camera, number 7 on bus 2, and a mouse, as sysfs shows them."""
    devices, nodes = tmp_path / "devices", tmp_path / "nodes"
    for name, number, kind in (("2-1", 7, ("ef", "05")), ("1-4", 3, ("03", "01"))):
        for folder, files in (
            (name, {"busnum": name[0], "devnum": str(number)}),
            (f"{name}:1.0", {"bInterfaceClass": kind[0], "bInterfaceSubClass": kind[1]}),
        ):
            (devices / folder).mkdir(parents=True)
            for file, content in files.items():
                (devices / folder / file).write_text(f"{content}\n")
    (nodes / "002").mkdir(parents=True)
    (nodes / "002" / "007").touch()
    return devices, nodes


GENICAM = GenicamConfig(kind="genicam", producer="/opt/maker/producer.cti")


def test_a_usb_camera_of_genicam_is_found_and_one_that_the_sandbox_hides_is_told_with_the_mend(
    usb: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    devices, nodes = usb
    camera = nodes / "002" / "007"
    assert [(s.state, str(camera) in s.detail) for s in try_usb_cameras(GENICAM, devices, nodes)] == [(State.WELL, True)]
    assert try_usb_cameras(CameraConfig(kind="camera", device=0), devices, nodes) == []

    def refusing(number: int) -> Callable[..., int]:
        def refuse(*_: object) -> int:
            raise OSError(number, os.strerror(number))

        return refuse

    for number, mend in (
        (errno.EPERM, "add DeviceAllow=char-usb_device rw in a drop-in"),
        (errno.EACCES, "install its maker's udev rule"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(os, "open", refusing(number))
            [found] = try_usb_cameras(GENICAM, devices, nodes)
        assert (found.state, mend in found.detail) == (State.ILL, True), found
    monkeypatch.setattr(socket, "socket", refusing(errno.EAFNOSUPPORT))
    [found] = try_usb_cameras(GENICAM, devices, nodes)
    assert (found.state, "RestrictAddressFamilies=AF_NETLINK" in found.detail) == (State.WORRY, True)
    camera.unlink()
    assert [s.state for s in try_usb_cameras(GENICAM, devices, nodes)] == [State.ILL]
    (devices / "2-1" / "devnum").unlink()
    assert try_usb_cameras(GENICAM, devices, nodes) == []


def test_int8_that_is_no_faster_is_a_worry() -> None:
    card = read_encoder(DEFAULT_ENCODER)[1]
    assert card.certificate.latency.shipped == pytest.approx(0.77, abs=0.01)
    states = [compare(card, 0.01 * ratio, 0.01).state for ratio in (0.77, 0.98, 1.1)]
    assert states == [State.WELL, State.WORRY, State.WORRY]


def test_quotas_of_one_disk_are_added_up(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    half = Claim("mqtt.outbox.quota_mb", tmp_path, round(free * 0.6), 0)
    other = Claim("evidence.quota_mb", tmp_path / "not" / "yet", round(free * 0.6), 0)
    assert try_disks([half])[0].state is State.WELL
    [both] = try_disks([half, other])
    assert (both.state, "mqtt.outbox.quota_mb + evidence.quota_mb" in both.detail) == (State.ILL, True)


def test_a_clock_before_the_recipe_is_wrong() -> None:
    assert try_clock(NOW, NOW - timedelta(days=1), synced=True).state is State.ILL
    assert try_clock(NOW, NOW + timedelta(days=1), synced=True).state is State.WELL
    assert try_clock(None, NOW, synced=False).state is State.WORRY


def test_heat_and_memory_are_read_from_the_kernel(tmp_path: Path) -> None:
    zone, cpu = tmp_path / "thermal_zone0", tmp_path / "cpu0" / "thermal_throttle"
    zone.mkdir()
    cpu.mkdir(parents=True)
    (zone / "temp").write_text("61000\n")
    assert try_temperature(tmp_path, tmp_path).state is State.WELL
    (cpu / "package_throttle_count").write_text("3\n")
    assert "3 times" in try_temperature(tmp_path, tmp_path).detail
    assert try_memory(10**6).state is State.ILL
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd\n")
    assert cpu_features(tmp_path / "cpuinfo") == {"fp", "asimd"}


@pytest.mark.parametrize(("days", "state"), [(400, State.WELL), (10, State.WORRY), (-1, State.ILL)])
def test_the_end_of_our_own_certificate_is_known_before_it_comes(tmp_path: Path, days: int, state: State) -> None:
    own = Authority(tmp_path / "ca", "plant").sign("camera", days=days)
    broker = Broker("127.0.0.1", 1, "5", "goodpart", "x", None, None, 0, make_context(Tls()))
    [found] = try_certificates(broker, TlsConfig(cert_file=str(own.cert), key_file=str(own.key)))
    assert found.state is state, found


def test_the_sandbox_is_the_units_with_its_drop_ins_and_nothing_of_how_it_is_started() -> None:
    unit = (Path(__file__).parents[2] / "systemd" / "goodpart@.service").read_text()
    found = properties(unit + "\n# drop-in\n[Service]\nReadWritePaths=/srv/in \\\n  /srv/out\n", "cell")
    assert "StateDirectory=goodpart/cell" in found
    assert "LoadCredential=mqtt-password:goodpart.cell.mqtt-password" in found
    assert "ProtectSystem=strict" in found
    assert [line.split() for line in found][-1] == ["ReadWritePaths=/srv/in", "/srv/out"]
    assert not [line for line in found if line.startswith(("Exec", "Restart", "Type", "Watchdog", "Wanted", "After", "#"))]
    assert program_of(unit) == "/opt/goodpart/bin/goodpart"


def test_a_service_that_nobody_watches_or_that_was_started_again_is_a_worry() -> None:
    good = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "WatchdogUSec": "30s"}
    good |= {"NRestarts": "0", "StatusText": "judging"}
    states = [
        judge_unit("x", good | odd).state
        for odd in ({}, {"WatchdogUSec": "0"}, {"NRestarts": "4"}, {"UnitFileState": "disabled"}, {"ActiveState": "failed"})
    ]
    assert states == [State.WELL, State.WORRY, State.WORRY, State.WORRY, State.ILL]
