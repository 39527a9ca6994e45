"""A recipe folder damaged, mixed up or sealed by somebody else: it judges as its golden pictures say, or is refused."""

import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from calibration.seal import file_cards
from edge.errors import BadRecipe
from edge.recipe.manifest import INDEX_FILE, MANIFEST_FILE, THUMBNAILS_FILE, Manifest
from edge.recipe.recipe import Recipe, open_recipe
from edge.strict import parse
from tests.fuzz import oracle
from tests.fuzz.answers import answer_of
from tests.fuzz.mutations import altered, mutated

FEW, SOME = (
    settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    for number in (8, 60)
)

ARRAYS = ["bank.npy", "sketch.npy", "scale.npy", "origin.npy", "normal.npy"]
M = 8


@pytest.fixture(scope="module")
def sealed(recipe_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe with an HNSW index, whatever was fastest here."""
    folder = Path(shutil.copytree(recipe_dir, tmp_path_factory.mktemp("sealed") / "plate"))
    sketches = np.load(folder / "bank.npy") @ np.load(folder / "sketch.npy")
    index = hnswlib.Index("l2", sketches.shape[1])
    index.init_index(len(sketches), M=M, ef_construction=100, random_seed=1)
    index.add_items(sketches, num_threads=1)
    index.save_index(str(folder / INDEX_FILE))
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    manifest["bank"]["search"]["index"] = {"m": M, "ef_construction": 100, "ef": 10, "stride": 2}
    seal(folder, manifest, {INDEX_FILE: (folder / INDEX_FILE).read_bytes()})
    open_recipe(folder).reproduce_golden()
    return folder


@pytest.fixture(scope="module")
def recipe(sealed: Path) -> Recipe:
    return open_recipe(sealed)


@pytest.fixture(scope="module")
def copy(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To break; each test puts right what it broke."""
    return Path(shutil.copytree(sealed, tmp_path_factory.mktemp("broken") / "plate"))


def seal(folder: Path, manifest: dict[str, Any], files: dict[str, bytes]) -> None:
    """Put files into a recipe with hashes that agree, as a careless or wicked tool would."""
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    cards = {name: card.model_dump() for name, card in file_cards(files).items()}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest | {"files": manifest["files"] | cards}))


@contextmanager
def restored(copy: Path, sealed: Path, *names: str) -> Iterator[None]:
    """Afterwards these files are as they were."""
    try:
        yield
    finally:
        for name in (*names, MANIFEST_FILE):
            (copy / name).unlink(missing_ok=True)
            shutil.copy(sealed / name, copy / name)


def opened(folder: Path) -> Recipe:
    recipe = open_recipe(folder)
    recipe.reproduce_golden()
    return recipe


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / MANIFEST_FILE).read_text())
    return found


def put(copy: Path, sealed: Path, name: str, raw: bytes) -> Recipe | None:
    """The recipe with these bytes in the place of a file, sealed anew."""
    with restored(copy, sealed, name):
        seal(copy, manifest_of(sealed), {name: raw})
        return answer_of(lambda: opened(copy), "")


@SOME
@given(data=st.data())
def test_a_manifest_with_wrong_keys_and_values_says_which(sealed: Path, data: st.DataObject) -> None:
    raw = data.draw(altered(manifest_of(sealed)))
    found = answer_of(lambda: parse(raw, Manifest, MANIFEST_FILE, BadRecipe), MANIFEST_FILE)
    assert found is None or oracle.says_the_same_json(raw, found)


@FEW
@given(data=st.data())
def test_a_manifest_that_is_taken_opens_and_reproduces_or_is_refused(copy: Path, sealed: Path, data: st.DataObject) -> None:
    some = {key: value for key, value in manifest_of(sealed).items() if key in {"bank", "view", "threshold", "judgement"}}
    changed = json.loads(data.draw(altered(some)), parse_constant=str)
    with restored(copy, sealed):
        (copy / MANIFEST_FILE).write_text(json.dumps(manifest_of(sealed) | changed))
        answer_of(lambda: opened(copy), "")


@pytest.mark.parametrize("name", [*ARRAYS, INDEX_FILE, "encoder.json", "golden-1.png"])
@FEW
@given(data=st.data())
def test_a_damaged_file_whose_hash_agrees_is_no_crash(copy: Path, sealed: Path, name: str, data: st.DataObject) -> None:
    raw = (sealed / name).read_bytes()
    # Damage of a header matters most, and numbers are many.
    head = data.draw(mutated(raw[:128])) + raw[128:] if data.draw(st.booleans()) else data.draw(mutated(raw))
    put(copy, sealed, name, head or b"\0")


@SOME
@given(data=st.data())
def test_a_damaged_thumbnail_is_shown_or_refused(sealed: Path, recipe: Recipe, data: st.DataObject) -> None:
    damaged = replace(recipe, thumbnails=data.draw(mutated((sealed / THUMBNAILS_FILE).read_bytes())))
    for number in (0, 1, 10**9):
        answer_of(partial(damaged.thumbnail, number), THUMBNAILS_FILE)


@pytest.mark.parametrize(
    "header",
    [
        {"descr": "<f4", "fortran_order": False, "shape": (2**62,)},
        {"descr": "<f4", "fortran_order": False, "shape": (2**33, 2**33)},
        {"descr": "|O", "fortran_order": False, "shape": (1,)},
        {"descr": [("a", "<f4")], "fortran_order": False, "shape": (1,)},
        {"descr": "<f4", "fortran_order": False, "shape": (-1,)},
        {"descr": "<f4", "fortran_order": False, "shape": ("a",)},
        {"descr": "<U999999999", "fortran_order": False, "shape": (9,)},
    ],
)
def test_an_array_that_claims_too_much_is_refused(copy: Path, sealed: Path, header: dict[str, Any]) -> None:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    assert put(copy, sealed, "bank.npy", file.getvalue() + b"\0" * 64) is None


@pytest.mark.parametrize("raw", [b"PK\x03\x04" + b"\0" * 60, b"\x93NUMPY\x01\x00\x03\x00{'a", b"\x80\x04N.", b"\0"])
def test_what_is_no_array_is_refused(copy: Path, sealed: Path, raw: bytes) -> None:
    for name in ARRAYS:
        assert put(copy, sealed, name, raw) is None


def test_two_files_that_were_swapped_are_refused(copy: Path, sealed: Path) -> None:
    names = [*ARRAYS, INDEX_FILE, "encoder.json", "encoder.onnx"]
    for name, other in zip(names, [*names[1:], names[0]], strict=True):
        with restored(copy, sealed, name, other):
            shutil.copy(sealed / other, copy / name)
            shutil.copy(sealed / name, copy / other)
            assert answer_of(lambda: opened(copy), "") is None, "as they were sealed"
            seal(copy, manifest_of(sealed), {name: (sealed / other).read_bytes(), other: (sealed / name).read_bytes()})
            assert answer_of(lambda: opened(copy), "") is None, f"{name} and {other}, sealed anew"


@pytest.mark.parametrize("name", ["bank.npy", MANIFEST_FILE])
def test_what_is_no_file_is_refused_at_once(copy: Path, sealed: Path, name: str) -> None:
    for make in (os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path.name)):
        with restored(copy, sealed):
            (copy / name).unlink()
            make(copy / name)
            try:
                assert answer_of(lambda: opened(copy), name) is None
            finally:
                (copy / name).rmdir() if (copy / name).is_dir() else (copy / name).unlink()
                shutil.copy(sealed / name, copy / name)


def test_a_manifest_of_many_bytes_is_refused_before_it_is_read(copy: Path, sealed: Path) -> None:
    with restored(copy, sealed):
        with (copy / MANIFEST_FILE).open("r+b") as file:
            file.truncate(2**40)
        assert answer_of(lambda: opened(copy), MANIFEST_FILE) is None
