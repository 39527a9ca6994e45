"""The one graph a device runs: camera bytes in, patch vectors and picture vector out.

Everything but the resize is inside, so that training side and device cannot prepare a picture differently.
"""

import copy
import logging
import warnings
from pathlib import Path

import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from torch import nn

from edge.errors import BadConfig
from export.backbones import Backbone

OPSET = 18
"""Pinned: what a device must be able to run shall not depend on the torch release that wrote the file."""

STEP = 16
"""Heights and widths are multiples of it: the coarser tap then lies exactly twice on the finer one."""

SMALLEST, LARGEST = 32, 2048


class EncoderModule(nn.Module):
    """A backbone with its input and output sides.

    Colour order costs nothing: the first convolution's input channels are turned round instead of the picture.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(backbone)
        self.mean, self.scale = backbone.blueprint.mean, backbone.blueprint.scale
        stem = self.backbone.stem.conv
        stem.weight = nn.Parameter(stem.weight.detach().flip(1), requires_grad=False)
        self.eval()

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """1×H×W×3 uint8 BGR to patches 1×(h·w)×d and embedding 1×D, both float32."""
        x = (image.permute(0, 3, 1, 2).float() - self.mean) / self.scale
        taps = self.backbone(x)
        return patches(taps), embedding(taps)


def patches(taps: list[torch.Tensor]) -> torch.Tensor:
    """Feature maps 1×C×h×w, finest first, to 1×(h·w)×ΣC of the finest grid, row by row.

    A 3×3 mean gives each vector its neighbourhood (PatchCore, https://arxiv.org/abs/2106.08265). It counts the zero
    padding: vectors at the rim, where the backbone itself saw padding, then stand out less.
    """
    local = [nn.functional.avg_pool2d(tap, 3, stride=1, padding=1, count_include_pad=True) for tap in taps]
    grid = (int(local[0].shape[-2]), int(local[0].shape[-1]))
    coarser = [nn.functional.interpolate(tap, size=grid, mode="bilinear", align_corners=False) for tap in local[1:]]
    return torch.cat([local[0], *coarser], dim=1).flatten(2).transpose(1, 2)


def embedding(taps: list[torch.Tensor]) -> torch.Tensor:
    """Feature maps 1×C×h×w to the picture as a whole: 1×ΣC, the mean of each channel."""
    return torch.cat([tap.mean(dim=(2, 3)) for tap in taps], dim=1)


def check_size(height: int, width: int) -> None:
    """Refuse what the graph cannot be built for.

    Raises:
        BadConfig: a side is no multiple of 16 between 32 and 2048.
    """
    for side in (height, width):
        if side % STEP or not SMALLEST <= side <= LARGEST:
            lower = min(max(side // STEP * STEP, SMALLEST), LARGEST)
            nearest = f"{lower} or {lower + STEP}" if SMALLEST <= side < LARGEST else f"{lower}"
            raise BadConfig(
                f"--size: {side} does not work; take multiples of {STEP} from {SMALLEST} to {LARGEST}, here {nearest}."
            )


def write_graph(module: EncoderModule, height: int, width: int, path: Path) -> None:
    """Export to one ONNX file with static shapes and the pinned opset, batch norm and padding folded into Conv."""
    image = torch.zeros(1, height, width, 3, dtype=torch.uint8)
    # The exporter reports at warning level that torchvision, which nothing here uses, is not installed.
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    registration.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # torch 2.13 calls a function of its own that it has deprecated.
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning)
            program = torch.onnx.export(
                module,
                (image,),
                input_names=["image"],
                output_names=["patches", "embedding"],
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    finally:
        registration.setLevel(level)
    assert program is not None  # noqa: S101 - only the exporter we do not use gives None
    # Each node carries stack traces with the paths of the machine it was made on.
    ClearMetadataAndDocStringPass()(program.model)
    program.save(path)
