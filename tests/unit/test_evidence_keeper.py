"""The keeper: pictures are there before their result, results keep their order, and a disk that fails costs no result."""

import hashlib
import threading
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.events import EventCode, Events, Happening
from edge.evidence.keeper import MOST_WAITING, Keeper
from edge.evidence.names import Name, name_of
from edge.evidence.ring import Ring
from edge.report.message import Result
from edge.types import Decision, Frame, Order, Pixels, Reason, Score, Shot, Unfit, Verdict
from tests.brokers import wait_until
from tests.conftest import part_picture
from tests.results import result as a_result

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def files(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


NOK = Verdict(Decision.NOK, Reason.ABOVE_THRESHOLD, score=Score(8.0, "top1", 1))
OK = Verdict(Decision.OK, Reason.WITHIN_THRESHOLD, score=Score(1.0, "top1", 1))


def frame(seq: int, pixels: Pixels | None = None) -> Frame:
    return Frame(f"../part-{seq}", seq, 0.0, NOON + timedelta(seconds=seq), part_picture(seq) if pixels is None else pixels)


class Told:
    """Takes what is handed on, and looks whether the evidence is there at that moment."""

    def __init__(self, root: Path) -> None:
        self.results: list[Result] = []
        self._root = root

    def __call__(self, _shot: Shot, _verdict: Verdict, result: Result) -> None:
        if result.evidence:
            raw = (self._root / result.evidence.path).read_bytes()
            assert hashlib.sha256(raw).hexdigest() == result.evidence.sha256
        self.results.append(result)

    @property
    def kept(self) -> list[bool]:
        return [r.evidence is not None for r in self.results]


def put(keeper: Keeper, told: Told, shot: Shot, verdict: Verdict, **more: object) -> None:
    seen = a_result(shot.seq).model_copy(update={"verdict": verdict.decision, **more})
    keeper.put(shot, verdict, seen, told)


@pytest.fixture
def events() -> tuple[Events, list[Happening]]:
    said: list[Happening] = []
    events = Events()
    events.listen(said.append)
    return events, said


def keeper_of(ring: Ring, events: Events, *, aside: bool, overlay: bool = True) -> Keeper:
    return Keeper(ring, [Decision.NOK], events, overlay=overlay, aside=aside)


@pytest.mark.parametrize("aside", [True, False])
def test_evidence_is_there_before_its_result_and_results_keep_their_order(
    tmp_path: Path, events: tuple[Events, list[Happening]], aside: bool
) -> None:
    told, keeper = Told(tmp_path), keeper_of(Ring(tmp_path, 10**7), events[0], aside=aside)
    put(keeper, told, frame(1), NOK)
    put(keeper, told, frame(2), OK)
    put(keeper, told, frame(3), OK, purpose="golden_sample", sample="gold")
    put(keeper, told, Unfit("p", 4, 0.0, NOON, Reason.CAMERA_LOST, ""), NOK)
    put(keeper, told, frame(5), NOK)
    keeper.close()
    assert [r.seq for r in told.results] == [1, 2, 3, 4, 5]
    assert told.kept == [True, False, True, False, True]
    first = told.results[0].evidence
    assert first is not None
    assert first.path == "2026-11-24/20261124T120001.000000Z-000000001-.._part-1.png"
    assert first.overlay == first.path.removesuffix(".png") + "-overlay.jpg"
    assert (tmp_path / first.overlay).read_bytes().startswith(b"\xff\xd8")
    assert len(files(tmp_path)) == 6
    assert events[1] == []


@pytest.mark.parametrize("verdict", [OK, NOK])
def test_a_shot_is_handed_on_with_all_that_its_source_knows_it_by(
    tmp_path: Path, events: tuple[Events, list[Happening]], verdict: Verdict
) -> None:
    handed: list[Shot] = []
    keeper = keeper_of(Ring(tmp_path, 10**7), events[0], aside=True)
    asked = replace(frame(1), order=Order("job", "command"), asked_mono_s=3.0, result_id="told before")
    seen = a_result(1).model_copy(update={"verdict": verdict.decision})
    keeper.put(asked, verdict, seen, lambda shot, _verdict, _result: handed.append(shot))
    keeper.close()
    (shot,) = handed
    names = [field.name for field in fields(Shot)]
    assert [getattr(shot, name) for name in names] == [getattr(asked, name) for name in names]


def test_without_an_overlay_the_picture_stands_alone(tmp_path: Path, events: tuple[Events, list[Happening]]) -> None:
    told, keeper = Told(tmp_path), keeper_of(Ring(tmp_path, 10**7), events[0], aside=False, overlay=False)
    put(keeper, told, frame(1), NOK)
    found = told.results[0].evidence
    assert found is not None
    assert found.overlay is None
    assert files(tmp_path) == [found.path]


def test_a_disk_that_refuses_is_said_at_both_ends_and_the_line_goes_on(
    tmp_path: Path, events: tuple[Events, list[Happening]], caplog: pytest.LogCaptureFixture
) -> None:
    told, keeper = Told(tmp_path), keeper_of(Ring(tmp_path, 10**7), events[0], aside=False)
    blocked = tmp_path / "2026-11-24"
    blocked.touch()
    for seq in (1, 2, 3):
        put(keeper, told, frame(seq), NOK)
    blocked.unlink()
    for seq in (4, 5):
        put(keeper, told, frame(seq), NOK)
    assert told.kept == [False, False, False, True, True]
    assert [h.code for h in events[1]] == [EventCode.EVIDENCE_LOST, EventCode.EVIDENCE_BACK]
    assert caplog.messages == [
        "evidence.path: pictures cannot be kept: File exists; going on without them",
        "evidence.path: pictures are kept again; 3 are missing",
    ]


def test_a_picture_larger_than_the_quota_is_not_kept_and_drops_nothing(
    tmp_path: Path, events: tuple[Events, list[Happening]]
) -> None:
    ring = Ring(tmp_path, 10_000)
    earlier = name_of(NOON, 1, "earlier")
    ring.add(earlier, b"r" * 100, None)
    told, keeper = Told(tmp_path), keeper_of(ring, events[0], aside=False)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    put(keeper, told, frame(1, noise), NOK)
    assert told.kept == [False]
    assert files(tmp_path) == [earlier.raw]
    assert "evidence.quota_mb" in events[1][0].detail


class HeldRing(Ring):
    """A disk that takes as many pictures as it is let."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, 10**7)
        self.let = threading.Semaphore(0)

    def add(self, name: Name, raw: bytes, overlay: bytes | None) -> None:
        self.let.acquire()
        super().add(name, raw, overlay)


def test_a_slow_disk_costs_pictures_and_neither_results_nor_their_order(
    tmp_path: Path, events: tuple[Events, list[Happening]]
) -> None:
    ring = HeldRing(tmp_path)
    told, keeper = Told(tmp_path), keeper_of(ring, events[0], aside=True)
    many = MOST_WAITING + 3
    for seq in range(many):
        put(keeper, told, frame(seq), NOK)
    assert told.results == []
    ring.let.release(MOST_WAITING)
    keeper.close()
    assert [r.seq for r in told.results] == list(range(many))
    assert told.kept == [True] * MOST_WAITING + [False] * 3
    assert [h.code for h in events[1]] == [EventCode.EVIDENCE_LOST, EventCode.EVIDENCE_BACK]
    assert f"{MOST_WAITING} wait for the disk already" in events[1][0].detail


def test_a_disk_that_hangs_holds_up_no_judging_is_said_once_and_what_is_missing_is_counted(
    tmp_path: Path, events: tuple[Events, list[Happening]], caplog: pytest.LogCaptureFixture
) -> None:
    ring = HeldRing(tmp_path)
    told, keeper = Told(tmp_path), keeper_of(ring, events[0], aside=True)
    many = 5 * MOST_WAITING
    for seq in range(many):
        put(keeper, told, frame(seq), NOK)
        put(keeper, told, frame(many + seq), OK)
    wait_until(lambda: keeper.pulse.stuck(0.0), "the watchdog to see who is at it")
    assert told.results == [], "no result says more than is on the disk"
    assert [h.code for h in events[1]] == [EventCode.EVIDENCE_LOST]
    ring.let.release(MOST_WAITING)
    keeper.close()
    assert sorted(r.seq for r in told.results) == list(range(2 * many))
    assert told.kept.count(True) == MOST_WAITING
    assert caplog.messages == [
        f"evidence.path: pictures cannot be kept: {MOST_WAITING} wait for the disk already; going on without them",
        f"evidence.path: pictures are kept again; {many - MOST_WAITING} are missing",
    ]


def test_a_disk_that_is_a_little_too_slow_is_one_trouble_until_it_has_caught_up(
    tmp_path: Path, events: tuple[Events, list[Happening]]
) -> None:
    ring = HeldRing(tmp_path)
    told, keeper = Told(tmp_path), keeper_of(ring, events[0], aside=True)
    for seq in range(MOST_WAITING + 1):
        put(keeper, told, frame(seq), NOK)
    for step in range(6):  # one written, two more come
        ring.let.release()
        wait_until(lambda step=step: told.kept.count(True) > step, "a picture to be written")
        for seq in (100 + 2 * step, 101 + 2 * step):
            put(keeper, told, frame(seq), NOK)
    ring.let.release(MOST_WAITING)
    keeper.close()
    assert told.kept.count(False) == 1 + 6
    assert [h.code for h in events[1]] == [EventCode.EVIDENCE_LOST, EventCode.EVIDENCE_BACK]


def test_a_fault_in_handing_on_is_not_swallowed_by_the_other_thread(
    tmp_path: Path, events: tuple[Events, list[Happening]]
) -> None:
    keeper = keeper_of(Ring(tmp_path, 10**7), events[0], aside=True)

    def broken(_shot: Shot, _verdict: Verdict, _result: Result) -> None:
        raise ZeroDivisionError

    keeper.put(frame(1), OK, a_result(1), broken)
    with pytest.raises(ZeroDivisionError):
        keeper.close()
