"""`goodpart run` from source to file: every kind of source, and the ends a run can have."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.brokers import wait_until
from tests.cameras import MjpegCamera
from tests.commands import goodpart
from tests.conftest import part_picture, station_file, write_parts
from tests.devices import Device
from tests.recipes import resealed


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"


def test_a_video_is_judged_to_its_end_and_standard_output_is_a_file_too(recipe_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "line.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
    for seed in range(300, 306):
        writer.write(part_picture(seed, defect=seed >= 303))
    writer.release()
    source: dict[str, object] = {"kind": "video", "path": str(path), "every": 3}
    ended = goodpart("run", station_file(tmp_path, recipe_dir, source, results={"path": "-"}))
    assert ended.code == 0
    assert [json.loads(line)["part_id"] for line in ended.out.splitlines()] == ["line-000000", "line-000003"]
    assert json.loads(ended.out.splitlines()[1])["verdict"] == "NOK"


def test_what_is_no_video_is_one_sentence(recipe_dir: Path, results: Path, tmp_path: Path) -> None:
    source: dict[str, object] = {"kind": "video", "path": str(recipe_dir / "recipe.json")}
    ended = goodpart("run", station_file(tmp_path, recipe_dir, source, results={"path": str(results)}))
    assert "source.path" in ended.sentence


def test_a_live_camera_is_judged_until_a_signal_even_if_it_falls_silent(
    recipe_dir: Path, results: Path, tmp_path: Path
) -> None:
    with MjpegCamera(part_picture(300)) as camera:
        source: dict[str, object] = {"kind": "camera", "device": camera.url, "interval_s": 0.02, "timeout_s": 120.0}
        with Device(station_file(tmp_path, recipe_dir, source, results={"path": str(results)})) as device:
            wait_until(lambda: len(lines(results)) >= 3, "three verdicts")
            camera.running = False
            device.send(signal.SIGTERM)
            assert device.ended() == 0
    assert {line["verdict"] for line in lines(results)} == {"OK"}
    assert [line["seq"] for line in lines(results)] == list(range(1, len(lines(results)) + 1))


def test_a_lost_camera_is_one_verdict_and_one_line_in_the_journal(recipe_dir: Path, results: Path, tmp_path: Path) -> None:
    with MjpegCamera(part_picture(300), running=False) as camera:
        source: dict[str, object] = {"kind": "camera", "device": camera.url, "interval_s": 0.0, "timeout_s": 0.5}
        with Device(station_file(tmp_path, recipe_dir, source, results={"path": str(results)})) as device:
            device.wait_for_line("is lost")
            camera.running = True
            wait_until(lambda: len(lines(results)) >= 3, "verdicts after the loss")
            device.send(signal.SIGINT)
            assert device.ended() == 0
    assert [line["reason"] for line in lines(results)[:2]] == ["CAMERA_LOST", "WITHIN_THRESHOLD"]
    assert device.err.count("is back") == 1


@pytest.mark.parametrize("kind", ["folder", "watch"])
def test_nothing_that_is_no_comparable_picture_is_ever_ok(
    recipe_dir: Path, results: Path, tmp_path: Path, kind: str
) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    plate = part_picture(300)
    wanted = {
        "large": "WRONG_SIZE",
        "deep": "WRONG_DEPTH",
        "grey": "WITHIN_THRESHOLD",
        "odd-\N{REPLACEMENT CHARACTER}": "UNREADABLE",
    }
    wanted |= dict.fromkeys(("cut", "empty", "text", "folder", "nowhere"), "UNREADABLE")
    cv2.imwrite(str(incoming / "large.png"), cv2.resize(plate, None, fx=2, fy=2))
    cv2.imwrite(str(incoming / "deep.png"), plate.astype("uint16") * 257)
    cv2.imwrite(str(incoming / "grey.png"), plate[..., 0])
    (incoming / "cut.png").write_bytes(cv2.imencode(".png", plate)[1].tobytes()[:500])
    (incoming / "empty.png").touch()
    (incoming / "text.png").write_text("hello")
    (incoming / "folder.png").mkdir()
    (incoming / "nowhere.png").symlink_to("absent.png")
    Path(os.fsdecode(os.fsencode(incoming) + b"/odd-\xff.png")).touch()
    source: dict[str, object] = {"kind": kind, "path": str(incoming)}
    with Device(station_file(tmp_path, recipe_dir, source, results={"path": str(results)})) as device:
        wait_until(lambda: len(lines(results)) == len(wanted), "a verdict for each")
        if kind == "watch":
            device.send(signal.SIGTERM)
        assert device.ended() == 0
    assert {line["part_id"]: line["reason"] for line in lines(results)} == wanted
    assert all(line["detail"] for line in lines(results) if line["part_id"] != "grey")
    if kind == "watch":
        assert len(list((incoming / "failed").iterdir())) == len(wanted) - 1


def test_a_full_disk_does_not_stop_the_line_but_is_told_at_the_end(recipe_dir: Path, tmp_path: Path) -> None:
    source: dict[str, object] = {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 303)))}
    ended = goodpart("run", station_file(tmp_path, recipe_dir, source, results={"path": "/dev/full"}))
    assert ended.code == 1
    assert ended.err.count("No space left on device") == 1
    assert "judged 3: 3 OK; 3 lost" in ended.err


def test_a_recipe_whose_golden_pictures_are_not_reproduced_judges_no_part(
    recipe_dir: Path, results: Path, tmp_path: Path
) -> None:
    """As on a device that computes something else."""
    golden = (recipe_dir / "golden-2.png").read_bytes()
    other = resealed(recipe_dir, tmp_path / "other", {"golden-1.png": golden})
    parts = write_parts(tmp_path / "parts", range(300, 302))
    ended = goodpart(
        "run", station_file(tmp_path, other, {"kind": "folder", "path": str(parts)}, results={"path": str(results)})
    )
    assert "golden picture golden-1.png scores" in ended.sentence
    assert lines(results) == []
    assert "golden picture golden-1.png scores" in goodpart("once", parts / "part-300.png", "-r", other).sentence


@pytest.mark.parametrize("name", ["bank.npy", "encoder.onnx", "golden-1.png"])
def test_a_recipe_that_was_altered_after_it_was_sealed_judges_no_part(
    recipe_dir: Path, results: Path, tmp_path: Path, name: str
) -> None:
    altered = Path(shutil.copytree(recipe_dir, tmp_path / "altered"))
    raw = bytearray((altered / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (altered / name).write_bytes(raw)
    source: dict[str, object] = {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 302)))}
    ended = goodpart("run", station_file(tmp_path, altered, source, results={"path": str(results)}))
    assert name in ended.sentence
    assert "not the file that was sealed" in ended.sentence
    assert lines(results) == []
