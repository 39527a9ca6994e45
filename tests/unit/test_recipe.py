"""A recipe is opened only as it was sealed, and reproduces its golden pictures."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibration.seal import file_cards
from edge.capture.pictures import read_picture
from edge.errors import BadRecipe, GoodpartError
from edge.inspect.refine import NotAligned
from edge.inspect.score import measure
from edge.recipe.manifest import MANIFEST_FILE, NEEDED_FILES, read_verified
from edge.recipe.recipe import open_recipe
from edge.types import PatchGrid
from tests import oracle
from tests.conftest import part_picture


@pytest.fixture
def broken(recipe_dir: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(recipe_dir, tmp_path / "recipe"))


def reseal(recipe: Path, **changes: object) -> None:
    """Write a manifest whose hashes agree, as a careless or wicked tool would."""
    manifest = json.loads((recipe / MANIFEST_FILE).read_text())
    files = {name: (recipe / name).read_bytes() for name in manifest["files"]}
    manifest |= {"files": {name: card.model_dump() for name, card in file_cards(files).items()}, **changes}
    (recipe / MANIFEST_FILE).write_text(json.dumps(manifest))


def test_a_sealed_recipe_opens_and_reproduces_its_golden_pictures(recipe_dir: Path) -> None:
    recipe = open_recipe(recipe_dir)
    assert len(recipe.golden) == 3
    recipe.reproduce_golden()


def test_scores_of_real_features_equal_brute_force(recipe_dir: Path) -> None:
    recipe = open_recipe(recipe_dir)
    for seed in range(300, 306):
        grid = recipe.eye(part_picture(seed, defect=seed % 2 == 0))
        assert isinstance(grid, PatchGrid)
        z = oracle.z(recipe.bank.matrix, recipe.normal, grid.patches)
        for kind in ("top1", "max"):
            assert measure(recipe.bank, recipe.normal, grid, kind)[0].value == oracle.score(z, kind)


def test_the_threshold_is_among_the_scores_of_parts_outside_the_bank(recipe_dir: Path, goods_dir: Path) -> None:
    recipe = open_recipe(recipe_dir)
    measured = [recipe.measure(read_picture(path)) for path in sorted(goods_dir.iterdir())]
    scores = [m[0].value for m in measured if not isinstance(m, NotAligned)]
    assert recipe.manifest.threshold in scores
    assert sum(score > recipe.manifest.threshold for score in scores) <= recipe.manifest.promise.parts


@pytest.mark.parametrize("name", sorted(NEEDED_FILES | {"golden-1.png"}))
@pytest.mark.parametrize("damage", ["changed", "cut off", "longer", "missing"])
def test_a_file_that_is_not_the_sealed_one_is_named(broken: Path, name: str, damage: str) -> None:
    path = broken / name
    raw = bytearray(path.read_bytes())
    match damage:
        case "changed":
            raw[len(raw) // 2] ^= 1
        case "cut off":
            del raw[-1]
        case "longer":
            raw += b"\0"
    path.unlink()
    if damage != "missing":
        path.write_bytes(raw)
    with pytest.raises(BadRecipe, match=name):
        open_recipe(broken)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": "goodpart.recipe/9"}, "format"),
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": "3"}, "threshold"),
        ({"surprise": 1}, "surprise: unknown key"),
        ({"golden": []}, "golden"),
        ({"golden": [{"file": "../etc/passwd", "score": 1.0, "tolerance": 0.1}]}, "golden"),
        ({"golden": [{"file": "absent.png", "score": 1.0, "tolerance": 0.1}]}, "absent.png"),
        ({"files": {}}, "files"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(broken: Path, changes: dict[str, object], says: str) -> None:
    reseal(broken, **changes)
    with pytest.raises(BadRecipe, match=says):
        open_recipe(broken)


def test_a_folder_that_is_no_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match=r"recipe\.json: cannot be read"):
        open_recipe(tmp_path)


def test_arrays_and_index_that_do_not_fit_together_are_refused_though_their_hashes_agree(broken: Path) -> None:
    matrix = np.load(broken / "bank.npy")
    for wrong in (matrix[:-1], matrix[:, :-1], matrix.astype(np.float64), np.full_like(matrix, np.nan)):
        np.save(broken / "bank.npy", wrong)
        reseal(broken)
        with pytest.raises(BadRecipe, match="expected finite float32"):
            open_recipe(broken)
    (broken / "bank.npy").write_bytes(b"not an array")
    reseal(broken)
    with pytest.raises(BadRecipe, match="not a NumPy array"):
        open_recipe(broken)


def test_a_spread_of_zero_is_refused(broken: Path) -> None:
    planes = np.load(broken / "normal.npy")
    planes[1, 0, 0] = 0
    np.save(broken / "normal.npy", planes)
    reseal(broken)
    with pytest.raises(BadRecipe, match="standard deviation"):
        open_recipe(broken)


def test_a_device_that_computes_something_else_is_caught_by_the_golden_pictures(broken: Path) -> None:
    planes = np.load(broken / "normal.npy")
    np.save(broken / "normal.npy", planes * np.float32(1.1))
    reseal(broken)
    with pytest.raises(BadRecipe, match="golden picture"):
        open_recipe(broken).reproduce_golden()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), name=st.sampled_from(sorted(NEEDED_FILES)))
def test_no_changed_byte_reaches_a_parser(recipe_dir: Path, tmp_path: Path, at: float, value: int, name: str) -> None:
    copy = tmp_path / "fuzzed"
    if not copy.exists():
        shutil.copytree(recipe_dir, copy)
    raw = bytearray((recipe_dir / name).read_bytes())
    place = int(at * len(raw))
    if raw[place] == value:
        return
    raw[place] = value
    (copy / name).write_bytes(raw)
    try:
        with pytest.raises(BadRecipe, match="not the file that was sealed"):
            read_verified(copy)
    finally:
        shutil.copy(recipe_dir / name, copy / name)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.binary(max_size=300))
def test_any_bytes_as_manifest_are_refused_and_nothing_else(tmp_path: Path, text: bytes) -> None:
    (tmp_path / MANIFEST_FILE).write_bytes(text)
    with pytest.raises(GoodpartError):
        open_recipe(tmp_path)
