"""An index is opened only when every link in it leads to a vector that is there."""

import struct

import numpy as np
import pytest

from edge.errors import BadRecipe
from edge.recipe.index_file import check_index
from tests.fuzz.targets import BANK, INDEX, index_bytes

HEADER, VECTOR = 96, 4 + 4 * 2 * INDEX.m + 4 * BANK.sketch_dim + 8


def changed(at: int, kind: str, value: float) -> bytes:
    raw = bytearray(index_bytes())
    struct.pack_into(kind, raw, at, value)
    return bytes(raw)


def test_an_index_as_hnswlib_writes_it_is_sound() -> None:
    check_index(index_bytes(), BANK, INDEX)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        index_bytes()[:-1],
        index_bytes() + b"\0",
        changed(16, "<Q", BANK.vectors + 1),
        changed(24, "<Q", 2**40),
        changed(48, "<i", 30),
        changed(52, "<I", BANK.vectors),
        changed(56, "<Q", 2**40),
        changed(HEADER, "<I", 1000),
        changed(HEADER, "<I", 1 << 16 | 1),
        changed(HEADER + 4, "<I", BANK.vectors),
        changed(HEADER + VECTOR - 8, "<Q", 2**63),
        changed(HEADER + VECTOR - 8, "<Q", 1),
        changed(HEADER + VECTOR - 12, "<f", np.nan),
        changed(HEADER + BANK.vectors * VECTOR, "<I", 2**31),
    ],
    ids=[
        "empty",
        "cut off",
        "longer",
        "more vectors",
        "larger vectors",
        "a floor that is not there",
        "entry",
        "more links",
        "links",
        "marked as deleted",
        "link",
        "label",
        "label twice",
        "no number",
        "floors above",
    ],
)
def test_an_index_that_would_lead_hnswlib_astray_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRecipe, match=r"bank\.hnsw: is no sound index of 60 vectors; build the recipe again"):
        check_index(raw, BANK, INDEX)
