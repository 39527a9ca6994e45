"""What every source gives: a torch backbone, its numbers, and what is known of its weights."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import nn
from torch.export import ExportedProgram

from edge.inspect.card import Channels


@dataclass(frozen=True, slots=True)
class Preparation:
    """How the backbone wants pictures: channels in the order of `colour`, then ``(value - mean) / std`` of values 0..255.

    mean, std: one number a channel, in that order. origin: where they come from, for people.
    """

    mean: Channels
    std: Channels
    colour: Literal["rgb", "bgr"]
    origin: str


@dataclass(frozen=True, slots=True)
class Doubts:
    """Where a checkpoint and its backbone differ; all of it must lie beyond the taps (see `export.design`).

    missing: parameters the file lacks. unexpected: keys the backbone does not know. other_shape: parameters of another
    shape in the file, with both in words. beside: keys that are no part of the backbone, such as those of a loss.
    """

    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    other_shape: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A backbone as it was found, in evaluation mode; `backbone` takes 1×3×H×W float32.

    name: short, for the card. origin: where it comes from, without paths of this machine.
    weights: the checkpoint as people call it. fixed_size: height and width if it works at no other.
    taps: the layers to tap if nobody says otherwise; None finds them. float_parts: modules that INT8 spoils.
    """

    name: str
    origin: str
    backbone: nn.Module | ExportedProgram
    preparation: Preparation
    weights: str
    weights_sha256: str
    doubts: Doubts = field(default_factory=Doubts)
    fixed_size: tuple[int, int] | None = None
    taps: tuple[str, ...] | None = None
    float_parts: tuple[str, ...] = ()


def hash_of_state(module: nn.Module) -> str:
    """sha256 of names and bytes of all weights, for a backbone that brings them without a file."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
