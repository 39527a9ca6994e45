"""What people type, what they read, and the exit codes scripts rely on."""

import json
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.recipe.manifest import Manifest
from tests.commands import goodpart
from tests.conftest import MAX_FALSE_REJECT, part_picture, station_file, write_parts


def bad_pictures(folder: Path) -> dict[str, str]:
    """Write pictures no recipe of grey 8-bit plates can judge; returns file name to the reason it must be given."""
    folder.mkdir(parents=True, exist_ok=True)
    plate = part_picture(1)
    whole = cv2.imencode(".png", plate)[1].tobytes()
    raw = {
        "larger.png": cv2.imencode(".png", cv2.resize(plate, None, fx=2, fy=2))[1].tobytes(),
        "smaller.png": cv2.imencode(".png", plate[::2, ::2])[1].tobytes(),
        "tiny.png": cv2.imencode(".png", plate[:1, :1])[1].tobytes(),
        "colour.png": cv2.imencode(".png", cv2.applyColorMap(plate, cv2.COLORMAP_JET))[1].tobytes(),
        "deep.png": cv2.imencode(".png", plate.astype(np.uint16) * 257)[1].tobytes(),
        "cut.png": whole[: len(whole) // 2],
        "cut.jpg": cv2.imencode(".jpg", plate)[1].tobytes()[:-40],
        "empty.png": b"",
        "text.png": b"this is not a picture",
        "black.png": cv2.imencode(".png", np.zeros_like(plate))[1].tobytes(),
        "white.png": cv2.imencode(".png", np.full_like(plate, 255))[1].tobytes(),
        "flat.png": cv2.imencode(".png", np.full_like(plate, 110))[1].tobytes(),
    }
    for name, content in raw.items():
        (folder / name).write_bytes(content)
    sizes = dict.fromkeys(("larger.png", "smaller.png", "tiny.png"), "WRONG_SIZE")
    unreadable = dict.fromkeys(("cut.png", "cut.jpg", "empty.png", "text.png"), "UNREADABLE")
    light = {"black.png": "TOO_DARK", "white.png": "TOO_BRIGHT", "flat.png": "NO_CONTRAST"}
    return sizes | unreadable | light | {"colour.png": "WRONG_COLOUR", "deep.png": "WRONG_DEPTH"}


@pytest.mark.parametrize(
    "command", [[], ["run"], ["once"], ["check"], ["status"], ["calibrate"], ["calibrate", "build"], ["export"], ["demo"]]
)
def test_help_answers_at_once_and_without_an_error(command: list[str]) -> None:
    ended = goodpart(*command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Usage: ")


def test_version_is_the_distributions() -> None:
    assert goodpart("--version").out.strip() == f"goodpart, version {version('goodpart')}"


@pytest.mark.parametrize(
    "args", [["fly"], ["once"], ["run", "a", "b"], ["calibrate", "build", "x", "--seed", "-1", "-o", "y"]]
)
def test_a_wrong_command_line_is_explained_with_code_2(args: list[str]) -> None:
    ended = goodpart(*args)
    assert ended.code == 2
    assert "Usage: " in ended.err


def test_once_says_ok_and_nok_with_code_and_picture(recipe_dir: Path, test_set: Path, tmp_path: Path) -> None:
    good = goodpart("once", test_set / "good" / "part-100.png", "-r", recipe_dir, cwd=tmp_path)
    assert (good.code, good.out.split()[0]) == (0, "OK")
    assert cv2.imread(str(tmp_path / "part-100-overlay.png")) is not None
    target = tmp_path / "o.png"
    bad = goodpart("once", test_set / "scratch" / "part-200.png", "-r", recipe_dir, "-o", target, "--json", cwd=tmp_path)
    record = json.loads(bad.out)
    assert (bad.code, record["verdict"], record["reason"]) == (1, "NOK", "ABOVE_THRESHOLD")
    assert record["score"] > record["threshold"]
    # The scratch runs from (60, 25) to (105, 95).
    assert any(
        r["x"] < 105 and r["x"] + r["width"] > 60 and r["y"] < 95 and r["y"] + r["height"] > 25 for r in record["regions"]
    )
    assert target.is_file()


def test_once_never_says_ok_to_a_bad_picture(recipe_dir: Path, tmp_path: Path) -> None:
    for name, reason in {**bad_pictures(tmp_path / "bad"), "absent.png": "UNREADABLE"}.items():
        ended = goodpart("once", tmp_path / "bad" / name, "-r", recipe_dir, "--json", cwd=tmp_path)
        record = json.loads(ended.out)
        assert (ended.code, record["verdict"], record["reason"]) == (3, "NOT_DECIDABLE", reason), name
        assert record["detail"], name
        assert "Traceback" not in ended.err


def test_run_never_says_ok_to_a_bad_picture(recipe_dir: Path, tmp_path: Path) -> None:
    reasons = bad_pictures(tmp_path / "bad")
    config = station_file(tmp_path, recipe_dir, {"kind": "folder", "path": "bad"}, results={"path": "results.jsonl"})
    ended = goodpart("run", config)
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert ended.code == 0
    assert f"{len(reasons)} NOT_DECIDABLE" in ended.err
    assert {(r["part_id"], r["reason"]) for r in lines} == {(Path(n).stem, reason) for n, reason in reasons.items()}
    assert {r["verdict"] for r in lines} == {"NOT_DECIDABLE"}


@pytest.mark.parametrize("name", ["deep.png", "cut.png", "cut.jpg", "empty.png", "text.png"])
def test_build_names_the_picture_it_cannot_use(tmp_path: Path, name: str) -> None:
    goods = write_parts(tmp_path / "good", range(30))
    bad_pictures(tmp_path / "bad")
    (tmp_path / "bad" / name).rename(goods / f"00-{name}")
    built = goodpart("calibrate", "build", goods, "--out", tmp_path / "r", "--max-false-reject", MAX_FALSE_REJECT)
    assert f"00-{name}" in built.sentence
    assert not (tmp_path / "r").exists()


def test_evaluate_counts_bad_pictures_as_not_decidable(recipe_dir: Path, test_set: Path) -> None:
    reasons = bad_pictures(test_set / "good")
    ended = goodpart("calibrate", "evaluate", recipe_dir, test_set, "--json", cwd=test_set)
    record = json.loads(ended.out)
    assert ended.code == 0
    assert record["not_decidable"] == len({Path(name).stem for name in reasons}), "parts, and names tell them"
    assert {p["verdict"] for p in record["pictures"] if Path(p["path"]).name in reasons} == {"NOT_DECIDABLE"}


def test_build_prints_its_promise_and_a_recipe_that_evaluates(goods_dir: Path, test_set: Path, tmp_path: Path) -> None:
    args = ("calibrate", "build", goods_dir, "--out", tmp_path / "my recipe", "--max-false-reject", MAX_FALSE_REJECT)
    ended = goodpart(*args, "--bank-most", 800)
    assert ended.code == 0
    assert "We are 95 % sure that at most 20 % of good parts" in ended.out
    assert goodpart(*args).sentence.endswith("replace it with --force.")
    again = goodpart(*args, "--bank-most", 800, "--force", "--json")
    manifest = Manifest.model_validate_json(again.out)
    assert (manifest.name, manifest.bank.vectors, len(manifest.goods.bank)) == ("my-recipe", 800, 16)
    words = goodpart("calibrate", "evaluate", tmp_path / "my recipe", test_set, cwd=tmp_path).out
    assert "image AUROC    1.0000" in words
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_same_goods_and_seed_give_the_same_recipe(goods_dir: Path, recipe_dir: Path, tmp_path: Path) -> None:
    args = ("--max-false-reject", MAX_FALSE_REJECT, "--bank-most", 1000, "--name", "plate", "--json")
    again = Manifest.model_validate_json(goodpart("calibrate", "build", goods_dir, "-o", tmp_path / "r", *args).out)
    first = Manifest.model_validate_json((recipe_dir / "recipe.json").read_bytes())
    assert (again.files, again.threshold) == (first.files, first.threshold)


@pytest.mark.parametrize(
    ("goods", "says"),
    [(0, "holds no pictures"), (1, "too few for any threshold"), (10, "too few for any"), (60, "collect 118")],
)
def test_too_few_goods_are_refused_with_what_would_do(tmp_path: Path, goods: int, says: str) -> None:
    folder = write_parts(tmp_path / "good", range(goods))
    assert says in goodpart("calibrate", "build", folder, "--out", tmp_path / "r").sentence


def test_build_refuses_what_is_in_its_way(goods_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    args = ("calibrate", "build", goods_dir, "--max-false-reject", MAX_FALSE_REJECT, "--force")
    assert "is not a recipe" in goodpart(*args, "--out", tmp_path / "precious").sentence
    assert "cannot be written" in goodpart(*args, "--out", "/proc/recipe").sentence
    assert "encoder.json" in goodpart(*args, "--out", tmp_path / "r", "--encoder", tmp_path / "precious").sentence
    assert "cannot be listed" in goodpart("calibrate", "build", tmp_path / "absent", "--out", tmp_path / "r").sentence


@pytest.mark.parametrize("command", [["once", "x.png", "-r"], ["calibrate", "evaluate"]])
def test_a_folder_that_is_no_recipe_is_refused_everywhere(tmp_path: Path, command: list[str]) -> None:
    assert "recipe.json: cannot be read" in goodpart(*command, tmp_path, *(["."] if "evaluate" in command else [])).sentence


def test_run_refuses_a_wrong_station_file_with_its_keys(recipe_dir: Path, tmp_path: Path) -> None:
    config = station_file(tmp_path, recipe_dir, {"kind": "folder", "path": ".", "colour": "red"}, thread=2)
    sentence = goodpart("run", config).sentence
    assert all(words in sentence for words in ("source.folder.colour: unknown key", "thread: unknown key"))


def test_an_unwritable_overlay_is_one_sentence(recipe_dir: Path, test_set: Path) -> None:
    args = ("once", test_set / "good" / "part-100.png", "-r", recipe_dir, "-o", "/proc/o.png")
    assert "--overlay" in goodpart(*args).sentence
