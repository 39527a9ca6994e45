"""A station that is taught, as the line's people meet it: by hand while it is stopped, by command while it runs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.check import check_station
from edge.config import load_config
from edge.errors import BadConfig, NotTaught
from edge.recipe.recipe import open_recipe
from edge.report.message import Result
from edge.report.wire import to_wire
from edge.teach.ledger import Ledger
from tests.asking import vouched, wish
from tests.commands import goodpart
from tests.conftest import station_file
from tests.results import result
from tests.stained import write_stained
from tests.unit.test_command_desk import START, Counter

LIMITS = {"max_score_ratio": 4, "most_patches": 32}
WHO = ("--who", "Ada", "--reason", "a new stamp")


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def test_a_part_taught_by_hand_is_ok_at_the_next_start_beside_a_challenger_that_was_not_taught(
    recipe_dir: Path, tmp_path: Path
) -> None:
    write_stained(tmp_path / "parts", range(200, 201))
    config = station_file(
        tmp_path,
        recipe_dir,
        {"kind": "folder", "path": "parts"},
        results={"path": "results.jsonl"},
        evidence={"path": "evidence", "overlay": False},
        teach=LIMITS,
        shadow={"recipe": str(recipe_dir), "results": "shadow.jsonl"},
    )
    assert goodpart("run", config).code == 0
    (first,) = results(tmp_path)
    assert (first["verdict"], first["taught"]) == ("NOK", 0)
    refused = goodpart("teach", "add", config, "unknown", *WHO)
    assert "no rejected part" in refused.sentence
    assert f"ledger: {tmp_path / 'station.taught'}" in refused.err.splitlines()
    held = Ledger(tmp_path / "station.taught")
    assert "send it the command" in goodpart("teach", "add", config, first["result_id"], *WHO).sentence
    held.close()
    added = goodpart("teach", "add", config, first["evidence"]["path"], *WHO)
    assert (added.code, "counts as good from now on" in added.out) == (0, True), added.err
    (entry,) = map(json.loads, goodpart("teach", "list", config, "--json").out.splitlines())
    assert (entry["result_id"], entry["who"], entry["in_force"]) == (first["result_id"], "Ada", True)
    assert goodpart("run", config).code == 0
    second = results(tmp_path)[-1]
    assert (second["verdict"], second["taught"], second["recipe_id"]) == ("OK", 1, first["recipe_id"])
    assert "1 entries, 1 parts in force" in goodpart("check", config).out
    assert goodpart("teach", "undo", config, *WHO).code == 0
    assert [line.split("  ")[0] for line in goodpart("teach", "list", config).out.splitlines()] == [
        "was taught",
        "taken back",
    ]


def test_in_a_shell_the_ledger_is_the_one_of_the_service(recipe_dir: Path, tmp_path: Path) -> None:
    config = station_file(
        tmp_path, recipe_dir, {"kind": "folder", "path": "parts"}, mqtt={"host": "h"}, evidence={}, teach=LIMITS
    )
    # With folders of its own in the places of the system's.
    script = (
        "mount -t tmpfs tmpfs /etc && mount -t tmpfs tmpfs /var/lib || exit 77; "
        'mkdir /etc/goodpart; cp "$1" /etc/goodpart/cell.yaml; mkdir -p /var/lib/goodpart/cell; '
        '"$2" -W error -m edge.cli teach list /etc/goodpart/cell.yaml'
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", config, sys.executable], capture_output=True, text=True, check=False
    )
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("this user may not mount")
    assert (done.returncode, done.stderr) == (0, "ledger: /var/lib/goodpart/cell/cell.taught\n")


def test_a_damaged_ledger_is_said_and_the_line_goes_on_without_it(recipe_dir: Path, tmp_path: Path) -> None:
    write_stained(tmp_path / "parts", range(200, 201))
    (tmp_path / "station.taught").write_bytes(b"nonsense\nmore\n")
    config = station_file(
        tmp_path,
        recipe_dir,
        {"kind": "folder", "path": "parts"},
        results={"path": "results.jsonl"},
        evidence={"path": "evidence", "overlay": False},
        teach=LIMITS,
        shadow={"recipe": "nowhere"},
    )
    ended = goodpart("run", config)
    assert ended.code == 0
    assert "line 1 is damaged or was altered" in ended.err
    assert "goes on without a challenger" in ended.err
    assert results(tmp_path)[0]["verdict"] == "NOK"
    assert "line 1 is damaged" in goodpart("teach", "list", config).sentence


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"teach": {}}, "add evidence: with NOK"),
        ({"teach": {}, "evidence": {"path": "e", "keep": ["OK"]}}, "add evidence: with NOK"),
        ({"teach": {"max_score_ratio": 0.9}, "evidence": {"path": "e"}}, "teach.max_score_ratio"),
        (
            {"mqtt": {"host": "h"}, "commands": {"allow": ["teach"], "public_key_file": "k", "memory_file": "m"}},
            "add teach:",
        ),
    ],
    ids=str,
)
def test_a_station_file_that_cannot_teach_is_refused(tmp_path: Path, more: dict[str, object], words: str) -> None:
    config = station_file(tmp_path, tmp_path, {"kind": "folder", "path": "."}, **{"results": {"path": "-"}, **more})
    with pytest.raises(BadConfig, match=words):
        load_config(config)


def test_what_would_end_the_start_is_found_by_the_check(recipe_dir: Path, tmp_path: Path) -> None:
    write_stained(tmp_path / "parts", range(200, 201))

    def findings(teach: dict[str, object], **shadow: str) -> dict[str, str]:
        config = station_file(
            tmp_path,
            recipe_dir,
            {"kind": "folder", "path": "parts"},
            results={"path": "results.jsonl"},
            evidence={"path": "evidence"},
            teach=teach,
            shadow={"recipe": str(recipe_dir), **shadow},
        )
        return {found.what: found.detail for found in check_station(config) if not found.ok}

    assert findings({"defects": "parts"}, results="shadow.jsonl") == {}
    wrong = findings({"file": "nowhere/ledger"}, results="nowhere/shadow.jsonl")
    assert "teach.file: " in wrong["teach"]
    assert "cannot be written" in wrong["teach"]
    assert "shadow.results: " in wrong["shadow"]
    assert set(findings({"defects": "nowhere"})) == {"teach"}


class Pupil:
    """Somebody who notes what is taught."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, ...]] = []

    def accept(self, part: str, who: str, reason: str) -> str:
        self.heard.append((part, who, reason))
        if part == "bad":
            raise NotTaught("is a red rabbit.")
        return "taught"

    def undo(self, who: str, reason: str, part: str | None = None) -> str:
        self.heard.append((part or "the last", who, reason))
        return "taken back"


def test_teach_and_unteach_must_be_signed_are_done_once_and_last_through_a_restart(recipe_dir: Path, tmp_path: Path) -> None:
    recipe, pupil = open_recipe(recipe_dir), Pupil()
    counter = Counter(recipe, tmp_path / "commands.json", teaching=pupil)
    plain = wish("teach", START, result_id="abc", who="Ada", reason="a stamp")
    assert counter.code(plain) == "REFUSED_SIGNATURE"
    command = vouched(plain)
    assert counter.ask(command)["detail"] == "taught"
    failed = counter.ask(vouched(wish("teach", START, result_id="bad", who="Ada", reason="a stamp")))
    assert (failed["code"], failed["detail"]) == ("FAILED", "is a red rabbit.")
    assert counter.code(vouched(wish("unteach", START, who="Ada", reason="no"))) == "OK"
    later = Counter(recipe, tmp_path / "commands.json", boot="boot-2", teaching=pupil)
    again = later.ask(command)
    assert (again["code"], again["detail"].split()[0]) == ("DONE_BEFORE", "taught"), "it is not taught twice"
    assert pupil.heard == [("abc", "Ada", "a stamp"), ("bad", "Ada", "a stamp"), ("the last", "Ada", "no")]
    nobody = Counter(recipe, tmp_path / "others.json")
    assert nobody.code(vouched(wish("unteach", START, who="Ada", reason="no"))) == "REFUSED_STATE"


def test_results_of_before_teaching_are_read_as_untaught() -> None:
    old = json.loads(to_wire(result(1)))
    del old["taught"]
    assert Result.model_validate_json(json.dumps(old)).taught == 0
