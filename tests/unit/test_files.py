"""Files that are made and written: whole lines, and whose they are."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edge.check import check_station
from edge.errors import BadConfig
from edge.host.files import append_whole, hindrance, make_folder, may_be_there, open_kept, put_in_place
from edge.teach.ledger import Ledger, read_account
from tests.brokers import HOST, free_port
from tests.commands import goodpart
from tests.conftest import station_file, write_parts
from tests.recipes import renamed

SOMEBODY = 4711
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of somebody else, as a service's state folder is to root."""
    folder = tmp_path / "state"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, SOMEBODY, SOMEBODY)
    return folder


def strangers(folder: Path) -> list[Path]:
    """What in it does not belong to its owner."""
    return [path for path in folder.rglob("*") if path.lstat().st_uid != folder.stat().st_uid]


@as_root
def test_what_root_makes_in_somebodys_folder_is_theirs_and_what_was_there_stays_whose_it_was(theirs: Path) -> None:
    os.close(open_kept(theirs / "journal", os.O_RDWR, 0o640))
    put_in_place(theirs / "state.json", b"{}")
    make_folder(theirs / "a" / "b", parents=True)
    assert strangers(theirs) == []
    assert stat.S_IMODE((theirs / "journal").stat().st_mode) == 0o640
    (theirs / "roots").touch()
    secret = theirs.parent / "secret"
    secret.touch()
    (theirs / "link").symlink_to(secret)
    for name in ("roots", "link"):
        os.close(open_kept(theirs / name, os.O_RDWR, 0o640))
    assert (theirs / "roots").stat().st_uid == secret.stat().st_uid == 0, "a link must not give away what it points to"


@as_root
def test_root_writes_through_no_link_that_lies_where_a_draft_goes(theirs: Path) -> None:
    secret = theirs.parent / "secret"
    secret.write_bytes(b"untouched")
    (theirs / "state.json.draft").symlink_to(secret)
    put_in_place(theirs / "state.json", b"{}")
    assert (secret.read_bytes(), secret.stat().st_uid) == (b"untouched", 0)
    assert (theirs / "state.json").read_bytes() == b"{}"
    assert sorted(path.name for path in theirs.iterdir()) == ["state.json"]


@as_root
def test_what_cannot_be_given_away_is_written_all_the_same_and_that_is_said_once(
    theirs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_fd: int, _user: int, _group: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    for number in range(3):
        put_in_place(theirs / f"{number}", b"there")
    make_folder(theirs / "folder")
    assert len(list(theirs.iterdir())) == 4
    assert [record.message.partition(" (")[0] for record in caplog.records] == [
        f"{theirs}: what root makes there cannot be given to its owner"
    ]


def test_who_may_not_look_is_told_why_and_does_not_find_nothing(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Root may look everywhere, so that the refusal is made here."""
    real = Path.stat

    def stat_of(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.parent == tmp_path / "state":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat_of)
    assert may_be_there(tmp_path / "state" / "taught")
    assert not may_be_there(tmp_path / "nothing")
    assert not may_be_there(config / "below a file")
    with pytest.raises(BadConfig, match="taught"):
        read_account(tmp_path / "state" / "taught")


@pytest.fixture
def config(recipe_dir: Path, theirs: Path, tmp_path: Path) -> Path:
    """A station that keeps all it can in the state folder."""
    state = {
        name: str(theirs / name) for name in ("store", "evidence", "taught", "decisions", "results", "shadow", "outbox")
    }
    return station_file(
        tmp_path,
        recipe_dir,
        {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 302)))},
        results={"path": state["results"]},
        mqtt={"host": HOST, "port": free_port(), "outbox": {"path": state["outbox"]}},
        recipe_store={"path": state["store"]},
        evidence={"path": state["evidence"]},
        teach={"file": state["taught"]},
        page={"port": free_port(), "decisions": state["decisions"]},
        shadow={"recipe": str(recipe_dir), "results": state["shadow"]},
    )


def test_who_only_looks_makes_nothing(config: Path, theirs: Path) -> None:
    found = {finding.what: finding.detail for finding in check_station(config) if not finding.ok}
    assert found.keys() == {"mqtt"}, found
    listed = goodpart("recipe", "list", config)
    assert (listed.code, "begins with recipe:" in listed.out) == (0, True)
    assert list(theirs.iterdir()) == []


def test_a_watched_folder_is_left_as_it_is_by_a_check(recipe_dir: Path, tmp_path: Path) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    config = station_file(tmp_path, recipe_dir, {"kind": "watch", "path": str(incoming)}, results={"path": "-"})
    assert [found.what for found in check_station(config) if not found.ok] == []
    assert list(incoming.iterdir()) == []
    (incoming / "failed").touch()
    found = {finding.what: finding.detail for finding in check_station(config) if not finding.ok}
    assert "no file can be moved in" in found["source"]


@as_root
def test_recipes_that_root_adds_and_activates_and_a_ledger_that_root_opens_are_the_services(
    recipe_dir: Path, config: Path, theirs: Path, tmp_path: Path
) -> None:
    second = renamed(recipe_dir, tmp_path / "second", "plate-2")
    assert goodpart("recipe", "add", config, second).code == 0
    assert goodpart("recipe", "activate", config, "plate-2").code == 0
    assert goodpart("recipe", "rollback", config).code == 0
    (theirs / "taught").write_bytes(b"torn")
    os.chown(theirs / "taught", SOMEBODY, SOMEBODY)
    Ledger(theirs / "taught").close()
    (theirs / "taught").unlink()
    Ledger(theirs / "taught").close()
    assert {"store", "taught", "taught.torn"} <= {path.name for path in theirs.iterdir()}
    assert strangers(theirs) == []


def test_what_hinders_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert hindrance(file) == hindrance(tmp_path / "new") == hindrance(tmp_path, folder=True) == ""
    assert hindrance(tmp_path / "a" / "b", folder=True, parents=True) == ""
    assert hindrance(tmp_path / "a" / "b", folder=True) == "No such file or directory"
    assert hindrance(tmp_path) == "Is a directory"
    assert hindrance(file, folder=True) == hindrance(file / "b") == "Not a directory"
    assert list(tmp_path.iterdir()) == [file]


def test_a_line_goes_to_the_disk_whole_through_short_writes_or_not_at_all(tmp_path: Path) -> None:
    # The kernel's limit on a file's size makes one write short, and the next one fail.
    script = """
import os, resource, sys
from edge.host.files import append_whole
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
append_whole(fd, b"first\\n", sync=True)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (9, hard))
try:
    append_whole(fd, b"second\\n", sync=True)
except OSError as err:
    print(err.strerror)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
append_whole(fd, b"third\\n", sync=True)
"""
    path = tmp_path / "lines"
    done = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout == "File too large\n"
    assert path.read_bytes() == b"first\nthird\n"


def test_a_disk_that_takes_a_byte_at_a_time_gets_the_whole_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    fd = os.open(tmp_path / "lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, raw: real(fd, raw[:1]))
        append_whole(fd, b"a whole line\n")
    os.close(fd)
    assert (tmp_path / "lines").read_bytes() == b"a whole line\n"
