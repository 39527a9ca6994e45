"""A sealed folder becomes the objects that judge: verify every hash, then open, then reproduce the golden pictures."""

import contextlib
import io
import math
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np
from numpy.typing import NDArray

from edge.capture.pictures import decode_picture
from edge.errors import BadConfig, BadPicture, BadRecipe
from edge.inspect.bank import Bank
from edge.inspect.card import CARD_FILE, MODEL_FILE, EncoderCard
from edge.inspect.encoder import Encoder
from edge.inspect.eye import Eye
from edge.inspect.finder import Finder, HnswFinder, ScanFinder
from edge.inspect.refine import NotAligned
from edge.inspect.score import Normal, measure
from edge.inspect.sketch import Sketch
from edge.inspect.view_card import REFERENCE_FILE
from edge.recipe.manifest import (
    INDEX_FILE,
    MATRIX_FILE,
    NORMAL_FILE,
    ORIGIN_FILE,
    SCALE_FILE,
    SKETCH_FILE,
    THUMBNAILS_FILE,
    BankCard,
    GoldenCard,
    Manifest,
    read_verified,
)
from edge.recipe.signature import Signed
from edge.strict import parse
from edge.types import AnomalyMap, Floats, PatchGrid, Pixels, Score

Measured = tuple[Score, AnomalyMap] | NotAligned
"""What a recipe says of a picture: score and map, or why the part was not found."""

_INDEX_SPACE = "l2"
_NORMAL_PLANES = 3


@dataclass(frozen=True, slots=True)
class GoodPatch:
    """A patch of a good part in the bank: the picture's file name and number, and the place in its grid."""

    picture: str
    number: int
    row: int
    col: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that judges one kind of part. `id` is the sha256 of the manifest as it was sealed.

    threshold_command_id: the command that replaced the sealed threshold; None: it is in force, and so is its promise.
    """

    manifest: Manifest
    id: str
    eye: Eye
    bank: Bank
    normal: Normal
    origin: NDArray[np.int32]
    thumbnails: bytes
    golden: tuple[tuple[GoldenCard, Pixels], ...]
    threshold_command_id: str | None = None

    def with_threshold(self, threshold: float, command_id: str) -> "Recipe":
        """The same recipe with a threshold that a command set.

        Raises:
            BadRecipe: it does not lie above the gray zone.
        """
        gray = self.manifest.gray_zone
        if gray and gray.above >= threshold:
            raise BadRecipe(f"the gray zone of {self.manifest.name} begins at {gray.above:g}; set a threshold above that.")
        manifest = self.manifest.model_copy(update={"threshold": threshold})
        return replace(self, manifest=manifest, threshold_command_id=command_id)

    def measure(self, pixels: Pixels) -> Measured:
        """Score and map of one picture, H×W×3 uint8 BGR, whether or not it is fit to be judged."""
        grid = self.eye(pixels)
        return grid if isinstance(grid, NotAligned) else self.compare(grid)

    def compare(self, grid: PatchGrid) -> tuple[Score, AnomalyMap]:
        """Score and map of what the eye saw of one picture."""
        return measure(self.bank, self.normal, grid, self.manifest.judgement.score, self.manifest.doubtful_above)

    def good_patch(self, row: int) -> GoodPatch:
        """Where a row of the bank comes from."""
        picture, place = (int(number) for number in self.origin[row])
        return GoodPatch(self.manifest.goods.bank[picture].picture, picture, *divmod(place, self.eye.cols))

    def thumbnail(self, number: int) -> Pixels:
        """What was seen of one of the bank's pictures, small.

        Raises:
            BadRecipe: the recipe's thumbnails cannot be read.
        """
        try:
            with np.load(io.BytesIO(self.thumbnails), allow_pickle=False) as packed:
                return decode_picture(packed[str(number)].tobytes(), f"{THUMBNAILS_FILE}, {number}")
        except (ValueError, KeyError, zipfile.BadZipFile, BadPicture) as err:
            raise BadRecipe(f"{THUMBNAILS_FILE}: picture {number} cannot be read: {err}") from None

    def reproduce_golden(self) -> None:
        """Measure the golden pictures again.

        Hashes cannot see a wrong kernel, driver or preprocessing; this does.

        Raises:
            BadRecipe: a score differs from the sealed one by more than its tolerance.
        """
        for card, pixels in self.golden:
            measured = self.measure(pixels)
            score = math.nan if isinstance(measured, NotAligned) else measured[0].value
            # Written so that NaN fails.
            if not abs(score - card.score) <= card.tolerance:
                raise BadRecipe(
                    f"golden picture {card.file} scores {score:.4f} here and {card.score:.4f} where the recipe was built "
                    f"(tolerance {card.tolerance:.4f}); this device computes something else, do not use it."
                )


def open_recipe(folder: Path, threads: int = 1, signed: Signed | None = None) -> Recipe:
    """Open a sealed recipe for `threads` CPU threads. signed: whose signature it must have; None: it needs none.

    Raises:
        BadRecipe: anything missing, altered, inconsistent or not signed.
        BadEncoder: the encoder inside cannot be used here.
    """
    manifest, identity, files = read_verified(folder, signed)
    card = parse(files[CARD_FILE], EncoderCard, folder / CARD_FILE, BadRecipe)
    encoder = Encoder(files[MODEL_FILE], card, threads)
    scale = _array(files[SCALE_FILE], (card.grid.patch_dim,), folder / SCALE_FILE)
    eye = _eye(manifest, encoder, scale, files, folder)
    dim = manifest.bank.dim
    if dim != card.grid.patch_dim:
        raise BadRecipe(f"{folder}: the bank has {dim} numbers a patch and the encoder {card.grid.patch_dim}.")
    matrix = _array(files[MATRIX_FILE], (manifest.bank.vectors, dim), folder / MATRIX_FILE)
    sketch = Sketch(_array(files[SKETCH_FILE], (dim, manifest.bank.sketch_dim), folder / SKETCH_FILE))
    sketches = sketch(matrix)
    planes = _array(files[NORMAL_FILE], (_NORMAL_PLANES, eye.rows, eye.cols), folder / NORMAL_FILE)
    if not (planes[1] > 0).all() or not planes[2].any():
        raise BadRecipe(f"{folder / NORMAL_FILE}: a standard deviation is not above zero; build the recipe again.")
    return Recipe(
        manifest=manifest,
        id=identity,
        eye=eye,
        bank=Bank(matrix, sketch, sketches, _finder(sketches, files, manifest.bank)),
        normal=Normal(planes[0], planes[1], planes[2] > 0),
        origin=_origin(files[ORIGIN_FILE], manifest, eye, folder / ORIGIN_FILE),
        thumbnails=files[THUMBNAILS_FILE],
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


def _eye(manifest: Manifest, encoder: Encoder, scale: Floats, files: dict[str, bytes], folder: Path) -> Eye:
    reference = None
    if manifest.view.alignment:
        pixels = decode_picture(files[REFERENCE_FILE], folder / REFERENCE_FILE)
        reference = np.ascontiguousarray(pixels[..., 0])  # a grey file gives three equal channels
    try:
        return Eye(encoder, manifest.view, reference, scale)
    except (BadConfig, ValueError) as err:
        raise BadRecipe(f"{folder}: view: {err}") from None


def _origin(raw: bytes, manifest: Manifest, eye: Eye, path: Path) -> NDArray[np.int32]:
    array = _load(raw, path)
    limits = np.array([len(manifest.goods.bank), eye.rows * eye.cols])
    if array.dtype != np.int32 or array.shape != (manifest.bank.vectors, 2) or (array < 0).any() or (array >= limits).any():
        raise BadRecipe(f"{path}: does not say where the bank's patches come from; build the recipe again.")
    return array


def _load(raw: bytes, path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(io.BytesIO(raw), allow_pickle=False))
    except ValueError as err:
        raise BadRecipe(f"{path}: is not a NumPy array: {err}.") from None


def _array(raw: bytes, shape: tuple[int, ...], path: Path) -> Floats:
    array = _load(raw, path)
    if array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
        raise BadRecipe(f"{path}: expected finite float32 of shape {shape}, found {array.dtype} {array.shape}.")
    return np.ascontiguousarray(array)
