"""Keys and a camera make pictures: the newest one, never one from before the key."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from calibration.collect.keys import Press
from calibration.collect.screen import Line
from calibration.collect.session import Order, Session
from calibration.collect.sidecar import SourceName
from calibration.collect.store import filled
from calibration.collect.triggers import ByKey, by_source
from edge.capture.pictures import read_picture
from edge.capture.sources import Source
from edge.types import Decision, Reason, Shot, Unfit, Verdict
from tests.conftest import part_picture
from tests.unit.test_collect_session import STATION, TAKEN, frame


class Script:
    """Keys in order, each pressed at a second of its own; None lets time go by. Then q."""

    def __init__(self, *keys: str | None) -> None:
        self._keys = [*keys, "q"]
        self._at = 0

    def next(self, timeout_s: float) -> Press | None:  # noqa: ARG002 - time here is what the script says
        self._at += 10
        key = self._keys.pop(0)
        return Press(key, float(self._at)) if key else None


class Scene:
    """A camera that has a frame at each of these seconds; its picture is the one of that number."""

    fault = "unplugged"

    def __init__(self, at: Sequence[int], timeout_s: float = 1e9) -> None:
        self.at, self.timeout_s = list(at), timeout_s

    def newer_than(self, mono_s: float, timeout_s: float) -> Shot | None:  # noqa: ARG002 - all is there at once
        found = [second for second in self.at if second > mono_s]
        return frame(found[0]) if found else None


class Paper:
    """A screen that is read later."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: list[str] = []

    def say(self, line: Line) -> None:
        self.said.append(line.words)

    def show(self, *lines: Line) -> None:
        self.shown.append("\n".join(line.words for line in lines))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return tmp_path / "good"


def by_keys(good: Path, script: Script, scene: Scene, order: Order | None = None) -> tuple[Session, Paper]:
    paper = Paper()
    with filled(good) as folder:
        session = Session(folder, order or Order(), STATION, SourceName(kind="camera", device=0), "1")
        ByKey(session, scene, script, paper, threading.Event()).run()
    return session, paper


def test_enter_takes_the_first_frame_after_it_and_none_from_before(good: Path) -> None:
    by_keys(good, Script("\n"), Scene([3, 9, 10, 14, 15]))
    assert (read_picture(good / "part-0001__1.png") == part_picture(14)).all()


def test_keys_take_go_on_and_take_back(good: Path) -> None:
    session, paper = by_keys(good, Script(" ", "\r", "n", "\n", "u", "\n", "x"), Scene(range(1, 100)))
    assert [each.name for each in session.taken] == ["part-0001__1.png", "part-0001__2.png", "part-0002__2.png"]
    assert paper.said[2] == "next part: part-0002"
    assert "moved to discarded/" in paper.said[4]
    assert session.discarded == 1


def test_the_live_lines_say_what_comes_next_and_what_it_is_good_for(good: Path) -> None:
    _, paper = by_keys(good, Script("\n", "n"), Scene(range(1, 100)))
    assert "part-0001, picture 1" in paper.shown[0]
    assert "118 more parts" in paper.shown[0]
    assert "part-0002, picture 1" in paper.shown[-1]
    assert "1 part, 1 picture" in paper.shown[-1]
    assert "117 more parts" in paper.shown[-1]
    assert "q ends" in paper.shown[-1]
    assert "nothing has changed since the last picture" in paper.shown[-1], "the part still lies there"


def test_a_camera_that_gives_nothing_is_said_once_and_nothing_is_taken(good: Path) -> None:
    session, paper = by_keys(good, Script("\n", None, None, "\n"), Scene([], timeout_s=0.0))
    assert session.taken == []
    assert [words.startswith("the camera is lost: unplugged") for words in paper.said] == [False, True, False]
    assert paper.said[0] == paper.said[2] == "nothing was taken: unplugged"


def test_a_camera_that_comes_back_is_said_once_and_gives_pictures_again(good: Path) -> None:
    class Wobbly(Scene):
        def newer_than(self, mono_s: float, timeout_s: float) -> Shot | None:  # noqa: ARG002 - it answers in turn
            self.at.pop(0)
            return replace(frame(1), taken_mono_s=1e12) if self.at and self.at[0] else None

    wobbly = Wobbly([0, 0, 0, 1, 1], timeout_s=0.0)
    session, paper = by_keys(good, Script(None, None, None, "\n"), wobbly)
    assert [words.split(":")[0] for words in paper.said] == ["the camera is lost", "the camera is back", "part-0001__1.png"]
    assert len(session.taken) == 1


def test_enough_parts_end_the_session_by_themselves(good: Path) -> None:
    session, _ = by_keys(good, Script("\n", "n", "\n", "n", "\n"), Scene(range(1, 100)), Order(count=2))
    assert session.finished
    assert len(session.taken) == 2


def test_a_stopped_session_takes_no_more(good: Path) -> None:
    stop = threading.Event()
    stop.set()
    with filled(good) as folder:
        session = Session(folder, Order(), STATION, SourceName(kind="camera", device=0), "1")
        ByKey(session, Scene([99]), Script("\n"), Paper(), stop).run()
    assert session.taken == []


class Belt(Source):
    """A source that ends when it is told to, as all do."""

    def __init__(self, shots: Sequence[Shot], stop: threading.Event) -> None:
        self._shots, self._stop = shots, stop
        self.heard: list[Decision] = []

    def __iter__(self):
        for shot in self._shots:
            if self._stop.is_set():
                return
            yield shot

    def done(self, shot: Shot, verdict: Verdict) -> None:  # noqa: ARG002 - the source's signature
        self.heard.append(verdict.decision)


def test_every_shot_of_a_source_is_a_part_and_the_source_hears_what_became_of_it(good: Path) -> None:
    stop, paper = threading.Event(), Paper()
    gone = Unfit("gone", 2, 2.0, TAKEN, Reason.CAMERA_LOST, "no frame")
    belt = Belt([frame(1), gone, frame(1), frame(1), frame(2), frame(3), frame(4)], stop)
    with filled(good) as folder:
        order = Order(pictures_per_part=1, count=3)
        session = Session(folder, order, STATION, SourceName(kind="watch", device="in"), "1")
        by_source(session, belt, paper, stop)
    assert [each.name for each in session.taken] == [f"part-000{n}__1.png" for n in (1, 2, 3)]
    assert belt.heard == [Decision.OK, *[Decision.NOT_DECIDABLE] * 3, Decision.OK, Decision.OK]
    assert not any("no frame" in words for words in paper.said), "the source says itself that it is lost"
    assert sum("the very picture" in words for words in paper.said) == 1, "a frozen camera is said once"
