"""What has been done is remembered, what was forgotten is known to be old, and a file that is not ours is refused."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.command.gatekeeper import Admitted, Request, admit
from edge.command.memory import MOST_KEPT, Memory
from edge.command.models import Code
from edge.errors import BadConfig
from tests.asking import rules, vouched, wish
from tests.results import STATION

START = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def admitted(document: dict[str, Any]) -> Admitted:
    found = admit(Request(json.dumps(document).encode(), 0.0), rules())
    assert isinstance(found, Admitted)
    return found


def trigger(second: int) -> Admitted:
    return admitted(wish("trigger", START + timedelta(seconds=second), part_id="p", job_id="j"))


def test_what_needs_no_signature_counts_as_done_too_when_it_has_been_forgotten() -> None:
    memory, old, same_time = Memory(None, STATION, "boot"), trigger(5), trigger(5)
    memory.begin(old)
    memory.end(old.command.command_id, Code.OK, "", None)
    resume = wish("resume", START + timedelta(seconds=10))
    for number in range(MOST_KEPT):
        assert not memory.outlived(old)
        memory.begin(admitted(resume | {"command_id": f"resume-{number}"}))
    assert memory.recall(old.command.command_id) is None
    assert [memory.outlived(each) for each in (trigger(4), old, same_time, trigger(6))] == [True, True, True, False]
    signed = admitted(vouched(wish("pause", START)))
    assert not memory.outlived(signed), "the others say nothing of what must be signed"


def test_what_changes_nothing_makes_nothing_forgotten_and_is_never_too_old() -> None:
    memory, old = Memory(None, STATION, "boot"), trigger(5)
    memory.begin(old)
    for name in ("ping", "status"):
        again = wish(name, START)
        for number in range(MOST_KEPT):
            memory.begin(admitted(again | {"command_id": f"{name}-{number}"}))
        assert memory.recall(f"{name}-0") is None
    assert memory.recall(old.command.command_id) is not None
    for number in range(MOST_KEPT):
        memory.begin(admitted(wish("resume", START + timedelta(seconds=10)) | {"command_id": f"resume-{number}"}))
    assert memory.outlived(old)
    assert not memory.outlived(admitted(wish("ping", START)))


@pytest.mark.parametrize("content", ["", "{}", "not json"])
def test_a_damaged_memory_is_refused_with_its_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "commands.json").write_text(content)
    with pytest.raises(BadConfig, match=r"commands\.json"):
        Memory(tmp_path / "commands.json", STATION, "boot")


def test_the_memory_of_another_station_is_refused(tmp_path: Path) -> None:
    ledger = tmp_path / "commands.json"
    Memory(ledger, STATION, "boot").begin(admitted(vouched(wish("pause", START))))
    with pytest.raises(BadConfig, match="another station"):
        Memory(ledger, STATION.model_copy(update={"station": "other"}), "boot")
