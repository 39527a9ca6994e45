"""Mean, standard deviation and colour order: what the source says, what a person says, else ImageNet's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import nn

from edge.errors import BadConfig
from edge.inspect.card import Channels
from export.sources.source import Preparation, Source

IMAGENET = Preparation(
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
    colour="rgb",
    origin="ImageNet's usual numbers, because the source says none",
)

COLOURS = 3

PIXEL_ATTRIBUTES = "the module's pixel_mean and pixel_std"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person says of the preparation; None leaves the source's.

    mean, std: one number or one a channel, in the order the backbone takes them.
    pixel_range: 1 if they are of values 0..1, 255 if of 0..255; None: 1 if none of them exceeds 1.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    colour: Literal["rgb", "bgr"] | None = None
    pixel_range: Literal[1, 255] | None = None


def with_wish(source: Source, wish: Wish) -> Source:
    """The source with a person's numbers.

    Raises:
        BadConfig: only one of mean and std, not 1 or 3 numbers, or a std that is not positive.
    """
    preparation = source.preparation
    if (wish.mean is None) != (wish.std is None):
        raise BadConfig("--mean and --std belong together: give both, or neither.")
    if wish.mean is not None and wish.std is not None:
        preparation = from_numbers(wish.mean, wish.std, preparation.colour, "--mean and --std", wish.pixel_range)
    if wish.colour is not None:
        preparation = replace(preparation, colour=wish.colour)
    return replace(source, preparation=preparation)


def from_numbers(
    mean: Sequence[float],
    std: Sequence[float],
    colour: Literal["rgb", "bgr"],
    origin: str,
    pixel_range: Literal[1, 255] | None = None,
) -> Preparation:
    """A preparation of values 0..255 from numbers of 0..1 or 0..255 (those have at least one number above 1).

    Raises:
        BadConfig: as `with_wish`.
    """
    if pixel_range is None:
        pixel_range = 1 if max(*mean, *std) <= 1 else 255
    factor = 255.0 if pixel_range == 1 else 1.0
    means, stds = _three(mean, factor, "--mean"), _three(std, factor, "--std")
    if not all(0 < value < float("inf") for value in stds):
        raise BadConfig(f"--std: {list(std)} must be positive numbers; they divide the pixels.")
    return Preparation(means, stds, colour, f"{origin}, of values 0..{pixel_range}")


def _three(values: Sequence[float], factor: float, option: str) -> Channels:
    if len(values) not in (1, COLOURS):
        raise BadConfig(f"{option}: {len(values)} numbers; give one for all channels, or three.")
    # To seven digits, as float32 holds: 0.485 × 255 is 123.675 and not 123.67499999999999.
    numbers = [float(f"{value * factor:.7g}") for value in values] * (COLOURS // len(values))
    return numbers[0], numbers[1], numbers[2]


def from_module(module: nn.Module) -> Preparation:
    """What a module, or one inside it, says of itself: timm's pretrained_cfg or default_cfg, or pixel_mean and pixel_std.

    Returns:
        ImageNet's numbers where nothing is said.
    """
    return next((said for part in module.modules() if (said := _said_by(part))), IMAGENET)


def _said_by(part: nn.Module) -> Preparation | None:
    for attribute in ("pretrained_cfg", "default_cfg"):
        config = getattr(part, attribute, None)
        if isinstance(config, dict) and config.get("mean") and config.get("std"):
            return from_numbers(config["mean"], config["std"], "rgb", f"the model's {attribute}", pixel_range=1)
    mean, std = (_numbers(getattr(part, name, None)) for name in ("pixel_mean", "pixel_std"))
    return from_numbers(mean, std, "rgb", PIXEL_ATTRIBUTES) if mean and std else None


def not_twice(preparation: Preparation, used: Collection[str]) -> Preparation:
    """The preparation for a module that reads its own pixel_mean and pixel_std: only their range of values is left to do.

    Args:
        preparation: as `from_module` gave it, perhaps changed by a person, whose word stands.
        used: names of parameters and buffers that the layers up to the taps read.
    """
    reads = any(name.rpartition(".")[2] == "pixel_mean" for name in used)
    if not (reads and preparation.origin.startswith(PIXEL_ATTRIBUTES)):
        return preparation
    largest = 255.0 if preparation.origin.endswith("0..1") else 1.0
    return replace(
        preparation, mean=(0.0,) * 3, std=(largest,) * 3, origin="the module prepares by pixel_mean and pixel_std"
    )


def _numbers(value: object) -> list[float] | None:
    if isinstance(value, torch.Tensor):
        return [float(number) for number in value.detach().flatten().tolist()]
    if isinstance(value, (list, tuple)) and value and all(isinstance(number, (int, float)) for number in value):
        return [float(number) for number in value]
    return None
