"""What is taken is stored whole and under a name of its own; what shows no part is not."""

import hashlib
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.collect.session import DUPLICATE, NotTaken, Order, Session, Taken
from calibration.collect.sidecar import Sidecar, SourceName, read_sidecar, source_name
from calibration.collect.store import filled
from calibration.collect.words import doubt_in_words, summary
from calibration.goods import count_parts, find_goods
from edge.capture.config import CameraConfig
from edge.capture.pictures import list_pictures, read_picture
from edge.errors import BadConfig
from edge.report.wire import StationName
from edge.types import Frame, Reason, Shot, Unfit
from tests.conftest import part_picture

STATION = StationName(site="ulm", area="cells", line="line-1", station="cam")
TAKEN = datetime(2026, 11, 24, 6, 51, 7, 123456, UTC)


def frame(seed: int) -> Frame:
    return Frame(f"shot-{seed}", seed, float(seed), TAKEN, part_picture(seed))


@contextmanager
def session_in(folder: Path, order: Order | None = None) -> Iterator[Session]:
    with filled(folder) as filling:
        yield Session(filling, order or Order(), STATION, SourceName(kind="camera", device=0), "1.2.3")


def take(session: Session, *seeds: int) -> list[str]:
    names = []
    for seed in seeds:
        taken = session.take(frame(seed))
        assert isinstance(taken, Taken)
        names.append(taken.name)
    return names


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return tmp_path / "good"


def test_pictures_of_one_part_share_its_name_and_build_keeps_them_together(good: Path) -> None:
    with session_in(good) as session:
        assert take(session, 1, 2) == ["part-0001__1.png", "part-0001__2.png"]
        assert session.next_part() is None
        assert take(session, 3) == ["part-0002__1.png"]
        assert (session.parts, session.outlook.parts) == (2, 2)
    goods = find_goods(good)
    assert [g.part_id for g in goods] == ["part-0001", "part-0001", "part-0002"]
    assert count_parts(goods) == 2


def test_a_picture_is_stored_without_loss_and_its_sidecar_says_what_it_is(good: Path) -> None:
    with session_in(good) as session:
        take(session, 1)
    path = good / "part-0001__1.png"
    assert (read_picture(path) == part_picture(1)).all()
    sidecar = read_sidecar(path)
    assert sidecar is not None
    assert sidecar.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    plain = json.loads((good / "part-0001__1.json").read_text())
    assert plain["format"] == "goodpart.picture/1"
    assert plain["taken_utc"] == "2026-11-24T06:51:07.123456Z"
    assert (plain["part"], plain["picture"], plain["shot"], plain["goodpart"]) == ("part-0001", 1, "shot-1", "1.2.3")
    assert (plain["width"], plain["height"], plain["source"]) == (160, 120, {"kind": "camera", "device": 0})
    assert plain["fitness"]["brightness"] == pytest.approx(part_picture(1)[::4, ::4].mean(), abs=0.01)


def test_numbers_go_on_after_the_highest_that_ever_was(good: Path) -> None:
    with session_in(good, Order(pictures_per_part=1)) as session:
        take(session, 1, 2, 3)
        session.undo()
    (good / "part-0007.png").write_bytes(cv2.imencode(".png", part_picture(9))[1].tobytes())
    with session_in(good, Order(pictures_per_part=1)) as session:
        assert session.outlook.parts == 3
        assert take(session, 4) == ["part-0008__1.png"]
    with session_in(good, Order(part="part-0003")) as session:
        assert take(session, 5) == ["part-0003__2.png"]
        assert "--part" in (session.next_part() or "")
    with session_in(good, Order(prefix="cell_")) as session:
        assert take(session, 6) == ["cell_0001__1.png"]


def test_what_is_taken_back_is_moved_and_its_part_is_the_present_one_again(good: Path) -> None:
    with session_in(good, Order(pictures_per_part=2)) as session:
        take(session, 1, 2)
        assert session.part == "part-0002"
        last = session.undo()
        assert last is not None
        assert (last.name, session.part, session.discarded) == ("part-0001__2.png", "part-0001", 1)
        assert take(session, 2) == ["part-0001__3.png"], "no number is used twice, and the picture may be taken again"
        assert session.part == "part-0002"
    assert {"discarded/part-0001__2.png", "discarded/part-0001__2.json"} < files(good)
    assert [p.name for p in list_pictures(good)] == ["part-0001__1.png", "part-0001__3.png"]


def test_only_pictures_of_this_session_can_be_taken_back(good: Path) -> None:
    with session_in(good) as session:
        take(session, 1)
    with session_in(good) as session:
        assert session.undo() is None
    assert (good / "part-0001__1.png").exists()


def test_a_part_without_a_picture_uses_up_no_number(good: Path) -> None:
    with session_in(good) as session:
        assert "no picture yet" in (session.next_part() or "")
        take(session, 1)
        session.next_part()
        session.undo()
        assert session.next_part() is not None
        assert session.outlook.parts == 0


def test_a_session_ends_when_the_last_part_asked_for_is_whole(good: Path) -> None:
    with session_in(good, Order(pictures_per_part=2, count=2)) as session:
        take(session, 1, 2, 3)
        assert not session.finished
        take(session, 4)
        assert session.finished
        assert session.parts == 2


def test_what_shows_no_part_is_not_stored_but_counted_with_its_reason(good: Path) -> None:
    flat = Frame("lens cap", 1, 1.0, TAKEN, np.full((120, 160, 3), 2, np.uint8))
    broken = Unfit("broken", 2, 2.0, TAKEN, Reason.UNREADABLE, "the file is cut off")
    with session_in(good) as session:
        take(session, 1)
        for shot in (flat, broken, frame(1)):
            assert isinstance(session.take(shot), NotTaken)
        assert session.not_taken == {Reason.TOO_DARK: 1, Reason.UNREADABLE: 1, DUPLICATE: 1}
        words = summary(session, None)
    assert files(good) == {"part-0001__1.png", "part-0001__1.json"}
    for said in (
        "taken: 1 picture of 1 part",
        "one dark tone",
        "unreadable",
        "the very picture was there already",
        "117 more",
    ):
        assert said in words


def test_the_same_bytes_are_not_taken_again_in_a_later_session(good: Path) -> None:
    with session_in(good) as session:
        take(session, 1)
    with session_in(good) as session:
        refused = session.take(frame(1))
    assert isinstance(refused, NotTaken)
    assert "part-0001__1.png" in refused.detail


def test_a_later_session_compares_with_what_was_there(good: Path) -> None:
    with session_in(good) as session:
        take(session, 1, 2, 3)
    with session_in(good) as session:
        dark = session.take(Frame("dark", 1, 1.0, TAKEN, (part_picture(4) * 0.5).astype(np.uint8)))
    assert isinstance(dark, Taken)
    assert "DARKER" in {hint.kind for hint in dark.hints}


def test_a_standing_part_that_counts_as_several_makes_the_promise_doubtful(good: Path) -> None:
    large = cv2.resize(part_picture(1), (640, 480))
    again = cv2.add(large, np.random.default_rng(0).integers(0, 3, large.shape, np.uint8))
    shots: list[Shot] = [Frame(str(n), n, float(n), TAKEN, pixels) for n, pixels in enumerate((large, again))]
    with session_in(good, Order(pictures_per_part=1)) as session:
        for shot in shots:
            session.take(shot)
        assert doubt_in_words(session).startswith("1 picture of a new part hardly differs")
    with session_in(good.with_name("one part"), Order()) as session:
        for shot in shots:
            session.take(shot)
        assert doubt_in_words(session) == "", "two pictures of one part may look alike"


def test_a_full_disk_leaves_no_half_file_and_keeps_what_was_there(good: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with session_in(good) as session:
        take(session, 1)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
            with pytest.raises(BadConfig, match=r"part-0001__2\.png cannot be written: File too large"):
                session.take(frame(2))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert take(session, 3) == ["part-0001__2.png"]
    assert {name for name in files(good) if name.endswith("png")} == {"part-0001__1.png", "part-0001__2.png"}
    assert not list(good.glob(".*"))


def test_nothing_is_overwritten_even_if_somebody_else_writes_there(good: Path) -> None:
    with session_in(good) as session:
        (good / "part-0001__1.png").write_bytes(b"somebody else's")
        with pytest.raises(BadConfig, match="is there already"):
            take(session, 1)
    assert (good / "part-0001__1.png").read_bytes() == b"somebody else's"
    assert files(good) == {"part-0001__1.png"}


def test_two_sessions_cannot_fill_one_folder(good: Path) -> None:
    with session_in(good), pytest.raises(BadConfig, match="another collect"), session_in(good):
        pass


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadConfig, match="cannot be opened"), session_in(tmp_path / "file"):
        pass
    with session_in(tmp_path / "good") as session:
        take(session, 1)
    (tmp_path / "good" / "part-0001__1.json").write_text("{}")
    with pytest.raises(BadConfig, match=r"part-0001__1\.json"), session_in(tmp_path / "good"):
        pass


@pytest.mark.parametrize("name", ["", "a__b", "../up", ".hidden", "ä", "a b", "x" * 65, "ends_"])
def test_a_name_that_could_not_be_told_from_its_number_is_refused(name: str) -> None:
    with pytest.raises(BadConfig, match="--part"):
        Order(part=name)


def test_one_part_for_the_whole_session_needs_no_other_order() -> None:
    with pytest.raises(BadConfig, match="leave out --pictures-per-part and --count"):
        Order(part="p", count=3)


def test_the_password_of_a_camera_does_not_travel_with_the_pictures() -> None:
    camera = CameraConfig(kind="camera", device="rtsp://user:secret@10.0.0.7:554/stream?x=1")
    assert source_name(camera).device == "rtsp://10.0.0.7:554/stream?x=1"
    assert source_name(CameraConfig(kind="camera", device=0)).device == 0
    assert Sidecar.model_fields["source"].annotation is SourceName
