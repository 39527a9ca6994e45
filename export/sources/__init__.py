"""Where backbones come from: a built-in one, a factory function, a torch.export program, timm or torchvision."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from torch import nn

from edge.errors import BadConfig, BadSource
from export.sources.builtin import BUILT_IN, open_builtin
from export.sources.factory import open_factory
from export.sources.preparation import Wish, with_wish
from export.sources.program import open_program
from export.sources.source import Source
from export.sources.zoo import open_timm, open_torchvision
from export.transformers import patch_side

DEFAULT_SIZE = (320, 320)
"""Height and width where neither the order nor the source says one."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which backbone, as a person names it.

    name: a built-in name, ``timm:NAME``, ``torchvision:NAME``, a ``.pt2`` file or ``package.module:function``.
    """

    name: str = "efficientnet-lite0"
    weights: Path | None = None
    wish: Wish = field(default_factory=Wish)


Kind = Literal["built-in", "program", "timm", "torchvision", "factory"]


def kind_of(name: str) -> Kind:
    """What kind of source a name means.

    Raises:
        BadSource: it means none.
    """
    if name in BUILT_IN:
        return "built-in"
    if name.endswith(".pt2"):
        return "program"
    if match := re.fullmatch(r"(timm|torchvision):.+", name):
        return "timm" if match[1] == "timm" else "torchvision"
    if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", name):
        return "factory"
    raise BadSource(
        f"'{name}' names no backbone: give {', '.join(BUILT_IN)}, timm:NAME, torchvision:NAME, a .pt2 file, or a factory as "
        "package.module:function."
    )


def open_source(wanted: Wanted, size: tuple[int, int] | None) -> Source:
    """The backbone with its weights, in evaluation mode, and how it wants pictures prepared.

    Args:
        wanted: which.
        size: height and width of the input in pixels, for models that are made for one; None takes what `size_for` takes.

    Raises:
        BadSource: the source cannot be opened or gives no backbone.
        BadWeights: the weights cannot be read or do not fit.
        BadConfig: options that do not go together.
    """
    kind = kind_of(wanted.name)
    if wanted.weights is not None and kind in ("built-in", "program"):
        raise BadConfig(f"--weights: {wanted.name} brings its own weights; leave the option out.")
    source = _open(kind, wanted, size or DEFAULT_SIZE)
    if size is None and source.fixed_size is None and (fitting := size_for(source, None)) != DEFAULT_SIZE:
        source = _open(kind, wanted, fitting)
    return with_wish(source, wanted.wish)


def _open(kind: Kind, wanted: Wanted, size: tuple[int, int]) -> Source:
    if kind == "built-in":
        return open_builtin(wanted.name)
    if kind == "program":
        return open_program(Path(wanted.name))
    if kind == "timm":
        return open_timm(wanted.name.split(":", 1)[1], wanted.weights, size)
    if kind == "torchvision":
        return open_torchvision(wanted.name.split(":", 1)[1], wanted.weights, size)
    return open_factory(wanted.name, wanted.weights, size)


def size_for(source: Source, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """Height and width of the input in pixels: as wanted, the source's own, or the multiple of its patches nearest to 320.

    Raises:
        BadConfig: the source works at one size only, and another is wanted.
    """
    if source.fixed_size is None:
        patch = patch_side(source.backbone) if isinstance(source.backbone, nn.Module) else None
        height, width = (round(side / (patch or 1)) * (patch or 1) for side in DEFAULT_SIZE)
        return wanted or (height, width)
    if wanted not in (None, source.fixed_size):
        right = f"{source.fixed_size[0]}x{source.fixed_size[1]}"
        raise BadConfig(f"--size: {source.name} was exported for {right} pixels only; take --size {right} or leave it out.")
    return source.fixed_size
