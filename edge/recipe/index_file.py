"""Whether the file of an HNSW index is sound. hnswlib follows every link it reads, so a wrong one ends the process.

The layout is that of `saveIndex` in hnswlib 0.8 (hnswalg.h), little-endian: a header; for each vector its links on the
ground floor, its numbers and its label; then for each vector how many bytes its links on the floors above take, and those.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadRecipe
from edge.recipe.manifest import INDEX_FILE, BankCard, IndexCard

_HEADER = struct.Struct("<QQQQQQiIQQQdQ")
_SIZE = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class _Links:
    """Lists of links, one a row. floor: of each list; many: how many links it has; to: the vectors they lead to."""

    floor: NDArray[np.intp]
    many: NDArray[np.uint32]
    to: NDArray[np.uint32]

    def lead_to(self, heights: NDArray[np.intp]) -> bool:
        """Whether each leads to a vector that is there, on the same floor. heights: the highest floor of each vector."""
        if (self.many > self.to.shape[1]).any():
            return False
        used = np.arange(self.to.shape[1]) < self.many[:, None]
        targets, floors = self.to[used], np.repeat(self.floor, self.many)
        return bool((targets < len(heights)).all()) and bool((heights[targets] >= floors).all())


def check_index(raw: bytes, bank: BankCard, card: IndexCard) -> None:
    """Look at all that a search may follow.

    Raises:
        BadRecipe: the file does not hold as many vectors as the bank, once each, or a link leads nowhere.
    """
    if not _is_sound(raw, bank, card):
        raise BadRecipe(f"{INDEX_FILE}: is no sound index of {bank.vectors} vectors; build the recipe again.")


def _is_sound(raw: bytes, bank: BankCard, card: IndexCard) -> bool:
    count, m = bank.vectors, card.m
    vector = np.dtype([("many", "<u4"), ("to", "<u4", (2 * m,)), ("numbers", "<f4", (bank.sketch_dim,)), ("label", "<u8")])
    ground_end = _HEADER.size + count * vector.itemsize
    if len(raw) < ground_end:
        return False
    offset, _, found, size, label_at, numbers_at, top, entry, *most, _, _ = _HEADER.unpack_from(raw)
    links_size = 4 + 8 * m
    wanted = 0, count, vector.itemsize, vector.itemsize - 8, links_size, m, 2 * m, m
    if (offset, found, size, label_at, numbers_at, *most) != wanted or entry >= count:
        return False
    upper = _read_upper(raw, ground_end, count, m)
    if upper is None:
        return False
    heights, above = upper
    vectors = np.frombuffer(raw, vector, count, _HEADER.size)
    ground = _Links(np.zeros(count, np.intp), vectors["many"], vectors["to"])
    return (
        top == heights.max() == heights[entry]
        and bool(np.isfinite(vectors["numbers"]).all())
        and np.array_equal(np.sort(vectors["label"]), np.arange(count))
        and ground.lead_to(heights)
        and above.lead_to(heights)
    )


def _read_upper(raw: bytes, start: int, count: int, m: int) -> tuple[NDArray[np.intp], _Links] | None:
    """How high each vector stands, and the links above the ground floor; None: the bytes do not add up."""
    list_size = 4 + 4 * m
    heights, parts, at = np.zeros(count, np.intp), [], start
    for number in range(count):
        if at + _SIZE.size > len(raw):
            return None
        size = _SIZE.unpack_from(raw, at)[0]
        at += _SIZE.size
        if size % list_size or at + size > len(raw):
            return None
        heights[number] = size // list_size
        parts.append(raw[at : at + size])
        at += size
    if at != len(raw):
        return None
    lists = np.frombuffer(b"".join(parts), "<u4").reshape(-1, 1 + m)
    floors = np.concatenate([np.arange(1, height + 1) for height in heights])
    return heights, _Links(floors, lists[:, 0], lists[:, 1:])
