"""TLS to a real Mosquitto under a private CA: who is trusted, who is let in, and what is said of the rest."""

import subprocess
from pathlib import Path

import pytest

from edge.check import check_station
from edge.errors import BadConfig
from edge.report.tls import Tls, make_context
from tests.brokers import HOST, Mosquitto, Subscriber, TlsMosquitto, wait_until
from tests.certificates import Authority
from tests.commands import goodpart
from tests.conftest import station_file, write_parts
from tests.devices import Device


@pytest.fixture(scope="module")
def plant_ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "plant")


def station(tmp_path: Path, recipe: Path, port: int, **tls: object) -> Path:
    parts = tmp_path / "parts"
    if not parts.exists():
        write_parts(parts, range(300, 302))
    mqtt = {"host": HOST, "port": port, "close_s": 3, "tls": {key: str(value) for key, value in tls.items()}}
    return station_file(tmp_path, recipe, {"kind": "folder", "path": str(parts)}, mqtt=mqtt)


def finding(config: Path) -> str:
    return next(f.detail for f in check_station(config) if f.what == "mqtt")


def test_results_arrive_over_tls_and_check_says_so(recipe_dir: Path, tmp_path: Path, plant_ca: Authority) -> None:
    broker = TlsMosquitto(tmp_path, plant_ca.sign("broker"))
    with broker, Subscriber(broker) as plant:
        config = station(tmp_path, recipe_dir, broker.port, ca_file=plant_ca.cert)
        assert "accepts the connection, MQTT 5, TLS" in finding(config)
        ended = goodpart("run", config)
        assert ended.code == 0, ended.err
        wait_until(lambda: len(plant.results()) == 2, "all results")


def test_a_client_certificate_lets_in_and_without_one_nobody_is(
    recipe_dir: Path, tmp_path: Path, plant_ca: Authority
) -> None:
    own = plant_ca.sign("camera")
    with TlsMosquitto(tmp_path, plant_ca.sign("broker"), clients_of=plant_ca) as broker:
        ca = {"ca_file": plant_ca.cert}
        assert "mqtt.tls.cert_file" in finding(station(tmp_path, recipe_dir, broker.port, **ca))
        with Device(tmp_path / "station.yaml") as device:
            assert device.ended() == 4
        assert "does it want mqtt.tls.cert_file?" in device.err
        config = station(tmp_path, recipe_dir, broker.port, **ca, cert_file=own.cert, key_file=own.key)
        ended = goodpart("run", config)
    assert ended.code == 0, ended.err
    assert "0 lost, 0 waiting" in ended.err


@pytest.mark.parametrize(
    ("signed", "says"),
    [
        ({"days": -1}, "has expired; renew it there"),
        ({"names": "DNS:broker.example"}, f"is not for '{HOST}'; set mqtt.host"),
        ({"by": "somebody"}, "CA that is not trusted here; name that CA's file in mqtt.tls.ca_file"),
    ],
    ids=["expired", "other name", "other CA"],
)
def test_a_certificate_that_is_not_right_is_one_line_with_the_mend(
    recipe_dir: Path, tmp_path: Path, plant_ca: Authority, signed: dict[str, object], says: str
) -> None:
    by = Authority(tmp_path / "ca", str(signed["by"])) if "by" in signed else plant_ca
    own = by.sign("wrong", **{key: value for key, value in signed.items() if key != "by"})  # type: ignore[arg-type] # as listed
    with TlsMosquitto(tmp_path, own) as broker:
        config = station(tmp_path, recipe_dir, broker.port, ca_file=plant_ca.cert)
        assert says in finding(config)
        with Device(config) as device:
            assert device.ended() == 4
    assert device.err.count(says) == 1
    assert "0 lost, 2 waiting in the outbox" in device.err


def test_a_port_without_tls_is_said_to_be(recipe_dir: Path, tmp_path: Path, plant_ca: Authority) -> None:
    with Mosquitto(tmp_path) as broker:
        found = finding(station(tmp_path, recipe_dir, broker.port, ca_file=plant_ca.cert))
    assert "does not speak TLS at this port" in found


def test_files_that_do_not_fit_are_refused_with_their_key(tmp_path: Path, plant_ca: Authority) -> None:
    one, other = plant_ca.sign("one"), plant_ca.sign("other")
    words = tmp_path / "words"
    words.write_text("hello")
    for tls, says in [
        (Tls(ca_file=tmp_path / "absent"), r"mqtt\.tls\.ca_file: .* cannot be read"),
        (Tls(ca_file=words), r"mqtt\.tls\.ca_file: .* holds no certificate"),
        (Tls(cert_file=one.cert, key_file=other.key), r"mqtt\.tls\.key_file: .* is not the key of"),
        (Tls(cert_file=one.cert, key_file=words), r"mqtt\.tls\.cert_file: "),
    ]:
        with pytest.raises(BadConfig, match=says):
            make_context(tls)


def test_an_encrypted_key_is_refused_instead_of_asking_a_terminal(tmp_path: Path, plant_ca: Authority) -> None:
    one = plant_ca.sign("locked")
    locked = tmp_path / "locked.key"
    command = ["openssl", "pkey", "-in", one.key, "-aes256", "-passout", "pass:word", "-out", locked]
    subprocess.run(command, check=True)
    with pytest.raises(BadConfig, match="is encrypted"):
        make_context(Tls(cert_file=one.cert, key_file=locked))
