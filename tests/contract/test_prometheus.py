"""The endpoint for Prometheus: what it says, who may hear it, and how it ends."""

import json
import signal
import socket
import struct
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge.capture.sources import Fault, Feed
from edge.check import check_station
from edge.config import load_config
from edge.errors import BadConfig
from edge.health.ask import ask_station, troubles
from edge.health.config import PrometheusConfig
from edge.health.endpoint import serving
from edge.health.message import Health
from edge.health.trial import try_endpoint
from edge.host.clock import utc_now
from edge.loop import Line
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.books import Loss
from edge.types import Reason
from tests.brokers import HOST, answering, free_port, wait_until
from tests.cameras import MjpegCamera
from tests.commands import goodpart
from tests.conftest import part_picture, station_file, write_parts
from tests.devices import Device
from tests.lines import BAD, GOOD, LOST, Books, Fed, checkup_of, line_of, tell
from tests.results import STATION

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def recipe(recipe_dir: Path) -> Recipe:
    return open_recipe(recipe_dir)


def scraped(port: int, host: str = HOST) -> Samples:
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def busy(recipe: Recipe) -> tuple[Line, Books]:
    sink = Books("mqtt", carried=2)
    frozen = Fault(Reason.FROZEN, "the last 20 frames are equal")
    feed = Feed(up=True, since_s=0.0, losses=1, frames=50, dropped=7, fault=frozen, freeze_told=True)
    line = line_of(recipe, (sink, Books("results")), Fed(feed))
    for number, verdict in enumerate((GOOD,) * 20 + (BAD,) * 3 + (LOST,)):
        tell(line, verdict, taken_s=0.0, began_s=0.0, ended_s=0.001 * number)
    tell(line, BAD, sample=True)
    sink.deliver(15)
    sink.lose(4, Loss.EVICTED_OK)
    return line, sink


def test_what_prometheus_reads_is_what_the_board_says(busy: tuple[Line, Books], tmp_path: Path) -> None:
    checkup = checkup_of(busy[0], tmp_path)
    port = free_port()
    with serving(PrometheusConfig(port=port), checkup):
        found = scraped(port)
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=30) as answer:
            direct = Health.model_validate_json(answer.read())
    health = checkup.health()

    def value(name: str, **labels: str) -> float:
        return found[f"goodpart_{name}", tuple(sorted(labels.items()))]

    for kind, counts in (("parts", health.parts), ("samples", health.samples)):
        assert {(labels, count) for (name, labels), count in found.items() if name == f"goodpart_{kind}_total"} == {
            ((("reason", c.reason.value), ("verdict", c.verdict.value)), float(c.count)) for c in counts
        }
    for books in health.delivery:
        assert value("delivery_delivered_total", to=books.to) == books.delivered
        assert value("delivery_waiting", to=books.to) == books.waiting
        assert value("delivery_carried", to=books.to) == books.carried
        for loss in books.losses:
            assert value("delivery_lost_total", to=books.to, cause=loss.cause.value) == loss.count
    assert health.inspect_ms is not None
    for quantile, ms in (("0.5", health.inspect_ms.p50), ("0.95", health.inspect_ms.p95), ("0.99", health.inspect_ms.p99)):
        assert value("inspect_seconds", quantile=quantile) == pytest.approx(ms / 1000)
    assert value("inspect_seconds_count") == health.inspect_ms.count == 24
    assert value("inspect_seconds_sum") == pytest.approx(health.inspect_ms.sum / 1000)
    assert value("inspect_max_seconds") == pytest.approx(health.inspect_ms.max / 1000)
    assert (value("reconciles"), value("source_up"), value("source_losses_total")) == (1, 1, 1)
    assert (value("source_frames_total"), value("source_dropped_total")) == (50, 7)
    faults = {reason: value("source_fault", reason=reason) for reason in ("CAMERA_LOST", "FROZEN", "WRONG_SETTINGS")}
    assert faults == {"CAMERA_LOST": 0, "FROZEN": 1, "WRONG_SETTINGS": 0}
    assert value("source_freeze_told") == 1
    assert {key for key in found if key[0] == "goodpart_info"} == {
        (
            "goodpart_info",
            (
                *(("area", "lab"), ("boot_id", health.boot_id), ("line", "line-1"), ("recipe_id", health.recipe_id)),
                *(("recipe_name", "plate"), ("site", "test"), ("station", "camera-1")),
            ),
        )
    }
    assert found["process_resident_memory_bytes", ()] > 2**20
    assert (direct.parts, direct.delivery) == (health.parts, health.delivery)


def test_each_scrape_reads_anew_and_the_port_is_free_when_the_line_ends(busy: tuple[Line, Books]) -> None:
    line, sink = busy
    port = free_port()
    with serving(PrometheusConfig(port=port), checkup_of(line)):
        before = scraped(port)["goodpart_delivery_waiting", (("to", "mqtt"),)]
        sink.deliver(3)
        assert scraped(port)["goodpart_delivery_waiting", (("to", "mqtt"),)] == before - 3
    with socket.socket() as again:
        assert again.connect_ex((HOST, port)) != 0


def test_a_caller_that_breaks_off_leaves_no_trace(busy: tuple[Line, Books], capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with serving(PrometheusConfig(port=port), checkup_of(busy[0])):
        for said in (b"", b"GET /metr"):
            rude = socket.create_connection((HOST, port))
            rude.sendall(said)
            # Closing sends a reset.
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            rude.close()
        assert scraped(port)["goodpart_reconciles", ()] == 1
    assert capfd.readouterr().err == ""


def test_a_taken_port_is_one_sentence(busy: tuple[Line, Books]) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        config = PrometheusConfig(port=port)
        with pytest.raises(BadConfig, match=rf"^prometheus: {HOST}:{port} cannot be .*choose another prometheus\.port\.$"):
            serving(config, checkup_of(busy[0])).__enter__()


def test_the_newer_addresses_serve_too(busy: tuple[Line, Books]) -> None:
    port = free_port()
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(PrometheusConfig(port=port, host="::1"), checkup_of(busy[0])):
        assert scraped(port, "[::1]")["goodpart_reconciles", ()] == 1


def test_without_its_package_the_endpoint_is_refused_with_the_mend(
    recipe_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = tmp_path / "absent"
    absent.mkdir()
    (absent / "prometheus_client.py").write_text("raise ModuleNotFoundError('absent', name='prometheus_client')\n")
    monkeypatch.setenv("PYTHONPATH", str(absent), prepend=":")
    config = station_file(
        tmp_path,
        recipe_dir,
        {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 301)))},
        results={"path": "results.jsonl"},
        prometheus={"port": free_port()},
    )
    assert "goodpart[metrics]" in goodpart("run", config).sentence
    assert not (tmp_path / "results.jsonl").read_text()


def test_a_station_without_a_broker_is_asked_at_its_endpoint_and_a_lost_camera_is_told(
    recipe_dir: Path, tmp_path: Path
) -> None:
    with MjpegCamera(part_picture(300)) as camera:
        source = {"kind": "camera", "device": camera.url, "interval_s": 0.02, "timeout_s": 0.5}
        port = free_port()
        config = station_file(
            tmp_path, recipe_dir, source, results={"path": "results.jsonl"}, prometheus={"port": port}, threads=1
        )
        off = ask_station(load_config(config))
        assert (off.state, troubles(off, utc_now())[0]) == ("offline", "the station is offline")
        with Device(config) as device:
            wait_until(lambda: not troubles(ask_station(load_config(config)), utc_now()), "a healthy station")
            camera.running = False
            device.wait_for_line("is lost")
            ended = goodpart("status", config, "--json")
            lost = scraped(port)
            device.send(signal.SIGTERM)
            assert device.ended() == 0
    found = json.loads(ended.out)
    assert ended.code == 1
    source_health = found["health"]["source"]
    since = f"no pictures from its camera source for {source_health['for_s']:.0f} s"
    assert found["troubles"] == [f"{since}: {source_health['fault_detail']}"]
    assert lost["goodpart_source_up", ()] == 0
    assert lost["goodpart_source_fault", (("reason", "CAMERA_LOST"),)] == 1
    assert lost["goodpart_parts_total", (("reason", "CAMERA_LOST"), ("verdict", "NOT_DECIDABLE"))] >= 1


def test_somebody_else_at_the_port_is_not_the_station(recipe_dir: Path, busy: tuple[Line, Books], tmp_path: Path) -> None:
    def asked(port: int) -> str | None:
        station = tmp_path / f"{port}"
        station.mkdir()
        path = station_file(
            station, recipe_dir, {"kind": "folder", "path": "."}, results={"path": "r"}, prometheus={"port": port}
        )
        other = path.read_text().replace("camera-1", "camera-2")
        path.write_text(other)
        return ask_station(load_config(path)).state

    with answering(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nhello") as (port, _):
        assert asked(port) == "offline"
    port = free_port()
    with serving(PrometheusConfig(port=port), checkup_of(busy[0])):
        assert asked(port) == "offline"


def test_check_tries_the_port_and_knows_its_own_station_at_it(busy: tuple[Line, Books], tmp_path: Path) -> None:
    port = free_port()
    config = PrometheusConfig(port=port)
    assert "can be listened at" in try_endpoint(config, STATION)
    with serving(config, checkup_of(busy[0], tmp_path)):
        assert "answered by this station" in try_endpoint(config, STATION)
        with pytest.raises(BadConfig, match=r"choose another prometheus\.port"):
            try_endpoint(config, STATION.model_copy(update={"station": "camera-2"}))
    with answering(b"HTTP/1.1 404 Not Found\r\n\r\n") as (taken, _), pytest.raises(BadConfig, match="in use"):
        try_endpoint(PrometheusConfig(port=taken), STATION)


def test_check_says_whether_the_endpoint_can_be_opened(recipe_dir: Path, tmp_path: Path) -> None:
    source: dict[str, object] = {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 301)))}
    with answering(b"") as (taken, _):
        config = station_file(tmp_path, recipe_dir, source, results={"path": "r.jsonl"}, prometheus={"port": taken})
        failed = {finding.what for finding in check_station(config) if not finding.ok}
    assert failed == {"prometheus"}
