"""Recipes made from another one: renamed, or with files that a careless or wicked tool has sealed."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import hnswlib
import numpy as np

from calibration.seal import file_cards
from edge.inspect.sketch import Sketch
from edge.recipe.manifest import INDEX_FILE, MANIFEST_FILE, MATRIX_FILE, SKETCH_FILE


def resealed(recipe: Path, out: Path, files: Mapping[str, bytes] | None = None, **changes: object) -> Path:
    """A copy whose hashes agree, with other files or other keys of its manifest."""
    shutil.copytree(recipe, out)
    manifest = json.loads((out / MANIFEST_FILE).read_text())
    for name, raw in (files or {}).items():
        (out / name).write_bytes(raw)
    names = {*manifest["files"], *(files or {})}
    cards = {name: card.model_dump() for name, card in file_cards({n: (out / n).read_bytes() for n in names}).items()}
    (out / MANIFEST_FILE).write_text(json.dumps(manifest | {"files": cards} | changes))
    return out


def renamed(recipe: Path, out: Path, name: str) -> Path:
    """Another recipe that judges alike."""
    return resealed(recipe, out, name=name)


def unsound(recipe: Path, out: Path, folder: Path) -> Path:
    """A recipe whose hashes agree and whose index would make hnswlib read where there is nothing."""
    bank = json.loads((recipe / MANIFEST_FILE).read_text())["bank"]
    sketches = Sketch(np.load(recipe / SKETCH_FILE))(np.load(recipe / MATRIX_FILE))
    index = hnswlib.Index(space="l2", dim=bank["sketch_dim"])
    index.init_index(len(sketches), M=8, ef_construction=20)
    index.add_items(sketches)
    path = folder / "index"
    index.save_index(str(path))
    raw = bytearray(path.read_bytes())
    # The entry point of hnswlib 0.8's header: six numbers of eight bytes, then the highest level, then this one.
    raw[52:56] = (0x7FFFFFF0).to_bytes(4, "little")
    search = {"index": {"m": 8, "ef_construction": 20, "ef": 16, "stride": 1}, "audit": bank["search"]["audit"]}
    return resealed(recipe, out, {INDEX_FILE: bytes(raw)}, name="wicked", bank=bank | {"search": search})
