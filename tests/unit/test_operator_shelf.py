"""What the loop leaves for the page: references, bounded, and only of parts."""

from datetime import UTC, datetime

import numpy as np
import pytest

from edge.page.shelf import HELD_BYTES, REJECTS, TREND, Shelf
from edge.types import Decision, Frame, Reason, Shot, Verdict
from tests.lines import BAD, GOOD, LOST
from tests.results import result


def frame(seq: int, pixels: np.ndarray) -> Frame:
    return Frame(f"part-{seq}", seq, 0.0, datetime.now(UTC), pixels)


def put(shelf: Shelf, seq: int, verdict: Verdict, shot: Shot | None = None, purpose: str | None = None) -> None:
    told = result(seq).model_copy(update={"verdict": verdict.decision, "reason": verdict.reason, "purpose": purpose})
    shelf.saw(shot or frame(seq, np.zeros((2, 2, 3), np.uint8)), verdict, told)


def test_pixels_are_not_copied() -> None:
    shelf, pixels = Shelf(), np.zeros((4, 4, 3), np.uint8)
    shot = frame(1, pixels)
    put(shelf, 1, BAD, shot)
    assert shelf.newest
    assert shelf.newest.shot is shot
    held = shelf.held(shelf.rejects()[0].result_id)
    assert held
    assert held.shot is shot


def test_only_the_last_ones_are_kept() -> None:
    shelf = Shelf()
    for seq in range(1, 300):
        put(shelf, seq, BAD)
    assert [told.seq for told in shelf.trend()] == list(range(300 - TREND, 300))
    assert [told.seq for told in shelf.rejects()] == list(range(299, 299 - REJECTS, -1))
    assert sum(shelf.held(told.result_id) is not None for told in shelf.trend()) == REJECTS


@pytest.mark.parametrize(("share", "kept"), [(4, 4), (2, 2), (1, 1), (0.5, 1)])
def test_large_frames_leave_room_for_fewer(share: float, kept: int) -> None:
    shelf, large = Shelf(), np.zeros(int(HELD_BYTES / share), np.uint8).reshape(1, -1, 1)
    for seq in range(1, 10):
        put(shelf, seq, BAD, frame(seq, large))
    assert sum(shelf.held(told.result_id) is not None for told in shelf.rejects()) == kept


def test_no_frame_is_held_where_evidence_has_it() -> None:
    shelf = Shelf({Decision.NOK})
    put(shelf, 1, BAD)
    put(shelf, 2, Verdict(Decision.NOT_DECIDABLE, Reason.GRAY_ZONE))
    put(shelf, 3, GOOD)
    assert [shelf.held(told.result_id) is not None for told in shelf.rejects()] == [True, False]


def test_what_shows_no_part_of_production_is_no_reject() -> None:
    shelf = Shelf()
    put(shelf, 1, BAD, purpose="red_rabbit")
    put(shelf, 2, LOST)
    put(shelf, 3, Verdict.not_decidable(Reason.SHIFT_CHECK_FAILED, ""))
    put(shelf, 4, Verdict.not_decidable(Reason.FROZEN, ""))
    put(shelf, 5, Verdict.not_decidable(Reason.WRONG_SETTINGS, ""))
    assert shelf.rejects() == []
    assert [told.seq for told in shelf.trend()] == [2, 3, 4, 5]
    assert shelf.newest
    assert shelf.newest.result.seq == 5
