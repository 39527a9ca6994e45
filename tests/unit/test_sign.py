"""`goodpart sign`, as an engineer uses it."""

import json
import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.command.gatekeeper import Admitted, Request, admit
from edge.command.signing import open_public_key
from tests.asking import rules, wish
from tests.commands import goodpart
from tests.results import STATION

DRAFT: dict[str, Any] = {"command": "pause", "station": STATION.model_dump()}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "engineer.pem"
    ended = goodpart("sign", "--new-key", path)
    assert ended.code == 0
    assert "engineer.pem.pub" in ended.err
    return path


def write(folder: Path, document: object) -> Path:
    path = folder / "command.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_a_key_is_made_once_and_only_its_owner_may_read_it(key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    assert "cannot be written: File exists" in goodpart("sign", "--new-key", key).sentence
    assert key.read_bytes() == before


def test_what_is_missing_is_filled_in_and_the_station_takes_what_was_signed(key: Path, tmp_path: Path) -> None:
    ended = goodpart("sign", write(tmp_path, DRAFT), "--key", key, "--valid-s", 60)
    assert (ended.code, len(ended.out.splitlines())) == (0, 1)
    found = admit(Request(ended.out.encode(), 0.0), rules(signed=open_public_key(key.with_name("engineer.pem.pub"))))
    assert isinstance(found, Admitted), found
    assert found.command.expires_utc - found.command.issued_utc == timedelta(seconds=60)
    again = json.loads(goodpart("sign", tmp_path / "command.json", "--key", key).out)
    assert again["command_id"] != found.command.command_id


def test_what_is_there_stays(key: Path, tmp_path: Path) -> None:
    document = wish("pause")
    signed = json.loads(goodpart("sign", write(tmp_path, document), "--key", key).out)
    assert {k: v for k, v in signed.items() if k != "signature"} == document
    assert datetime.fromisoformat(signed["issued_utc"])


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("nonsense", "not JSON"),
        ('{"command": "pause", "command": "resume"}', "twice"),
        ({"command": "pause"}, "station: Field required"),
        (DRAFT | {"command": "reboot"}, "command"),
        (DRAFT | {"signature": "A" * 86 + "=="}, "signed already"),
    ],
)
def test_what_is_no_command_is_not_signed(key: Path, tmp_path: Path, document: object, says: str) -> None:
    assert says in goodpart("sign", write(tmp_path, document), "--key", key).sentence


def test_keys_and_arguments_that_do_not_fit_are_one_sentence(key: Path, tmp_path: Path) -> None:
    command = write(tmp_path, DRAFT)
    assert "no Ed25519 private key" in goodpart("sign", command, "--key", f"{key}.pub").sentence
    assert "cannot be read" in goodpart("sign", command, "--key", tmp_path / "absent").sentence
    assert "give either" in goodpart("sign", command).sentence
    assert "give either" in goodpart("sign", command, "--new-key", tmp_path / "k").sentence
    assert "cannot be read" in goodpart("sign", tmp_path / "absent.json", "--key", key).sentence


def test_keys_of_openssl_serve_too_and_openssl_agrees_about_what_was_signed(tmp_path: Path) -> None:
    private, public = tmp_path / "o.pem", tmp_path / "o.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True, capture_output=True)
    raw = goodpart("sign", write(tmp_path, DRAFT), "--key", private).out.encode()
    assert isinstance(admit(Request(raw, 0.0), rules(signed=open_public_key(public))), Admitted)


def test_without_the_extra_the_mend_is_named_and_unsigned_commands_need_none_of_it() -> None:
    code = """if True:
        import sys
        sys.modules["cryptography"] = None
        from edge.app.keys import make_key_verifier
        assert make_key_verifier("commands.public_key_file", None) is None
        try:
            make_key_verifier("commands.public_key_file", "k")
        except Exception as err:
            print(err)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "install 'goodpart[commands]'" in done.stdout
