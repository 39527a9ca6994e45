"""A ruling is on the disk before anybody hears of it, stands until it is undone, and changes no verdict."""

import json
import threading
from pathlib import Path

import pytest

from edge.errors import BadConfig, BadPicture, Refuse
from edge.events import EventCode, Events, Happening
from edge.page.journal import Journal, Ruling
from edge.page.rulings import UNDO_S, Rulings
from edge.types import Reason
from tests.results import result


class Pupil:
    """Somebody who learns, or refuses to."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses, self.calls = refuses, list[tuple[str, str, str]]()

    def accept(self, result_id: str, who: str) -> str:
        return self._answer("accept", result_id, who)

    def undo(self, result_id: str, who: str) -> str:
        return self._answer("undo", result_id, who)

    def _answer(self, what: str, result_id: str, who: str) -> str:
        self.calls.append((what, result_id, who))
        if self.refuses:
            raise BadPicture(self.refuses, Reason.UNREADABLE)
        return f"The line has done {what}."


class Desk:
    """Rulings with their journal, their events and a clock that a test turns."""

    def __init__(self, path: Path, pupil: Pupil | None = None) -> None:
        self.path, self.now_s = path, 0.0
        self.events, self.heard = Events(), list[Happening]()
        self.events.listen(self.heard.append)
        self.rulings = Rulings(Journal(path), self.events, pupil, lambda: self.now_s)

    def rule(self, ruling: Ruling, seq: int = 1, who: str = "AB") -> str:
        return self.rulings.rule(result(seq), ruling, who, "127.0.0.1")

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]


def test_confirmed_accepted_and_undone_are_written_and_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.jsonl")
    assert desk.rule(Ruling.CONFIRMED, 1) == "Confirmed as a real defect."
    assert desk.rule(Ruling.ACCEPTED, 2, "") == "Accepted as good."
    assert desk.rule(Ruling.UNDONE, 1) == "Undone."
    assert desk.rule(Ruling.ACCEPTED, 1) == "Accepted as good."
    assert [(line["result_id"], line["decision"], line["who"]) for line in desk.lines()] == [
        (result(1).result_id, "confirmed", "AB"),
        (result(2).result_id, "accepted", ""),
        (result(1).result_id, "undone", "AB"),
        (result(1).result_id, "accepted", "AB"),
    ]
    first = desk.lines()[0]
    assert (first["part_id"], first["verdict"], first["score"], first["threshold"]) == ("part-1", "OK", 1.0, 2.0)
    assert [happening.code for happening in desk.heard] == [
        EventCode.PART_CONFIRMED,
        EventCode.PART_ACCEPTED,
        EventCode.PART_RULING_UNDONE,
        EventCode.PART_ACCEPTED,
    ]
    assert desk.heard[0].detail == f"part part-1 (result {result(1).result_id}), OK, was confirmed as defective by AB"


def test_a_second_ruling_needs_the_first_to_be_undone(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.jsonl")
    with pytest.raises(Refuse, match=r"nothing to undo"):
        desk.rule(Ruling.UNDONE)
    desk.rule(Ruling.CONFIRMED)
    for ruling in (Ruling.CONFIRMED, Ruling.ACCEPTED):
        with pytest.raises(Refuse, match=r"confirmed already by AB; undo that first"):
            desk.rule(ruling, who="CD")
    assert len(desk.lines()) == len(desk.heard) == 1


def test_undoing_is_possible_for_a_while(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.jsonl")
    desk.rule(Ruling.ACCEPTED)
    desk.now_s = UNDO_S
    with pytest.raises(Refuse, match=r"too late.*10 minutes"):
        desk.rule(Ruling.UNDONE)
    standing = desk.rulings.of(result(1).result_id)
    assert standing
    assert (standing.ruling, standing.undoable(desk.now_s)) == (Ruling.ACCEPTED, False)


def test_who_learns_from_accepted_parts_is_told_and_answers_the_operator(tmp_path: Path) -> None:
    pupil = Pupil()
    desk = Desk(tmp_path / "d.jsonl", pupil)
    assert desk.rule(Ruling.CONFIRMED, 1) == "Confirmed as a real defect."
    assert desk.rule(Ruling.UNDONE, 1) == "Undone."
    assert desk.rule(Ruling.ACCEPTED, 1) == "Accepted as good. The line has done accept."
    assert desk.rule(Ruling.UNDONE, 1) == "Undone. The line has done undo."
    assert pupil.calls == [("accept", result(1).result_id, "AB"), ("undo", result(1).result_id, "AB")]


def test_what_could_not_be_learned_is_said_and_the_ruling_stands(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "d.jsonl", Pupil("The picture is gone."))
    assert desk.rule(Ruling.ACCEPTED) == "Accepted as good. The picture is gone."
    assert desk.rulings.of(result(1).result_id)
    assert desk.lines()[0]["decision"] == "accepted"


def test_only_what_was_learned_is_taken_back_and_what_could_not_be_is_tried_again(tmp_path: Path) -> None:
    pupil = Pupil("It is taught already.")
    desk = Desk(tmp_path / "d.jsonl", pupil)
    desk.rule(Ruling.ACCEPTED)
    assert desk.rule(Ruling.UNDONE) == "Undone."
    pupil.refuses = ""
    desk.rule(Ruling.ACCEPTED)
    pupil.refuses = "The disk is full."
    assert desk.rule(Ruling.UNDONE) == "Undone. The disk is full."
    desk.rule(Ruling.ACCEPTED)
    pupil.refuses = ""
    assert desk.rule(Ruling.UNDONE) == "Undone. The line has done undo."
    assert [what for what, *_ in pupil.calls] == ["accept", "accept", "undo", "accept", "undo"]


def test_a_ruling_after_the_end_is_refused_and_spoils_no_other_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "d.jsonl")
    rulings = Rulings(journal, Events())
    journal.close()
    # The other file gets the number that the journal's had.
    with (tmp_path / "other").open("wb"), pytest.raises(Refuse, match=r"Nothing was done"):
        rulings.rule(result(1), Ruling.ACCEPTED, "AB", "127.0.0.1")
    assert (tmp_path / "other").read_bytes() == b""


def test_on_a_full_disk_nothing_is_done() -> None:
    pupil = Pupil()
    desk = Desk(Path("/dev/full"), pupil)
    with pytest.raises(Refuse, match=r"Nothing was done.*No space left"):
        desk.rule(Ruling.ACCEPTED)
    assert (desk.heard, pupil.calls, desk.rulings.of(result(1).result_id)) == ([], [], None)


def test_of_two_who_rule_at_once_one_is_refused(tmp_path: Path) -> None:
    desk, refused, start = Desk(tmp_path / "d.jsonl"), list[str](), threading.Barrier(8)

    def press(ruling: Ruling) -> None:
        start.wait()
        try:
            desk.rule(ruling)
        except Refuse as err:
            refused.append(str(err))

    threads = [threading.Thread(target=press, args=(ruling,)) for ruling in (Ruling.ACCEPTED, Ruling.CONFIRMED) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert len(desk.lines()) == 1


def test_a_line_that_a_power_cut_tore_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    Desk(path).rule(Ruling.CONFIRMED, 1)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    Desk(path).rule(Ruling.CONFIRMED, 2)
    lines = path.read_bytes().split(b"\n")
    assert lines[:2] == [whole.rstrip(b"\n"), whole[:40]]
    assert json.loads(lines[2])["part_id"] == "part-2"


def test_a_journal_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"^page\.decisions: .*choose another file\.$"):
        Journal(tmp_path / "absent" / "d.jsonl")
