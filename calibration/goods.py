"""Good pictures: which there are, which of them show the same part, and which stay out of the bank."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.capture.pictures import list_pictures
from edge.errors import BadConfig, BadPicture, TooFewGoods
from edge.types import Reason

PART_PATTERN = r"(?P<part>.+?)__.+"
"""`PART__anything.png`: pictures whose names agree before a double underscore show the same part."""


@dataclass(frozen=True, slots=True)
class Good:
    """One picture of a good part. Several pictures of one part share its `part_id`; sha256 is the file's."""

    path: Path
    part_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Split:
    """Goods for the bank and goods held out of it; no part is on both sides. excluded: how many pictures were left out."""

    bank: tuple[Good, ...]
    held_out: tuple[Good, ...]
    excluded: int = 0


def find_goods(folder: Path, part_pattern: str = PART_PATTERN) -> list[Good]:
    """All pictures of a folder with the part each one shows.

    A name that does not match the whole pattern is a part of its own. Files with the same bytes are one part, whatever
    their names: a copy on the other side of the split would make the threshold a lie.

    Raises:
        BadConfig: no folder, no pictures, or a pattern without a group named `part`.
        BadPicture: a file cannot be read.
    """
    pattern = _compiled(part_pattern)
    first_with: dict[str, str] = {}
    goods = []
    for path in list_pictures(folder):
        match = pattern.fullmatch(path.stem)
        part_id = match["part"] if match else path.stem
        digest = _digest(path)
        goods.append(Good(path, first_with.setdefault(digest, part_id), digest))
    return goods


def refuse_goods_among(goods: Sequence[Good], defects: Sequence[Good]) -> None:
    """Make sure that no picture is called both good and defective.

    Raises:
        BadConfig: one is, by the bytes of its file.
    """
    called_good = {good.sha256: good.path for good in goods}
    if both := next((defect for defect in defects if defect.sha256 in called_good), None):
        raise BadConfig(
            f"--defects: {both.path} is also {called_good[both.sha256]} among the goods; a picture is one or the other, "
            f"remove it on one side."
        )


def count_parts(goods: Sequence[Good]) -> int:
    """How many different parts are shown."""
    return len({good.part_id for good in goods})


def part_numbers(goods: Sequence[Good]) -> NDArray[np.int32]:
    """For each picture the number of the part it shows.

    Raises:
        TooFewGoods: there is only one part.
    """
    _, numbers = np.unique([good.part_id for good in goods], return_inverse=True)
    if numbers.max() == 0:
        raise TooFewGoods("all pictures for the bank show one part; give pictures of different parts.")
    return numbers.astype(np.int32)


def sample(goods: Sequence[Good], most: int, seed: int) -> NDArray[np.intp]:
    """Numbers of pictures of at most `most` different parts, one of each, drawn at random."""
    order = np.random.default_rng(seed).permutation(len(goods))
    _, first = np.unique([goods[i].part_id for i in order], return_index=True)
    return order[np.sort(first)[:most]]


def split(goods: list[Good], held_out_parts: int, seed: int) -> Split:
    """Draw `held_out_parts` parts at random for the threshold; all pictures of the others go into the bank.

    At random, because pictures in order of their names come in batches: a split by order leaves whole batches out.
    """
    parts = sorted({good.part_id for good in goods})
    drawn = np.random.default_rng(seed).permutation(len(parts))[:held_out_parts]
    held_out = {parts[i] for i in drawn}
    return Split(
        bank=tuple(g for g in goods if g.part_id not in held_out),
        held_out=tuple(g for g in goods if g.part_id in held_out),
    )


def split_by_folder(bank: list[Good], held_out: list[Good]) -> Split:
    """Take the split as the line engineer made it.

    Raises:
        BadConfig: a part is on both sides, by its name or by the bytes of a file.
    """
    names, digests = {g.part_id: g for g in bank}, {g.sha256: g for g in bank}
    for good in held_out:
        if twin := digests.get(good.sha256) or names.get(good.part_id):
            raise BadConfig(f"--held-out: {good.path} shows the same part as {twin.path}; remove one of them.")
    return Split(tuple(bank), tuple(held_out))


def _compiled(part_pattern: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(part_pattern)
    except re.error as err:
        raise BadConfig(f"--part-pattern: not a regular expression: {err}.") from None
    if "part" not in pattern.groupindex:
        raise BadConfig("--part-pattern: needs a group named part, for example (?P<part>.+)_view[0-9]+.")
    return pattern


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as err:
        raise BadPicture(f"{path}: cannot be read: {err.strerror}.", Reason.UNREADABLE) from None
