"""The page is for this computer alone unless it is wanted elsewhere, and then it asks for a token."""

from pathlib import Path

import pytest

from edge.check import check_station
from edge.config import StationConfig, load_config
from edge.errors import BadConfig
from tests.commands import goodpart
from tests.conftest import station_file

EVERYWHERE = "0.0.0.0"  # noqa: S104 - refused, never bound to


def load(folder: Path, **page: object) -> StationConfig:
    source = {"kind": "folder", "path": "."}
    return load_config(station_file(folder, folder, source, results={"path": "r"}, page=page))


def test_it_listens_on_this_computer_and_keeps_its_journal_beside_the_station_file(tmp_path: Path) -> None:
    page = load(tmp_path, port=8080).page
    assert page
    assert (page.host, page.expose, page.wants_token) == ("127.0.0.1", False, False)
    assert page.decisions == str(tmp_path / "station.decisions.jsonl")


def test_under_systemd_the_journal_is_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    page = load(tmp_path, port=8080).page
    assert page
    assert page.decisions == str(tmp_path / "state" / "station.decisions.jsonl")


def test_a_journal_that_is_named_is_used(tmp_path: Path) -> None:
    page = load(tmp_path, port=8080, decisions="said.jsonl").page
    assert page
    assert page.decisions == str(tmp_path / "said.jsonl")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ({"port": 80, "host": EVERYWHERE}, "add expose: true"),
        ({"port": 80, "host": EVERYWHERE, "expose": True}, "add token_file or token_credential"),
        ({"port": 80, "host": "hall"}, "'hall' is not an address"),
        ({"port": 80, "token_file": "a", "token_credential": "b"}, "remove one"),
        ({"port": 0}, "page.port"),
        ({"port": 80, "names": ["Hall.example"]}, "page.names"),
        ({"port": 80, "silent_s": 0.5}, "page.silent_s"),
        ({"port": 80, "colour": "blue"}, "page.colour"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_key(tmp_path: Path, page: dict[str, object], words: str) -> None:
    with pytest.raises(BadConfig, match=r"page") as refused:
        load(tmp_path, **page)
    assert words in str(refused.value)


def test_without_its_packages_the_page_is_refused_with_the_mend(
    recipe_dir: Path, goods_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = tmp_path / "absent"
    absent.mkdir()
    (absent / "starlette.py").write_text("raise ModuleNotFoundError('absent', name='starlette')\n")
    monkeypatch.setenv("PYTHONPATH", str(absent), prepend=":")
    source = {"kind": "folder", "path": str(goods_dir)}
    config = station_file(tmp_path, recipe_dir, source, results={"path": "results.jsonl"}, page={"port": 8080})
    assert "goodpart[page]" in goodpart("run", config).sentence
    assert not (tmp_path / "results.jsonl").read_text()


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), (b"short\n", "has 5 characters"), (b"\xff" * 20, "is not text")]
)
def test_a_token_that_protects_nothing_is_refused_before_the_shift(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    source = {"kind": "folder", "path": "."}
    page = {"port": 8080, "token_file": "token"}
    findings = check_station(station_file(tmp_path, tmp_path, source, results={"path": "r"}, page=page))
    found = next(finding for finding in findings if finding.what == "page")
    assert not found.ok
    assert found.detail.startswith("page.token_file: ")
    assert words in found.detail


def test_check_says_who_may_look(tmp_path: Path) -> None:
    source = {"kind": "folder", "path": "."}
    findings = check_station(station_file(tmp_path, tmp_path, source, results={"path": "r"}, page={"port": 8080}))
    found = next(finding for finding in findings if finding.what == "page")
    assert (found.ok, found.detail) == (True, "http://127.0.0.1:8080, no token is asked for, at most 10 look at once")
