"""`goodpart calibrate collect` as the line engineer runs it."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.goods import count_parts, find_goods
from edge.capture.pictures import list_pictures, read_picture
from tests.brokers import PATIENCE_S, wait_until
from tests.cameras import MjpegCamera
from tests.commands import goodpart
from tests.conftest import part_picture, write_parts
from tests.terminals import AtTerminal


def station(folder: Path, **source: object) -> Path:
    """A station's file of the first day: no recipe, nobody to tell. JSON is YAML."""
    name = {"site": "ulm", "area": "cells", "line": "line-1", "station": "cam"}
    path = folder / "station.yaml"
    path.write_text(json.dumps({"station": name, "source": source}))
    return path


def collect(*args: object, cwd: Path):
    return goodpart("calibrate", "collect", *args, cwd=cwd)


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    with MjpegCamera(part_picture(1)) as running:
        yield running


def test_every_picture_of_a_folder_becomes_a_good_part_for_build(tmp_path: Path) -> None:
    parts = write_parts(tmp_path / "parts", range(24))
    (parts / "cut.png").write_bytes((parts / "part-000.png").read_bytes()[:500])
    cv2.imwrite(str(parts / "lens-cap.png"), np.zeros((120, 160, 3), np.uint8))
    ended = collect(station(tmp_path, kind="folder", path="parts"), "-o", "good", "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["parts"], found["parts_in_folder"], found["parts_needed"]) == (24, 24, 118)
    assert found["not_taken"] == {"UNREADABLE": 1, "TOO_DARK": 1}
    assert found["could_promise"] == pytest.approx(1 - 0.05 ** (1 / 12))
    page = (tmp_path / found["page"]).read_text()
    assert "24 good parts in 24 pictures" in page
    assert page.count("data:image/jpeg") == 24
    assert "lens covered" in ended.err
    assert count_parts(find_goods(tmp_path / "good")) == 24


def test_a_video_gives_parts_of_several_pictures(tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "line.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
    for seed in range(8):
        writer.write(part_picture(seed))
    writer.release()
    options = ("--pictures-per-part", 2, "--count", 3, "--prefix", "plate-", "--page", "sheet.html")
    ended = collect(station(tmp_path, kind="video", path="line.avi"), "-o", "good", *options, cwd=tmp_path)
    assert ended.code == 0, ended.err
    names = [f"plate-000{part}__{picture}.png" for part in (1, 2, 3) for picture in (1, 2)]
    assert [p.name for p in list_pictures(tmp_path / "good")] == names
    assert "taken: 6 pictures of 3 parts" in ended.out
    assert "115 more parts for the default promise (at most 5 % of good parts rejected, 95 % sure)" in ended.out
    assert (tmp_path / "sheet.html").exists()


def test_a_watched_folder_is_emptied_until_ctrl_c(tmp_path: Path) -> None:
    incoming = write_parts(tmp_path / "incoming", range(2))
    cv2.imwrite(str(incoming / "flat.png"), np.full((120, 160, 3), 99, np.uint8))
    path = station(tmp_path, kind="watch", path="incoming", poll_s=0.02)
    command = [sys.executable, "-m", "edge.cli", "calibrate", "collect", str(path), "-o", "good"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: len(list(incoming.glob("*/*.png"))) == 3, "three files put away")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert "taken: 2 pictures of 2 parts" in out
    assert sorted(p.name for p in (incoming / "processed").iterdir()) == ["part-000.png", "part-001.png"]
    assert [p.name for p in (incoming / "failed").iterdir()] == ["flat.png"]


def test_at_the_station_keys_take_the_newest_picture_and_the_terminal_is_given_back(
    tmp_path: Path, camera: MjpegCamera
) -> None:
    good = tmp_path / "good"
    path = station(tmp_path, kind="camera", device=camera.url, timeout_s=30.0)
    with AtTerminal("calibrate", "collect", path, "-o", "good", "--json", cwd=tmp_path) as at:
        at.wait_for("in view")
        at.press("\n")
        wait_until((good / "part-0001__1.json").exists, "the first picture")
        at.wait_for("nothing has changed since the last picture")
        at.press("n")
        at.wait_for("next part: part-0002")
        camera.point_at(cv2.add(part_picture(2), np.full((120, 160, 3), 90, np.uint8)))
        wait_until(lambda: re.search(r"in view: 160×120, brightness 2\d\d", at.screen), "the second part in view")
        at.press(" ")
        wait_until((good / "part-0002__1.json").exists, "the second picture")
        at.press("u")
        wait_until((good / "discarded" / "part-0002__1.json").exists, "the second picture taken back")
        at.press("\x1b[A\x1bOQ")  # arrow up and F2 are no q
        at.press("q")
        code, out = at.ended()
        assert at.is_calm
    assert code == 0
    found = json.loads(out)
    assert (found["pictures"], found["discarded"]) == (["part-0001__1.png"], 1)
    assert abs(read_picture(good / "part-0001__1.png").astype(int) - part_picture(1)).mean() < 5


def test_ctrl_c_at_the_station_ends_with_the_summary_and_a_calm_terminal(tmp_path: Path, camera: MjpegCamera) -> None:
    path = station(tmp_path, kind="camera", device=camera.url, timeout_s=30.0)
    with AtTerminal("calibrate", "collect", path, "-o", "good", cwd=tmp_path) as at:
        at.wait_for("in view")
        at.press("\n")
        at.wait_for("part-0001__1.png")
        at.press("\x03")
        code, out = at.ended()
        assert at.is_calm
    assert code == 0
    assert "taken: 1 picture of 1 part" in out


def test_a_camera_without_a_terminal_takes_pictures_by_itself(tmp_path: Path, camera: MjpegCamera) -> None:
    path = station(tmp_path, kind="camera", device=camera.url, interval_s=0.0, timeout_s=30.0)
    ended = collect(path, "-o", "good", "--part", "master", "--page", "p.html", "--trigger", "key", cwd=tmp_path)
    assert "--trigger auto" in ended.sentence
    ended = collect(path, "-o", "good", "--count", 1, cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert [p.name for p in list_pictures(tmp_path / "good")] == ["part-0001__1.png"]


@pytest.mark.parametrize(
    ("source", "options", "says"),
    [
        ({"kind": "folder", "path": "parts"}, ("--trigger", "key"), "source.kind is folder"),
        ({"kind": "folder", "path": "parts"}, ("--part", "a", "--prefix", "b"), "leave out --prefix"),
        ({"kind": "folder", "path": "parts"}, ("-o", "parts"), "choose another one"),
        ({"kind": "folder", "path": "parts"}, ("-o", "station.yaml"), "station.yaml cannot be opened"),
        ({"kind": "folder", "path": "absent"}, (), "cannot be listed"),
    ],
)
def test_each_mistake_is_one_sentence(
    tmp_path: Path, source: dict[str, object], options: tuple[str, ...], says: str
) -> None:
    write_parts(tmp_path / "parts", range(1))
    ended = collect(station(tmp_path, **source), "-o", "good", *options, cwd=tmp_path)
    assert says in ended.sentence


def test_a_session_that_took_nothing_says_so_and_writes_no_page(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    cv2.imwrite(str(tmp_path / "parts" / "flat.png"), np.full((120, 160, 3), 99, np.uint8))
    ended = collect(station(tmp_path, kind="folder", path="parts"), "-o", "good", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "taken: 0 pictures of 0 parts" in ended.out
    assert list(tmp_path.glob("*.html")) == []
