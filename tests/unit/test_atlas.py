"""Maps, likenesses and FiftyOne's records: what stands where, what is near to what, what lies where it should not."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.atlas.folders import groups_of, pictures_in
from calibration.atlas.outsiders import modified_z, outsiders
from calibration.atlas.reduce import default_method, reduce, require, standardised
from calibration.atlas.samples import HEAT_SIDE, records
from calibration.atlas.similar import cosine_distances, suppliers
from calibration.progress import steps
from calibration.sight import see
from edge.errors import BadConfig
from edge.recipe.recipe import open_recipe
from edge.types import Decision
from tests import oracle
from tests.browser import PHONE, WIDE, chromium, look
from tests.commands import goodpart
from tests.conftest import part_picture, station_file, write_parts


def test_folders_become_groups_by_their_layout(test_set: Path, tmp_path: Path) -> None:
    watched = write_parts(tmp_path / "watched" / "processed", range(2)).parent
    plain = write_parts(tmp_path / "plain", range(3))
    assert groups_of(pictures_in([test_set, watched, plain])) == {"good": 4, "scratch": 4, "processed": 2, "plain": 3}
    with pytest.raises(BadConfig, match="given twice"):
        pictures_in([plain, plain])
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadConfig, match="holds no pictures"):
        pictures_in([tmp_path / "empty"])


def test_a_devices_evidence_is_a_group_for_each_day_without_its_overlays(recipe_dir: Path, tmp_path: Path) -> None:
    parts = write_parts(tmp_path / "parts", range(300, 303), defect=True)
    more = {"results": {"path": "r.jsonl"}, "evidence": {"path": "evidence", "keep": ["OK", "NOK", "NOT_DECIDABLE"]}}
    assert goodpart("run", station_file(tmp_path, recipe_dir, {"kind": "folder", "path": str(parts)}, **more)).code == 0
    kept = tmp_path / "evidence"
    assert len(list(kept.rglob("*-overlay.jpg"))) == 3
    assert groups_of(pictures_in([kept])) == {"evidence": 3}
    mapped = goodpart("calibrate", "map", recipe_dir, kept, parts, "--json", cwd=tmp_path)
    assert {each["group"] for each in json.loads(mapped.out)["pictures"]} == {"evidence", "parts"}


def test_numbers_that_vary_count_alike_and_those_that_do_not_are_nothing() -> None:
    rng = np.random.default_rng(0)
    wide = np.column_stack([rng.normal(5, 100, 50), rng.normal(0, 0.01, 50), np.full(50, 3.3)]).astype(np.float32)
    scaled = standardised(wide)
    assert scaled[:, :2].std(axis=0) == pytest.approx([1, 1])
    assert (scaled[:, 2] == 0).all()


def test_pca_keeps_the_two_widest_directions_and_says_what_they_hold() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(40, 5)) * [10, 3, 0.1, 0.1, 0.1]
    plane = reduce(points, "pca", 0)
    centred = points - points.mean(axis=0)
    assert np.abs(np.corrcoef(plane.points[:, 0], centred[:, 0])[0, 1]) > 0.999
    assert plane.explained is not None
    assert plane.explained[0] == pytest.approx(100 / 109, abs=0.05)


def test_tsne_is_seeded_and_keeps_two_clouds_apart() -> None:
    rng = np.random.default_rng(2)
    points = np.concatenate([rng.normal(0, 1, (20, 8)), rng.normal(12, 1, (20, 8))])
    plane = reduce(points, default_method(len(points)), 3)
    assert plane.method == "tsne"
    assert (plane.points == reduce(points, "tsne", 3).points).all()
    apart = np.linalg.norm(plane.points[:, None] - plane.points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert ((apart.argmin(axis=1) < 20) == (np.arange(40) < 20)).all()


@pytest.mark.parametrize(("method", "pictures", "says"), [("tsne", 9, "at least 10"), ("umap", 99, "umap-learn")])
def test_a_method_that_cannot_be_used_is_one_sentence(method: str, pictures: int, says: str) -> None:
    with pytest.raises(BadConfig, match=says):
        require(method, pictures)  # type: ignore[arg-type]


def test_a_good_amid_defects_and_one_far_from_all_are_named() -> None:
    rng = np.random.default_rng(4)
    points = np.concatenate([rng.normal(0, 1, (30, 4)), rng.normal(20, 1, (30, 4)), [[20, 20, 20, 20]], [[0, 0, 0, 9]]])
    kinds = ["good"] * 30 + ["crack"] * 30 + ["good", "good"]
    found = outsiders(points, kinds)
    assert (found[0].number, found[0].how, found[0].among) == (60, "amid", "crack")
    assert (61, "alone") in {(each.number, each.how) for each in found}
    assert modified_z(np.ones(9)).tolist() == [0] * 9


def test_cosine_distances_are_the_textbooks() -> None:
    one, many = np.array([1, 0], np.float32), np.array([[2, 0], [0, 3], [-1, 0], [1, 1]], np.float32)
    assert cosine_distances(one, many) == pytest.approx([0, 1, 2, 1 - np.sqrt(0.5)])
    with pytest.raises(BadConfig, match="zero"):
        cosine_distances(one, np.zeros((1, 2), np.float32))


def test_suppliers_are_those_of_an_exact_search(recipe_dir: Path, tmp_path: Path) -> None:
    recipe = open_recipe(recipe_dir)
    path = tmp_path / "part.png"
    cv2.imwrite(str(path), part_picture(700))
    sight = see(recipe, path)
    assert sight.patches is not None
    patches = sight.patches.patches.copy()
    found = suppliers(recipe, sight.patches, 1000)
    assert sum(each.places for each in found) == recipe.normal.watched.sum()
    apart = np.concatenate([oracle.nearest(recipe.bank.matrix, patches[i : i + 1]) for i in range(0, len(patches), 97)])
    assert np.isfinite(apart).all()
    total = sum(each.distance * each.places for each in found)
    exact = oracle.nearest(recipe.bank.matrix, patches[recipe.normal.watched.ravel()]).sum()
    assert total == pytest.approx(exact, rel=1e-4)


def test_records_for_fiftyone_carry_boxes_heat_truth_and_what_cannot_be_read(recipe_dir: Path, test_set: Path) -> None:
    masks = test_set / "ground_truth" / "scratch"
    masks.mkdir(parents=True)
    mask = np.zeros((120, 160), np.uint8)
    cv2.line(mask, (60, 25), (105, 95), 255, 3)
    cv2.imwrite(str(masks / "part-200_mask.png"), mask)
    (test_set / "good" / "broken.png").write_bytes(b"x")
    with steps() as shown:
        found = {each.path.name: each for each in records(open_recipe(recipe_dir), pictures_in([test_set]), shown)}
    scratched, broken = found["part-200.png"], found["broken.png"]
    assert (scratched.kind, scratched.decision) == ("scratch", Decision.NOK)
    assert scratched.path.is_absolute()
    assert scratched.score is not None
    assert scratched.score > scratched.threshold
    assert scratched.boxes
    for box in scratched.boxes:
        assert 0 <= box.x < box.x + box.width <= 1
        assert 0 <= box.y < box.y + box.height <= 1
    assert scratched.heat is not None
    assert scratched.heat.shape == (HEAT_SIDE * 120 // 160, HEAT_SIDE)
    assert scratched.truth is not None
    assert (scratched.truth == (mask > 0)).all()
    assert scratched.embedding is not None
    assert (broken.decision, broken.score, broken.heat, broken.embedding, broken.boxes) == (
        Decision.NOT_DECIDABLE,
        None,
        None,
        None,
        (),
    )


def test_map_and_similar_write_pages_that_a_browser_shows(recipe_dir: Path, test_set: Path, tmp_path: Path) -> None:
    mapped = goodpart("calibrate", "map", recipe_dir, test_set, "--json", cwd=tmp_path)
    assert mapped.code == 0, mapped.err
    record = json.loads(mapped.out)
    assert (record["method"], len(record["pictures"])) == ("pca", 8)
    part = test_set / "scratch" / "part-200.png"
    alike = json.loads(goodpart("calibrate", "similar", recipe_dir, part, test_set, "--json", cwd=tmp_path).out)
    assert len(alike["found"]) == 7
    assert [f["distance"] for f in alike["found"]] == sorted(f["distance"] for f in alike["found"])
    with chromium() as browser:
        for page, charts in ((record["page"], 1), (alike["page"], 0)):
            for size in (WIDE, PHONE):
                shown = look(browser, tmp_path / page, size)
                assert (shown.complaints, shown.fetched, shown.broken_pictures) == ([], [], 0), page
                assert (shown.charts, shown.too_wide) == ([True] * charts, False), page
    bank = json.loads(goodpart("calibrate", "similar", recipe_dir, part, "--json", cwd=tmp_path).out)
    assert bank["by"] == "patches"


def test_mistakes_are_one_sentence(recipe_dir: Path, goods_dir: Path, tmp_path: Path) -> None:
    one = write_parts(tmp_path / "one", range(1))
    assert "at least 3 are needed" in goodpart("calibrate", "map", recipe_dir, one, cwd=tmp_path).sentence
    missing = goodpart("calibrate", "similar", recipe_dir, tmp_path / "absent.png", goods_dir, cwd=tmp_path)
    assert "absent.png" in missing.sentence
    absent = goodpart("calibrate", "fiftyone", "write", recipe_dir, goods_dir, cwd=tmp_path)
    assert "pip install 'goodpart[fiftyone]'" in absent.sentence
