"""`recipe.json`: what a recipe is, and the sha256 of every file of it. Nothing is parsed before its hash agrees."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from edge.capture.fitness import FitnessLimits
from edge.errors import BadRecipe
from edge.inspect.card import CARD_FILE, MODEL_FILE, SHA256_PATTERN
from edge.inspect.view_card import REFERENCE_FILE, ViewCard
from edge.recipe.promise import GrayZone, Promise
from edge.recipe.signature import Signed, check_signature
from edge.strict import MAX_JSON_BYTES, Strict, parse, read_limited
from edge.types import ScoreKind

MANIFEST_FILE = "recipe.json"
MATRIX_FILE = "bank.npy"
INDEX_FILE = "bank.hnsw"
SKETCH_FILE = "sketch.npy"
SCALE_FILE = "scale.npy"
ORIGIN_FILE = "origin.npy"
NORMAL_FILE = "normal.npy"
THUMBNAILS_FILE = "thumbnails.npz"
NEEDED_FILES = frozenset(
    {MODEL_FILE, CARD_FILE, SCALE_FILE, MATRIX_FILE, SKETCH_FILE, ORIGIN_FILE, NORMAL_FILE, THUMBNAILS_FILE}
)

FileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9]+)?$", max_length=100)]
"""A name inside the recipe folder: no path, no dots but one."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]


class FileCard(Strict):
    """One file of the recipe."""

    sha256: str = Field(pattern=SHA256_PATTERN)
    bytes: int = Field(ge=1, le=4 * 1024**3)


class IndexCard(Strict):
    """How the HNSW index was built, and how it is asked: with `ef` candidates, at every `stride`-th row and column."""

    m: int = Field(ge=2, le=128)
    ef_construction: int = Field(ge=1)
    ef: int = Field(ge=1)
    stride: int = Field(ge=1, le=16)


class TriedCard(Strict):
    """A search that was tried: time of a picture as a ratio to the chosen one's; recall: share of places found at once."""

    search: str
    time: float = Field(gt=0)
    recall: float = Field(ge=0, le=1)


class AuditCard(Strict):
    """What the searches cost on so many pictures of good parts; verified: places measured exactly in the median picture."""

    pictures: int = Field(ge=1)
    tried: tuple[TriedCard, ...] = Field(min_length=1)
    verified: int = Field(ge=0)


class SearchCard(Strict):
    """How near good patches are found; no index: everything is compared with everything."""

    index: IndexCard | None
    audit: AuditCard


class BankCard(Strict):
    """The memory bank.

    `vectors` good patches of `dim` numbers, chosen out of `patches`; none of those that were looked at again was further
    than `radius` from the nearest. `sketch_dim`: numbers of a sketch (see `edge.inspect.sketch`).
    """

    vectors: int = Field(ge=1)
    dim: int = Field(ge=1)
    sketch_dim: int = Field(ge=1)
    patches: int = Field(ge=1)
    radius: float = Field(ge=0)
    search: SearchCard


Scaling = Literal["none", "half", "full"]
"""Features as the encoder gives them, divided by the root of their standard deviation among goods, or by all of it."""


class WayCard(Strict):
    """A way to judge that was tried, in words, and how well it told goods that were left out from defects (AUROC)."""

    way: str
    auroc: float = Field(ge=0, le=1)


class JudgementCard(Strict):
    """How patches become a score, and why so.

    smoothing: share of the map's shorter side over which places learn their spread from each other; 1: one spread for all.
    tried: the ways that were compared, none if there were too few goods; why: the choice in a sentence.
    """

    scaling: Scaling
    smoothing: float = Field(gt=0, le=1)
    score: ScoreKind
    tried: tuple[WayCard, ...]
    why: str


class GoldenCard(Strict):
    """A good picture kept in the recipe, and the score that every device must reproduce within `tolerance`."""

    file: FileName
    score: float
    tolerance: float = Field(gt=0)


class GoodCard(Strict):
    """A picture whose patches are in the bank."""

    picture: str
    part: str
    sha256: str = Field(pattern=SHA256_PATTERN)


class HeldOutCard(Strict):
    """A picture that is not in the bank, and the score that made the threshold."""

    picture: str
    part: str
    sha256: str = Field(pattern=SHA256_PATTERN)
    score: float


class GoodsCard(Strict):
    """The good pictures behind the recipe.

    excluded: how many were left out; `part_pattern` tells parts by file names, and `seed` drew the held-out ones.
    """

    bank: tuple[GoodCard, ...] = Field(min_length=1)
    held_out: tuple[HeldOutCard, ...] = Field(min_length=1)
    excluded: int = Field(ge=0)
    part_pattern: str
    seed: int = Field(ge=0)


class Manifest(Strict):
    """Everything needed to inspect one kind of part, sealed."""

    format: Literal["goodpart.recipe/1"] = "goodpart.recipe/1"
    name: Name
    made_utc: AwareDatetime
    made_with: dict[str, str]
    judgement: JudgementCard
    threshold: float
    promise: Promise
    gray_zone: GrayZone | None = None
    fitness: FitnessLimits
    view: ViewCard
    view_why: tuple[str, ...]
    bank: BankCard
    goods: GoodsCard
    golden: tuple[GoldenCard, ...] = Field(min_length=1, max_length=16)
    files: dict[FileName, FileCard]

    @model_validator(mode="after")
    def _names_every_file(self) -> "Manifest":
        index = {INDEX_FILE} if self.bank.search.index else set()
        reference = {REFERENCE_FILE} if self.view.alignment else set()
        if missing := (NEEDED_FILES | index | reference | {g.file for g in self.golden}) - self.files.keys():
            raise ValueError(f"files: {', '.join(sorted(missing))} must be listed")
        return self

    @model_validator(mode="after")
    def _gray_below_the_threshold(self) -> "Manifest":
        if self.gray_zone and self.gray_zone.above >= self.threshold:
            raise ValueError("gray_zone.above: is not below the threshold")
        return self

    @property
    def doubtful_above(self) -> float:
        """Scores above this are not OK."""
        return self.gray_zone.above if self.gray_zone else self.threshold

    @model_validator(mode="after")
    def _views_pictures_that_are_fit(self) -> "Manifest":
        limits, size = self.fitness, self.view.picture
        if size and (limits.width_min, limits.width_max, limits.height_min, limits.height_max) != (
            size.width,
            size.width,
            size.height,
            size.height,
        ):
            raise ValueError("view.picture: is not the size that fitness asks for")
        return self


def sha256(raw: bytes) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(raw).hexdigest()


def read_verified(folder: Path, signed: Signed | None = None) -> tuple[Manifest, str, dict[str, bytes]]:
    """The manifest, its own sha256 (the recipe's identity), and the bytes of every file it lists, all hashes equal.

    signed: whose signature it must have, which is looked at before anything is parsed; None: it needs none.

    Raises:
        BadRecipe: the folder is no recipe, a file is missing, or a file is not the one that was sealed; or it is not signed.
    """
    raw = read_limited(folder / MANIFEST_FILE, MAX_JSON_BYTES, BadRecipe)
    if signed:
        check_signature(folder, raw, signed)
    manifest = parse(raw, Manifest, folder / MANIFEST_FILE, BadRecipe)
    return manifest, sha256(raw), {name: _read_one(folder / name, card) for name, card in manifest.files.items()}


def _read_one(path: Path, card: FileCard) -> bytes:
    raw = read_limited(path, card.bytes, BadRecipe)
    if len(raw) != card.bytes or sha256(raw) != card.sha256:
        raise BadRecipe(f"{path}: is not the file that was sealed; copy the recipe again or build it anew.")
    return raw
