"""The pieces of the Sparkplug output, without a network."""

import subprocess
import sys
from pathlib import Path

import pytest
from esio_spb_builder.core import sparkplug_b_pb2 as tahu
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.check import check_station
from edge.config import load_config
from edge.errors import BadConfig
from edge.report.sparkplug.counter import BirthCounter
from edge.report.sparkplug.host import PrimaryHost
from edge.report.sparkplug.payload import Kind, Metric, booleans, encode
from tests.brokers import Mosquitto
from tests.conftest import station_file, write_parts
from tests.sparkplug import value_of

STATION = (
    "station: {site: a, area: b, line: c, station: d}\nrecipe: r\nsource: {kind: folder, path: p}\nresults: {path: o}\n"
)
NUMBER = st.integers(0, 2**63 - 1)
VALUES = st.one_of(
    st.tuples(st.just(Kind.INT64), NUMBER),
    st.tuples(st.just(Kind.DOUBLE), st.floats(allow_nan=False)),
    st.tuples(st.just(Kind.BOOLEAN), st.booleans()),
    st.tuples(st.just(Kind.STRING), st.text()),
    st.tuples(st.sampled_from(Kind), st.none()),
)
METRICS = st.builds(
    lambda name, kv, at, alias, late: Metric(name, kv[0], kv[1], at, alias, late),
    st.text(min_size=1),
    VALUES,
    NUMBER,
    st.none() | NUMBER,
    st.booleans(),
)


@settings(max_examples=50)
@given(metrics=st.lists(METRICS, max_size=5), sent=NUMBER, seq=st.none() | st.integers(0, 255), birth=st.booleans())
def test_what_is_written_is_read_with_the_schema_of_tahu(
    metrics: list[Metric], sent: int, seq: int | None, birth: bool
) -> None:
    read = tahu.Payload.FromString(encode(metrics, sent_ms=sent, seq=seq, birth=birth))
    assert read.timestamp == sent
    assert (read.seq if read.HasField("seq") else None) == seq
    assert len(read.metrics) == len(metrics)
    for told, metric in zip(read.metrics, metrics, strict=True):
        assert value_of(told) == metric.value
        assert told.timestamp == metric.at_ms
        assert (told.alias if told.HasField("alias") else None) == metric.alias
        assert told.is_historical == metric.historical
        assert (told.name, told.datatype) == ((metric.name, metric.kind) if birth else ("", 0))


def test_our_types_have_the_numbers_of_tahu() -> None:
    assert {kind.name: int(kind) for kind in Kind} == {
        "INT64": tahu.Int64,
        "DOUBLE": tahu.Double,
        "BOOLEAN": tahu.Boolean,
        "STRING": tahu.String,
    }


def test_a_command_with_what_we_do_not_know_is_read_all_the_same() -> None:
    payload = tahu.Payload(timestamp=1, uuid="x", body=b"y")
    payload.metrics.add(name="Node Control/Rebirth", boolean_value=True).properties.keys.append("Quality")
    payload.metrics.add(name="Rate", int_value=3)
    assert booleans(payload.SerializeToString()) == {"Node Control/Rebirth": True}


def test_births_are_counted_through_restarts_from_0_to_255_and_again(tmp_path: Path) -> None:
    path = tmp_path / "bdseq"
    assert [BirthCounter(path).next() for _ in range(3)] == [0, 1, 2]
    path.write_text("254\n")
    counter = BirthCounter(path)
    assert [counter.next() for _ in range(3)] == [255, 0, 1]


@pytest.mark.parametrize("content", ["", "256", "-1", "one", "²", "1\n2"])
def test_a_count_that_is_none_is_refused_with_its_key(tmp_path: Path, content: str) -> None:
    (tmp_path / "bdseq").write_text(content)
    with pytest.raises(BadConfig, match=r"sparkplug\.bdseq_file: .* from 0 to 255; remove it"):
        BirthCounter(tmp_path / "bdseq")


def test_a_folder_that_is_not_there_is_refused_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"sparkplug\.bdseq_file: .*choose another place"):
        BirthCounter(tmp_path / "absent" / "bdseq")


def test_a_disk_that_refuses_later_is_said_once_and_the_count_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counter = BirthCounter(tmp_path / "bdseq")
    counter.next()
    (tmp_path / "bdseq").unlink()
    (tmp_path / "bdseq").mkdir()
    assert [counter.next(), counter.next()] == [1, 2]
    assert len(caplog.records) == 1


def test_a_host_is_online_by_its_last_word_and_not_by_an_older_one() -> None:
    host = PrimaryHost("scada")
    assert not host.online
    for online, at, expected in ((True, 5, True), (False, 4, True), (False, 5, False), (True, 6, True)):
        host.hear(f'{{"online": {str(online).lower()}, "timestamp": {at}, "more": 1}}'.encode())
        assert host.online is expected
    host.forget()
    assert not host.online
    assert PrimaryHost(None).online


@pytest.mark.parametrize("word", [b"ONLINE", b"{}", b'{"online": 1, "timestamp": 2}', b"\xff"])
def test_a_state_of_another_version_is_not_understood(word: bytes) -> None:
    with pytest.raises(ValueError, match=r"^\S.*: "):
        PrimaryHost("scada").hear(word)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("sparkplug: {group: a/b, edge_node: e, device: d}", "sparkplug.group"),
        ("sparkplug: {group: g, edge_node: e, device: d+}", "sparkplug.device"),
        ("sparkplug: {group: g, edge_node: e}", "sparkplug.device: missing"),
        ("sparkplug: {group: g, edge_node: e, device: d}", "sparkplug goes to the broker of mqtt, which is missing"),
        ("home_assistant: {}", "home_assistant goes to the broker of mqtt, which is missing"),
        ("mqtt: {host: h}\nhome_assistant: {prefix: 'a/b'}", "home_assistant.prefix"),
    ],
)
def test_a_mistake_in_the_station_file_is_named_with_its_key(tmp_path: Path, more: str, says: str) -> None:
    (tmp_path / "station.yaml").write_text(STATION + more)
    with pytest.raises(BadConfig) as caught:
        load_config(tmp_path / "station.yaml")
    assert says in str(caught.value)


def test_births_are_counted_where_the_service_keeps_its_state_or_beside_the_station_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "station.yaml"

    def file_of(more: str) -> str | None:
        path.write_text(STATION + "mqtt: {host: h}\nsparkplug: {group: g, edge_node: e, device: d" + more + "}")
        config = load_config(path).sparkplug
        assert config
        return config.bdseq_file

    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert file_of("") == str(tmp_path / "sparkplug-g-e.bdseq")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/goodpart/cell")
    assert file_of("") == "/var/lib/goodpart/cell/sparkplug-g-e.bdseq"
    assert file_of(", bdseq_file: count") == str(tmp_path / "count")


def _station(tmp_path: Path, recipe: Path, port: int, **more: object) -> Path:
    source: dict[str, object] = {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 301)))}
    sparkplug = {"group": "G", "edge_node": "E", "device": "D", **more}
    return station_file(tmp_path, recipe, source, mqtt={"host": "127.0.0.1", "port": port}, sparkplug=sparkplug)


def test_check_says_whether_it_can_start(recipe_dir: Path, tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        config = _station(tmp_path, recipe_dir, broker.port, primary_host="scada")
        found = {f.what: f for f in check_station(config)}
        assert found["sparkplug"].ok
        assert "spBv1.0/G/+/E/D, born when scada is online" in found["sparkplug"].detail
        (tmp_path / "sparkplug-G-E.bdseq").write_text("many")
        found = {f.what: f for f in check_station(config)}
        assert not found["sparkplug"].ok


@pytest.mark.parametrize("command", ["run", "check"])
def test_without_its_extra_one_sentence_names_it(recipe_dir: Path, tmp_path: Path, command: str) -> None:
    config = _station(tmp_path, recipe_dir, 1)
    code = "import sys; sys.modules['google.protobuf'] = None; from edge.cli import main; main()"
    ended = subprocess.run([sys.executable, "-c", code, command, config], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "sparkplug: needs protobuf: install 'goodpart[sparkplug]'." in ended.stdout + ended.stderr
