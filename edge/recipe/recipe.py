"""A sealed folder becomes the objects that judge: verify every hash, then open, then reproduce the golden pictures."""

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hnswlib
import numpy as np

from edge.capture.pictures import decode_picture
from edge.errors import BadRecipe
from edge.inspect.bank import Bank
from edge.inspect.card import CARD_FILE, MODEL_FILE, EncoderCard
from edge.inspect.encoder import Encoder
from edge.inspect.finder import Finder, HnswFinder, ScanFinder
from edge.inspect.score import Normal, measure
from edge.inspect.sketch import Sketch
from edge.recipe.manifest import (
    INDEX_FILE,
    MATRIX_FILE,
    NORMAL_FILE,
    SKETCH_FILE,
    BankCard,
    GoldenCard,
    Manifest,
    read_verified,
)
from edge.strict import parse
from edge.types import AnomalyMap, Floats, Pixels, Score

_INDEX_SPACE = "l2"
_NORMAL_PLANES = 2


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that judges one kind of part. `id` is the sha256 of the manifest."""

    manifest: Manifest
    id: str
    encoder: Encoder
    bank: Bank
    normal: Normal
    golden: tuple[tuple[GoldenCard, Pixels], ...]

    def measure(self, pixels: Pixels) -> tuple[Score, AnomalyMap]:
        """Score and map of one picture, H×W×3 uint8 BGR, whether or not it is fit to be judged."""
        return measure(self.bank, self.normal, self.encoder(pixels), self.manifest.score, self.manifest.threshold)

    def reproduce_golden(self) -> None:
        """Measure the golden pictures again.

        Hashes cannot see a wrong kernel, driver or preprocessing; this does.

        Raises:
            BadRecipe: a score differs from the sealed one by more than its tolerance.
        """
        for card, pixels in self.golden:
            score = self.measure(pixels)[0].value
            # Written so that NaN fails.
            if not abs(score - card.score) <= card.tolerance:
                raise BadRecipe(
                    f"golden picture {card.file} scores {score:.4f} here and {card.score:.4f} where the recipe was built "
                    f"(tolerance {card.tolerance:.4f}); this device computes something else, do not use it."
                )


def open_recipe(folder: Path, threads: int = 1) -> Recipe:
    """Open a sealed recipe for `threads` CPU threads.

    Raises:
        BadRecipe: anything missing, altered or inconsistent.
        BadEncoder: the encoder inside cannot be used here.
    """
    manifest, identity, files = read_verified(folder)
    card = parse(files[CARD_FILE], EncoderCard, folder / CARD_FILE, BadRecipe)
    encoder = Encoder(files[MODEL_FILE], card, threads)
    dim = manifest.bank.dim
    if dim != card.grid.patch_dim:
        raise BadRecipe(f"{folder}: the bank has {dim} numbers a patch and the encoder {card.grid.patch_dim}.")
    matrix = _array(files[MATRIX_FILE], (manifest.bank.vectors, dim), folder / MATRIX_FILE)
    sketch = Sketch(_array(files[SKETCH_FILE], (dim, manifest.bank.sketch_dim), folder / SKETCH_FILE))
    sketches = sketch(matrix)
    planes = _array(files[NORMAL_FILE], (_NORMAL_PLANES, card.grid.rows, card.grid.cols), folder / NORMAL_FILE)
    if not (planes[1] > 0).all():
        raise BadRecipe(f"{folder / NORMAL_FILE}: a standard deviation is not above zero; build the recipe again.")
    return Recipe(
        manifest=manifest,
        id=identity,
        encoder=encoder,
        bank=Bank(matrix, sketch, sketches, _finder(sketches, files, manifest.bank)),
        normal=Normal(planes[0], planes[1]),
        golden=tuple((g, decode_picture(files[g.file], folder / g.file)) for g in manifest.golden),
    )


def _finder(sketches: Floats, files: dict[str, bytes], card: BankCard) -> Finder:
    how = card.search.index
    if how is None:
        return ScanFinder(sketches)
    return HnswFinder(sketches, _load_index(files[INDEX_FILE], card), how.ef, how.stride)


def _load_index(raw: bytes, card: BankCard) -> hnswlib.Index:
    """Open an HNSW index from bytes whose hash has been checked.

    hnswlib reads only files; an anonymous one in memory holds exactly the bytes that were hashed.
    """
    index = hnswlib.Index(space=_INDEX_SPACE, dim=card.sketch_dim)
    with _in_memory_file(raw) as path:
        try:
            index.load_index(path, max_elements=card.vectors)
        except RuntimeError as err:
            raise BadRecipe(f"{INDEX_FILE}: hnswlib cannot open it: {err}.") from None
    return index


@contextlib.contextmanager
def _in_memory_file(raw: bytes) -> Iterator[str]:
    fd = os.memfd_create("goodpart")
    try:
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(raw)
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)


def _array(raw: bytes, shape: tuple[int, ...], path: Path) -> Floats:
    try:
        array = np.load(io.BytesIO(raw), allow_pickle=False)
    except ValueError as err:
        raise BadRecipe(f"{path}: is not a NumPy array: {err}.") from None
    if array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
        raise BadRecipe(f"{path}: expected finite float32 of shape {shape}, found {array.dtype} {array.shape}.")
    return np.ascontiguousarray(array)
