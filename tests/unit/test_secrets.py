"""Tokens and passwords: read from where only the right user reads them, and refused by the key that names them."""

from pathlib import Path

import pytest

from edge.errors import BadConfig
from edge.host.secrets import SHORTEST_TOKEN, read_password, read_token

TOKEN = "k" * SHORTEST_TOKEN


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


def test_a_token_is_read_from_its_file_or_its_credential_without_blanks_around_it(folder: Path) -> None:
    (folder / "token").write_text(f"  {TOKEN}\r\n")
    assert read_token(str(folder / "token"), None, "page.token") == TOKEN
    assert read_token(None, "token", "page.token") == TOKEN
    assert read_token(None, None, "page.token") is None


def test_a_password_keeps_its_blanks_and_may_be_short(folder: Path) -> None:
    (folder / "word").write_text(" pw \n")
    assert read_password(str(folder / "word"), None) == " pw "


@pytest.mark.parametrize("content", [b"", b"\n", b"k" * (SHORTEST_TOKEN - 1) + b" " * 8])
def test_a_token_that_can_be_guessed_is_refused_by_the_key_that_names_it(folder: Path, content: bytes) -> None:
    (folder / "token").write_bytes(content)
    with pytest.raises(BadConfig, match=r"^source\.http\.token_file: the token has \d+ characters; make one of at least 16"):
        read_token(str(folder / "token"), None, "source.http.token")
    with pytest.raises(BadConfig, match=r"^page\.token_credential: the token has \d+ characters"):
        read_token(None, "token", "page.token")


def test_a_credential_that_systemd_does_not_pass_is_refused_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(BadConfig, match=r"^source\.http\.token_credential: .*LoadCredential=trigger:FILE"):
        read_token(None, "trigger", "source.http.token")
