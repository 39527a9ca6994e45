"""Tiles join without a seam, each place from the tile in which it lies deepest."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge.errors import BadConfig
from edge.inspect.card import GridCard, InputCard
from edge.inspect.mosaic import Mosaic
from edge.inspect.view_card import TilesCard
from edge.types import PatchGrid

STRIDE = 8


def cards(rows: int, cols: int, dim: int = 2, stride: int = STRIDE) -> tuple[InputCard, GridCard]:
    size = InputCard(height=rows * stride, width=cols * stride)
    return size, GridCard(rows=rows, cols=cols, patch_dim=dim, embedding_dim=3)


def tile(values: np.ndarray, embedding: float = 0.0) -> PatchGrid:
    rows, cols, dim = values.shape
    patches = np.ascontiguousarray(values, np.float32).reshape(rows * cols, dim)
    return PatchGrid(patches, rows, cols, np.full(3, embedding, np.float32))


def origins(tiles: TilesCard, rows: int, cols: int) -> list[tuple[int, int]]:
    """Where each tile's first patch lies in the joined grid."""
    shared = tiles.overlap // STRIDE
    return [(r * (rows - shared), c * (cols - shared)) for r in range(tiles.rows) for c in range(tiles.cols)]


@settings(max_examples=100)
@given(
    tiled=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    halves=st.integers(0, 4),
    grid=st.tuples(st.integers(4, 16), st.integers(4, 16)),
)
def test_a_function_of_the_place_is_joined_exactly(tiled: tuple[int, int], halves: int, grid: tuple[int, int]) -> None:
    assume(4 * halves <= min(grid))
    assume(tiled != (1, 1) or halves == 0)
    tiles = TilesCard(rows=tiled[0], cols=tiled[1], overlap=2 * halves * STRIDE)
    mosaic = Mosaic(tiles, *cards(*grid))
    height, width = tiles.canvas_size(grid[0] * STRIDE, grid[1] * STRIDE)
    assert (mosaic.rows, mosaic.cols) == (height // STRIDE, width // STRIDE)
    y, x = np.mgrid[: mosaic.rows, : mosaic.cols]
    smooth = np.stack([np.sin(0.3 * x) + y, np.cos(0.2 * y) * x], axis=2).astype(np.float32)
    parts = [smooth[top : top + grid[0], left : left + grid[1]] for top, left in origins(tiles, *grid)]
    joined = mosaic.join(tile(part) for part in parts)
    assert (joined.rows, joined.cols) == (mosaic.rows, mosaic.cols)
    np.testing.assert_array_equal(joined.patches.reshape(smooth.shape), smooth)


def test_each_place_comes_from_the_tile_in_which_it_lies_deepest() -> None:
    tiles, (rows, cols) = TilesCard(rows=3, cols=2, overlap=4 * STRIDE), (10, 12)
    down, across = np.mgrid[:rows, :cols]
    depth = np.minimum(np.minimum(down, rows - 1 - down), np.minimum(across, cols - 1 - across))
    mosaic = Mosaic(tiles, *cards(rows, cols, dim=1))
    deepest = np.full((mosaic.rows, mosaic.cols), -1)
    for top, left in origins(tiles, rows, cols):
        part = deepest[top : top + rows, left : left + cols]
        np.maximum(part, depth, out=part)
    joined = mosaic.join(tile(depth[..., None]) for _ in range(6)).patches.reshape(mosaic.rows, mosaic.cols)
    np.testing.assert_array_equal(joined, deepest)


def test_the_embedding_is_the_mean_of_the_tiles() -> None:
    mosaic = Mosaic(TilesCard(rows=1, cols=3, overlap=0), *cards(4, 4))
    joined = mosaic.join(tile(np.zeros((4, 4, 2)), embedding=e) for e in (1.0, 2.0, 6.0))
    np.testing.assert_array_equal(joined.embedding, np.full(3, 3.0, np.float32))
    assert (joined.embedding.dtype, joined.patches.dtype) == (np.float32, np.float32)


def test_a_single_tile_is_passed_on_as_it_is() -> None:
    only = tile(np.zeros((4, 4, 2)))
    assert Mosaic(TilesCard(), *cards(4, 4)).join([only]) is only


@pytest.mark.parametrize("count", [0, 1, 3])
def test_tiles_too_few_or_too_many_are_a_mistake(count: int) -> None:
    with pytest.raises(ValueError, match="zip"):
        Mosaic(TilesCard(rows=1, cols=2), *cards(4, 4)).join([tile(np.zeros((4, 4, 2)))] * count)


@pytest.mark.parametrize(
    ("overlap", "advice"), [(8, "use 16"), (30, "use 32"), (24, "use 32"), (48, "use 32"), (1000, "use 32")]
)
def test_an_overlap_that_cannot_be_halved_is_refused_with_one_that_can(overlap: int, advice: str) -> None:
    with pytest.raises(BadConfig, match=rf"tiles\.overlap: {overlap} must be a multiple of 16, .* at most 40; {advice}"):
        Mosaic(TilesCard(rows=2, cols=1, overlap=overlap), *cards(10, 10))


def test_an_encoder_whose_patches_do_not_divide_its_input_has_one_tile() -> None:
    size, grid = cards(10, 10)
    uneven = InputCard(height=size.height + 3, width=size.width + 3)
    with pytest.raises(BadConfig, match="use one"):
        Mosaic(TilesCard(rows=2, cols=1, overlap=16), uneven, grid)
    assert Mosaic(TilesCard(), uneven, grid).rows == 10
