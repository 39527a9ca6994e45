"""Sparkplug B as a host hears it over a real broker, read with a schema that is not ours."""

import json
import logging
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from esio_spb_builder.core import sparkplug_b_pb2 as tahu

from edge.report.books import Account, Loss
from edge.report.sparkplug.node import MAX_WAITING
from edge.types import Decision, Reason
from tests.brokers import HOST, Mosquitto, answering, free_port, wait_until
from tests.conftest import station_file, write_parts
from tests.devices import Device
from tests.results import result
from tests.sparkplug import HostEar, ask_rebirth, host_says, say, speaking

LOST = {"verdict": Decision.NOT_DECIDABLE, "reason": Reason.CAMERA_LOST, "score": None, "margin": None}
ONLINE, OFFLINE = '{"online": true, "timestamp": 20}', '{"online": false, "timestamp": 30}'


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_births_come_first_and_every_result_follows_by_alias(tmp_path: Path, protocol: str) -> None:
    given = result(1).model_copy(update={"job_id": "job-7", "threshold_command_id": "mes-12"})
    with Mosquitto(tmp_path) as broker, HostEar(broker) as host:
        with speaking(tmp_path, broker.port, protocol=protocol) as node:
            host.wait_for("DBIRTH")
            node.put(given)
            host.wait_for("DDATA")
        host.wait_for("NDEATH")
        assert node.waiting + node.lost == 0
        assert node.counts() == Account("sparkplug", delivered=1, losses={Loss.OVERFLOWED: 0})
    assert host.verbs() == ["NBIRTH", "DBIRTH", "DDATA", "DDEATH", "NDEATH"]
    birth, device, data, gone, death = host.heard
    assert birth.topic == "spBv1.0/Plant 1/NBIRTH/line-1"
    assert data.topic == "spBv1.0/Plant 1/DDATA/line-1/camera-1"
    assert [m.payload.seq for m in (birth, device, data, gone)] == [0, 1, 2, 3]
    assert not death.payload.HasField("seq")
    # A subscriber gets the lower of both qualities of service; ours was 1.
    assert [m.qos for m in host.heard] == [0, 0, 0, 0, 1]
    assert not any(m.retained for m in host.heard)
    assert all(m.payload.timestamp for m in host.heard)
    assert death.by_name() == {"bdSeq": birth.by_name()["bdSeq"]}
    assert {m.name: m.datatype for m in birth.payload.metrics}["bdSeq"] == tahu.Int64
    assert birth.by_name()["Node Control/Rebirth"] is False
    assert len({m.alias for m in device.payload.metrics}) == len(device.payload.metrics)
    assert all(m.datatype for m in device.payload.metrics)
    assert set(device.by_name().values()) == {None}
    assert not any(m.HasField("name") or m.HasField("datatype") for m in data.payload.metrics)
    assert data.by_alias(device) == {
        "Verdict": "OK",
        "Reason": "WITHIN_THRESHOLD",
        "Detail": "",
        "Score": 1.0,
        "Threshold": 2.0,
        "Margin": -0.5,
        "Part ID": "part-1",
        "Result ID": given.result_id,
        "Recipe": "plate",
        "Recipe ID": "0" * 64,
        "Duration ms": 10.0,
        "Purpose": None,
        "Sample": None,
        "Origin": "replay",
        "Job ID": "job-7",
        "Threshold command ID": "mes-12",
    }
    assert {m.timestamp for m in data.payload.metrics} == {round(given.taken_utc.timestamp() * 1000)}
    assert not data.historical


def test_seq_goes_on_at_0_after_255(tmp_path: Path) -> None:
    many = 600
    with Mosquitto(tmp_path) as broker, HostEar(broker) as host, speaking(tmp_path, broker.port) as node:
        for n in range(many):
            node.put(result(n))
        host.wait_for("DDATA", many)
        assert [m.payload.seq for m in host.heard] == [n % 256 for n in range(many + 2)]
        birth = host.of("DBIRTH")[0]
        assert [m.by_alias(birth)["Part ID"] for m in host.of("DDATA")] == [f"part-{n}" for n in range(many)]


def test_a_rebirth_begins_again_with_the_current_values_and_the_same_bdseq(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, HostEar(broker) as host, speaking(tmp_path, broker.port) as node:
        node.put(result(1))
        host.wait_for("DDATA")
        ask_rebirth(broker)
        device = host.wait_for("DBIRTH", 2)[1]
        node.put(result(2))
        data = host.wait_for("DDATA", 2)[1]
        first, second = host.of("NBIRTH")
        assert second.payload.seq == 0
        assert second.by_name()["bdSeq"] == first.by_name()["bdSeq"]
        assert (device.payload.seq, device.by_name()["Part ID"]) == (1, "part-1")
        assert (data.payload.seq, data.by_alias(device)["Part ID"], data.historical) == (2, "part-2", False)


def test_rebirths_in_the_middle_of_many_results_leave_no_gap_and_no_result_out(tmp_path: Path) -> None:
    many = 500
    with Mosquitto(tmp_path) as broker, HostEar(broker) as host, speaking(tmp_path, broker.port) as node:
        host.wait_for("DBIRTH")
        for n in range(many):
            node.put(result(n))
            if n % 100 == 50:
                ask_rebirth(broker)
        host.wait_for("DDATA", many)
        # Requests that come together are answered together.
        host.wait_for("DBIRTH", 2)
        seq = 0
        for heard in host.heard:
            seq = 0 if heard.verb == "NBIRTH" else (seq + 1) % 256
            assert heard.payload.seq == seq
        birth = host.of("DBIRTH")[0]
        assert [m.by_alias(birth)["Part ID"] for m in host.of("DDATA")] == [f"part-{n}" for n in range(many)]


def test_a_command_that_is_no_sparkplug_is_ignored_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Mosquitto(tmp_path) as broker, HostEar(broker) as host, speaking(tmp_path, broker.port):
        host.wait_for("DBIRTH")
        for payload in (b"\xff\xff", b"\xff", tahu.Payload(timestamp=1).SerializeToString()):
            say(broker, "spBv1.0/Plant 1/NCMD/line-1", payload)
        ask_rebirth(broker)
        host.wait_for("DBIRTH", 2)
        assert host.verbs() == ["NBIRTH", "DBIRTH"] * 2
    assert len(errors(caplog)) == 1
    assert "NCMD/line-1: not understood" in errors(caplog)[0]


def test_nothing_is_said_before_the_primary_host_is_online_and_what_waited_is_historical(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, HostEar(broker) as host, speaking(tmp_path, broker.port, host="scada") as node:
        for n in range(3):
            node.put(result(n))
        wait_until(lambda: node.waiting + node.lost == 3, "results to wait")
        host_says(broker, OFFLINE.replace("30", "10"))
        assert host.heard == []
        host_says(broker, ONLINE)
        host.wait_for("DDATA", 3)
        node.put(result(3))
        late = host.wait_for("DDATA", 4)
        device = host.of("DBIRTH")[0]
        assert device.by_name()["Part ID"] == "part-2"
        assert [(m.by_alias(device)["Part ID"], m.historical) for m in late] == [
            ("part-0", True),
            ("part-1", True),
            ("part-2", True),
            ("part-3", False),
        ]


def test_a_session_ends_with_its_primary_host_and_another_one_begins_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Mosquitto(tmp_path) as broker, HostEar(broker) as host:
        host_says(broker, ONLINE)
        with speaking(tmp_path, broker.port, host="scada") as node:
            host.wait_for("DBIRTH")
            # Older than what was heard last, such as the will of a connection that is over.
            host_says(broker, OFFLINE.replace("30", "10"))
            node.put(result(1))
            host.wait_for("DDATA")
            assert host.of("NDEATH") == []
            host_says(broker, OFFLINE)
            host.wait_for("NDEATH")
            node.put(result(2))
            assert node.waiting + node.lost == 1
            host_says(broker, ONLINE.replace("20", "40"))
            host.wait_for("DDATA", 2)
        first, second = host.of("NBIRTH")
        assert second.by_name()["bdSeq"] == first.by_name()["bdSeq"] + 1
        assert host.of("NDEATH")[0].by_name()["bdSeq"] == first.by_name()["bdSeq"]
        assert [m.historical for m in host.of("DDATA")] == [False, True]
    assert errors(caplog) == []
    assert [r.getMessage() for r in caplog.records].count("sparkplug: the primary host scada is offline; results wait") == 1


def test_what_is_judged_while_the_broker_is_away_is_historical_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Mosquitto(tmp_path)
    with broker, speaking(tmp_path, broker.port, host="scada") as node:
        with HostEar(broker) as host:
            host_says(broker, ONLINE)
            first = host.wait_for("NBIRTH")[0]
            broker.send(signal.SIGKILL)
        wait_until(lambda: "connection lost" in caplog.text, "the loss")
        for n in range(3):
            node.put(result(n))
        broker.start()
        with HostEar(broker) as host:
            # Retained by nobody after the kill, so the ear is there before the birth.
            host_says(broker, ONLINE)
            late = host.wait_for("DDATA", 3)
            assert host.of("NBIRTH")[0].by_name()["bdSeq"] == first.by_name()["bdSeq"] + 1
            assert all(m.historical for m in late)
    assert len(errors(caplog)) == 1
    assert caplog.text.count("is back") == 1


def test_a_lost_camera_is_the_death_of_the_device_and_its_next_part_a_birth(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, HostEar(broker) as host, speaking(tmp_path, broker.port) as node:
        host.wait_for("DBIRTH")
        node.put(result(1).model_copy(update=LOST))
        host.wait_for("DDEATH")
        node.put(result(2))
        host.wait_for("DDATA", 2)
        assert host.verbs() == ["NBIRTH", "DBIRTH", "DDATA", "DDEATH", "DBIRTH", "DDATA"]
        assert [m.payload.seq for m in host.heard] == list(range(6))
        device = host.of("DBIRTH")[1]
        lost = host.of("DDATA")[0].by_alias(device)
        assert (lost["Reason"], lost["Score"], lost["Margin"]) == ("CAMERA_LOST", None, None)
        assert device.by_name()["Part ID"] == "part-2"


def test_beyond_its_memory_results_are_counted_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with speaking(tmp_path, free_port(), close_s=0.0) as node:
        for n in range(MAX_WAITING + 5):
            node.put(result(n))
    assert node.waiting + node.lost == MAX_WAITING + 5
    assert sum("are waiting already" in line for line in errors(caplog)) == 1
    assert sum("were not sent within" in line for line in errors(caplog)) == 1


@pytest.mark.parametrize("answer", [b"", b"\x20\x03\x00\x00\x00"], ids=["before it accepts", "after it accepted"])
def test_a_broker_that_falls_silent_holds_up_neither_the_line_nor_the_end(tmp_path: Path, answer: bytes) -> None:
    with answering(answer, stay=True) as (port, calls), speaking(tmp_path, port, close_s=0.1) as node:
        wait_until(lambda: calls, "the connection")
        putter = threading.Thread(target=lambda: [node.put(result(n)) for n in range(1000)], daemon=True)
        putter.start()
        putter.join(30)
        assert not putter.is_alive()


@dataclass(frozen=True)
class Station:
    """A device with Sparkplug beside the native topics."""

    config: Path
    incoming: Path


def station(tmp_path: Path, recipe: Path, broker: Mosquitto, **more: Any) -> Station:
    incoming = tmp_path / "incoming"
    source = {"kind": "watch", "path": str(incoming), "poll_s": 0.01}
    sparkplug = {"group": "Plant 1", "edge_node": "line-1", "device": "camera-1", **more}
    results = {"path": str(tmp_path / "results.jsonl")}
    mqtt = {"host": HOST, "port": broker.port}
    config = station_file(tmp_path, recipe, source, mqtt=mqtt, results=results, sparkplug=sparkplug)
    return Station(config, incoming)


def test_after_a_kill_the_will_has_the_bdseq_of_the_birth_and_the_next_birth_has_another(
    recipe_dir: Path, tmp_path: Path
) -> None:
    with Mosquitto(tmp_path) as broker, HostEar(broker) as host:
        made = station(tmp_path, recipe_dir, broker)
        write_parts(made.incoming, range(300, 302))
        with Device(made.config) as device:
            host.wait_for("DDATA", 2)
            device.send(signal.SIGKILL)
            host.wait_for("NDEATH")
        with Device(made.config) as device:
            host.wait_for("DBIRTH", 2)
            device.send(signal.SIGTERM)
            assert device.ended() == 0
        host.wait_for("NDEATH", 2)
    assert [m.by_name()["bdSeq"] for m in host.heard if m.verb in {"NBIRTH", "NDEATH"}] == [0, 0, 1, 1]
    told = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    birth = host.of("DBIRTH")[0]
    assert [(m.by_alias(birth)["Result ID"], m.by_alias(birth)["Score"]) for m in host.of("DDATA")] == [
        (r["result_id"], r["score"]) for r in told
    ]
    assert (tmp_path / "sparkplug-Plant 1-line-1.bdseq").read_text() == "1\n"


def test_a_host_that_stays_away_is_told_as_not_delivered(recipe_dir: Path, tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        made = station(tmp_path, recipe_dir, broker, primary_host="scada")
        text = json.loads(made.config.read_text())
        text["mqtt"]["close_s"] = 0.1
        made.config.write_text(json.dumps(text))
        write_parts(made.incoming, range(300, 301))
        with Device(made.config) as device:
            wait_until((made.incoming / "processed" / "part-300.png").exists, "the part to be judged")
            device.send(signal.SIGTERM)
            assert device.ended() == 1
    assert "the primary host scada is not online" in device.err
    assert "1 lost, 0 waiting" in device.err
