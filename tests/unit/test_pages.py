"""The pages of the commands work in a browser, wide and on a phone, and fetch nothing."""

import json
from pathlib import Path

import cv2
import pytest

from edge.recipe.recipe import open_recipe
from tests.browser import PHONE, WIDE, chromium, look
from tests.commands import goodpart
from tests.conftest import part_picture, station_file, write_parts


def repeats(folder: Path, seeds: range, *, defect: bool = False) -> Path:
    """Two pictures of each part."""
    folder.mkdir(parents=True)
    for seed in seeds:
        for take in (1, 2):
            picture = cv2.add(part_picture(seed, defect=defect), (take, take, take, 0))
            cv2.imwrite(str(folder / f"part-{seed}__{take}.png"), picture)
    return folder


@pytest.fixture
def results(recipe_dir: Path, goods_dir: Path, tmp_path: Path) -> Path:
    """What `goodpart run` writes of the goods, four times over, as if a camera had taken them: replays do not count."""
    path = tmp_path / "results.jsonl"
    config = station_file(tmp_path, recipe_dir, {"kind": "folder", "path": str(goods_dir)}, results={"path": str(path)})
    for _ in range(4):
        assert goodpart("run", config).code in {0, 1}
    path.write_text(path.read_text().replace('"origin":"replay"', '"origin":"live"'))
    return path


def test_every_commands_page_is_clean(
    recipe_dir: Path, test_set: Path, goods_dir: Path, results: Path, tmp_path: Path
) -> None:
    parts = tmp_path / "parts"
    repeats(parts / "good", range(600, 606))
    repeats(parts / "scratch", range(650, 656), defect=True)
    masters = tmp_path / "masters"
    write_parts(masters / "good", range(700, 702))
    write_parts(masters / "scratch", range(710, 712), defect=True)
    collected = station_file(tmp_path, recipe_dir, {"kind": "folder", "path": str(goods_dir)}, results={"path": "r.jsonl"})
    commands = {
        "build": ("build", goods_dir, "--out", tmp_path / "r", "--max-false-reject", 0.2, "--bank-most", 500),
        "repeatability": ("study", "repeatability", recipe_dir, parts / "good"),
        "agreement": ("study", "agreement", recipe_dir, parts),
        "samples": ("study", "samples", recipe_dir, masters, "--out", tmp_path / "shift.json"),
        "compare": ("compare", recipe_dir, recipe_dir, test_set),
        "drift": ("drift", recipe_dir, results, "--baseline", 50),
        "collect": ("collect", collected, "--out", tmp_path / "collected", "--count", 5),
    }
    with chromium() as browser:
        for name, command in commands.items():
            page = tmp_path / f"page-{name}.html"
            ended = goodpart("calibrate", *command, "--page", page, cwd=tmp_path)
            assert ended.code == 0, (name, ended.err)
            for size in (WIDE, PHONE):
                shown = look(browser, page, size)
                assert (shown.complaints, shown.fetched, shown.broken_pictures) == ([], [], 0), name
                assert all(shown.charts), name
                assert not shown.too_wide, name
    assert json.loads((tmp_path / "shift.json").read_text())["recipe_id"] == open_recipe(recipe_dir).id
