"""Painted damage is small, stays in the picture, and is drawn by the seed alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.pseudo import DAMAGES, Damage, damaged
from edge.types import Pixels
from tests.conftest import part_picture

SEEDS = range(12)


def colourful(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def paint(pixels: Pixels, kind: Damage, seed: int, donor: Pixels | None = None) -> Pixels:
    return damaged(pixels, part_picture(99) if donor is None else donor, kind, np.random.default_rng(seed))


def changed(pixels: Pixels, kind: Damage, seed: int, donor: Pixels | None = None) -> np.ndarray:
    """H×W bool."""
    return (paint(pixels, kind, seed, donor) != pixels).any(axis=2)


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_is_somewhere_and_small(kind: Damage) -> None:
    shares = [changed(part_picture(seed), kind, seed).mean() for seed in SEEDS]
    assert min(shares) > 0
    assert max(shares) < 0.06


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_leaves_the_good_pictures_as_they_were(kind: Damage) -> None:
    pixels, donor = part_picture(1), part_picture(2)
    found = damaged(pixels, donor, kind, np.random.default_rng(0))
    assert (found.shape, found.dtype) == (pixels.shape, np.uint8)
    assert not np.shares_memory(found, pixels)
    np.testing.assert_array_equal(pixels, part_picture(1))
    np.testing.assert_array_equal(donor, part_picture(2))


@pytest.mark.parametrize("kind", DAMAGES)
def test_the_seed_decides_where_and_what(kind: Damage) -> None:
    pixels = part_picture(1)
    np.testing.assert_array_equal(paint(pixels, kind, 5), paint(pixels, kind, 5))
    assert len({changed(pixels, kind, seed).tobytes() for seed in SEEDS}) == len(SEEDS)


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("size", [(40, 60), (60, 40), (120, 120), (30, 400), (400, 30)])
def test_small_and_long_pictures_are_damaged_too(kind: Damage, size: tuple[int, int]) -> None:
    pixels, donor = colourful(*size), colourful(*size, seed=1)
    found = [changed(pixels, kind, seed, donor) for seed in SEEDS]
    assert {one.shape for one in found} == {size}
    assert sum(one.any() for one in found) >= len(SEEDS) - 1
    assert max(one.mean() for one in found) < 0.2


@pytest.mark.parametrize("kind", ["blob", "stroke"])
@pytest.mark.parametrize("level", [0, 110, 255])
def test_flat_pictures_are_damaged_where_grey_allows(kind: Damage, level: int) -> None:
    flat = np.full((120, 160, 3), level, np.uint8)
    assert any(changed(flat, kind, seed, flat).any() for seed in SEEDS)


def test_a_donor_of_another_size_gives_its_patch() -> None:
    pixels, donor = part_picture(1), colourful(47, 91)
    assert all(0 < changed(pixels, "patch", seed, donor).mean() < 0.06 for seed in SEEDS)


def test_colour_damage_keeps_a_grey_picture_grey() -> None:
    pixels = part_picture(1)
    for kind in DAMAGES:
        found = paint(pixels, kind, 3)
        assert (found == found[..., :1]).all(), kind


def test_blobs_and_strokes_are_sometimes_brighter_and_sometimes_darker() -> None:
    flat = np.full((120, 160, 3), 110, np.uint8)
    for kind in ("blob", "stroke"):
        moved = {int(np.sign(paint(flat, kind, seed).astype(int).sum() - flat.astype(int).sum())) for seed in SEEDS}
        assert moved == {-1, 1}, kind


@settings(max_examples=60)
@given(
    height=st.integers(8, 90),
    width=st.integers(8, 90),
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(DAMAGES),
)
def test_any_picture_and_seed_give_a_picture_of_the_same_kind(height: int, width: int, seed: int, kind: Damage) -> None:
    pixels = colourful(height, width)
    found = paint(pixels, kind, seed, colourful(height, width, seed=1))
    assert (found.shape, found.dtype) == (pixels.shape, np.uint8)
