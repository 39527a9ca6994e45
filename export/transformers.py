"""Vision transformers: which tokens are places of the picture, and position embeddings for another picture size."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

MOST_PREFIX = 32
"""More tokens than these before the patches are no class and register tokens."""

SMALLEST_PATCH, LARGEST_PATCH = 4, 64
COLOURS = 3

SIZE_ATTRIBUTES = ("image_size", "img_size")
"""Where models keep the one picture size that they check their input against."""


class AnySide(int):
    """A side in pixels that equals every side: models with one `image_size` compare height and width with it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int)

    __hash__ = int.__hash__


@dataclass(frozen=True, slots=True)
class TokenGrid:
    """Tokens 1×N×C as places: `prefix` tokens that are none (class, registers), then rows·cols patches, row by row."""

    prefix: int
    rows: int
    cols: int
    patch: int


def token_grid(tokens: int, size: tuple[int, int], patch: int | None) -> TokenGrid | None:
    """How N tokens lie on a picture of `size` (height, width), None if they do not.

    Args:
        tokens: N.
        size: height and width of the picture in pixels.
        patch: side of the model's patches in pixels if known; merged ones of 2, 4 and 8 times the side are tried too.
    """
    sides = [patch << level for level in range(4)] if patch else range(SMALLEST_PATCH, LARGEST_PATCH + 1)
    for side in sides:
        if not patch and (size[0] % side or size[1] % side):
            continue  # a guess must fit exactly; a known patch leaves the rim out
        rows, cols = size[0] // side, size[1] // side
        if rows * cols and 0 <= tokens - rows * cols <= min(MOST_PREFIX, rows * cols):
            return TokenGrid(tokens - rows * cols, rows, cols, side)
    return None


def patch_side(module: nn.Module) -> int | None:
    """The patch of a vision transformer: kernel and stride of the convolution that cuts the picture, None without one."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d) and part.in_channels == COLOURS:
            side = int(part.kernel_size[0])
            cuts = part.kernel_size == part.stride == (side, side) and side >= SMALLEST_PATCH
            return side if cuts else None
    return None


def set_input_size(module: nn.Module, size: tuple[int, int]) -> bool:
    """Use the models' own way to another picture size, as timm's have one; False if there is none."""
    for part in module.modules():
        if callable(change := getattr(part, "set_input_size", None)):
            change(img_size=size)
            return True
    return False


def forget_input_size(module: nn.Module, size: tuple[int, int]) -> None:
    """Let a model that checks its input against a stored size take another one: wrong shapes further on still raise."""
    for part in module.modules():
        for attribute in SIZE_ATTRIBUTES:
            held = getattr(part, attribute, None)
            if type(held) is int:
                setattr(part, attribute, AnySide(max(size)))
            elif isinstance(held, tuple) and len(held) == len(size):
                setattr(part, attribute, size)


def square_side(module: nn.Module) -> int | None:
    """Side in pixels of the square picture that a model's position embeddings seem to be made for, None without any."""
    patch = patch_side(module)
    positions = [value for name, value in module.named_parameters() if _is_position(name, value)]
    return math.isqrt(int(positions[0].shape[1])) * patch if patch and positions else None


def fit_positions(module: nn.Module, size: tuple[int, int]) -> tuple[str, ...]:
    """Resample the position embeddings of a model that was made for another picture size, which was square.

    Returns:
        The parameters that were changed.
    """
    state = {name: value for name, value in module.named_parameters() if _is_position(name, value)}
    grid = _grid(module, size)
    changed = {
        name: resampled
        for name, value in state.items()
        if grid and (resampled := _resample_unknown(value.detach(), grid)) is not None
    }
    for name, value in changed.items():
        owner, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(owner), leaf, nn.Parameter(value, requires_grad=False))
    return tuple(changed)


def fit_positions_of(module: nn.Module, state: Mapping[str, torch.Tensor], size: tuple[int, int]) -> dict[str, torch.Tensor]:
    """A checkpoint whose position embeddings have as many places as `module`, which was made for `size`."""
    grid, fitted = _grid(module, size), dict(state)
    for name, ours in module.named_parameters():
        theirs = state.get(name)
        if grid and theirs is not None and _is_position(name, ours) and theirs.ndim == ours.ndim:
            prefix = int(ours.shape[1]) - grid[0] * grid[1]
            if theirs.shape != ours.shape and theirs.shape[2] == ours.shape[2] and prefix >= 0:
                fitted[name] = resample(theirs, prefix, grid)
    return fitted


def resample(positions: torch.Tensor, prefix: int, grid: tuple[int, int]) -> torch.Tensor:
    """1×(prefix + side²)×C to 1×(prefix + rows·cols)×C, bicubic; unchanged where the places are no square."""
    places = int(positions.shape[1]) - prefix
    side = math.isqrt(max(places, 0))
    if side == 0 or side * side != places or (side, side) == grid:
        return positions
    square = positions[:, prefix:].transpose(1, 2).reshape(1, -1, side, side).float()
    resized = nn.functional.interpolate(square, size=grid, mode="bicubic", align_corners=False, antialias=True)
    return torch.cat([positions[:, :prefix].float(), resized.flatten(2).transpose(1, 2)], dim=1)


def _resample_unknown(positions: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor | None:
    """As `resample`, where the square tells how many tokens come before the places."""
    tokens = int(positions.shape[1])
    if 0 <= tokens - grid[0] * grid[1] <= 1:
        return None
    prefix = tokens - math.isqrt(tokens) ** 2
    resampled = resample(positions, prefix, grid)
    return resampled if resampled is not positions else None


def _grid(module: nn.Module, size: tuple[int, int]) -> tuple[int, int] | None:
    side = patch_side(module)
    return (size[0] // side, size[1] // side) if side else None


def _is_position(name: str, value: torch.Tensor) -> bool:
    return "pos" in name.rpartition(".")[2].lower() and value.ndim == 3 and value.shape[0] == 1  # noqa: PLR2004 - 1×N×C
