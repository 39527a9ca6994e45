"""The one graph a device runs: camera bytes in, patch vectors and picture vector out.

Everything but the resize is inside, so that training side and device cannot prepare a picture differently.
"""

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from torch import fx, nn

from edge.errors import BadConfig, Untraceable
from export.design import Design
from export.sources.factory import first_line
from export.stages import Stage

OPSET = 18
"""Pinned: what a device must be able to run shall not depend on the torch release that wrote the file."""

SMALLEST, LARGEST = 32, 2048
"""Sides of the input in pixels."""


class EncoderModule(nn.Module):
    """The tapped layers with their input and output sides.

    Colour order mostly costs nothing: the first convolution's input channels are turned round instead of the picture.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, design: Design) -> None:
        super().__init__()
        # Shares the weights with the design; those that are turned become its own.
        self.backbone = fx.GraphModule(design.body, design.body.graph)
        self.taps = design.taps
        wanted = design.source.preparation
        self.turns_picture = wanted.colour == "rgb" and not _turn_weights(self.backbone)
        for name, numbers in (("mean", wanted.mean), ("std", wanted.std)):
            # The picture comes as BGR.
            ordered = list(numbers) if wanted.colour == "bgr" else list(reversed(numbers))
            self.register_buffer(name, torch.tensor(ordered).reshape(1, 3, 1, 1))
        self.training = False  # an exported graph has no .eval(); it is in evaluation mode already

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """1×H×W×3 uint8 BGR to patches 1×(h·w)×d and embedding 1×D, both float32."""
        # Contiguous, as the backbone was traced with: its views may not fit tensors whose channels lie innermost.
        x = (image.permute(0, 3, 1, 2).contiguous().float() - self.mean) / self.std
        if self.turns_picture:
            x = x.flip(1)
        outputs = self.backbone(x)
        return patches(outputs, self.taps), embedding(outputs, self.taps)


def _turn_weights(body: fx.GraphModule) -> bool:
    """Turn the input channels of the convolutions that read the picture; False, and nothing done, if others read it too."""
    picture = next(node for node in body.graph.nodes if node.op == "placeholder")
    readers, waiting = [], list(picture.users)
    while waiting:
        node = waiting.pop()
        if str(node.target) == "aten.pad.default":
            waiting += list(node.users)
        elif not _is_first_convolution(node):
            return False
        else:
            readers.append(str(node.args[1].target))
    for name in readers:
        owner, _, leaf = name.rpartition(".")
        turned = body.get_parameter(name).detach().flip(1)
        setattr(body.get_submodule(owner), leaf, nn.Parameter(turned, requires_grad=False))
    return bool(readers)


def _is_first_convolution(node: fx.Node) -> bool:
    """Over all three colours at once (no groups), with weights nobody else uses."""
    if str(node.target) not in ("aten.conv2d.default", "aten.conv2d.padding"):
        return False
    weight = node.args[1]
    return (
        isinstance(weight, fx.Node)
        and weight.op == "get_attr"
        and len(weight.users) == 1
        and weight.meta["val"].shape[1] == 3  # noqa: PLR2004 - colours
    )


def as_map(output: torch.Tensor, tap: Stage) -> torch.Tensor:
    """A tap's output to 1×C×rows×cols; tokens without those that are no place of the picture."""
    if tap.kind == "map":
        return output
    if tap.kind == "map-last":
        return output.permute(0, 3, 1, 2)
    return output[:, tap.prefix :].transpose(1, 2).reshape(1, tap.channels, tap.rows, tap.cols)


def patches(outputs: Sequence[torch.Tensor], taps: Sequence[Stage]) -> torch.Tensor:
    """Outputs of the taps, finest first, to 1×(h·w)×ΣC of the finest grid, row by row.

    A 3×3 mean gives each vector its neighbourhood (PatchCore, https://arxiv.org/abs/2106.08265). It counts the zero
    padding: vectors at the rim, where the backbone itself saw padding, then stand out less.
    """
    maps = [as_map(output, tap) for output, tap in zip(outputs, taps, strict=True)]
    local = [nn.functional.avg_pool2d(tap, 3, stride=1, padding=1, count_include_pad=True) for tap in maps]
    grid = (taps[0].rows, taps[0].cols)
    fitted = [
        x if (tap.rows, tap.cols) == grid else nn.functional.interpolate(x, size=grid, mode="bilinear", align_corners=False)
        for x, tap in zip(local, taps, strict=True)
    ]
    return torch.cat(fitted, dim=1).flatten(2).transpose(1, 2)


def embedding(outputs: Sequence[torch.Tensor], taps: Sequence[Stage]) -> torch.Tensor:
    """Outputs of the taps to the picture as a whole, 1×D.

    Maps: the mean of each channel of all taps. Tokens: the class token of the last tap, or the mean of its patches.
    """
    if taps[-1].kind == "tokens":
        return outputs[-1][:, 0] if taps[-1].class_token else outputs[-1][:, taps[-1].prefix :].mean(dim=1)
    maps = [as_map(output, tap) for output, tap in zip(outputs, taps, strict=True)]
    return torch.cat([x.mean(dim=(2, 3)) for x in maps], dim=1)


def check_size(height: int, width: int) -> None:
    """Refuse what no graph is built for; the taps may want more (see `export.design.draw`).

    Raises:
        BadConfig: a side is not between 32 and 2048.
    """
    for side in (height, width):
        if not SMALLEST <= side <= LARGEST:
            nearest = SMALLEST if side < SMALLEST else LARGEST
            raise BadConfig(f"--size: {side} does not work; take sides from {SMALLEST} to {LARGEST}, here {nearest}.")


def write_graph(module: EncoderModule, height: int, width: int, path: Path) -> None:
    """Export to one ONNX file with static shapes and the pinned opset, batch norm and padding folded into Conv.

    Raises:
        Untraceable: the backbone has an operation that ONNX has no form of.
    """
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                (torch.zeros(1, height, width, 3, dtype=torch.uint8),),
                input_names=["image"],
                output_names=["patches", "embedding"],
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as err:
        found = re.search(r"target=torch\.ops\.([\w.]+)", str(err))
        if found:
            raise Untraceable(
                f"torch.onnx cannot write {found[1]} of the backbone; write that operation in another way."
            ) from None
        raise Untraceable(
            f"torch.onnx cannot write the backbone ({first_line(err.__cause__ or err)}); tap earlier layers with --taps, or "
            "export a torch.export program of it."
        ) from None
    assert program is not None  # noqa: S101 - only the exporter we do not use gives None
    # Each node carries stack traces with the paths of the machine it was made on.
    ClearMetadataAndDocStringPass()(program.model)
    program.save(path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch says of itself: that torchvision, which nothing here uses, is absent; a deprecation of its own."""
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registration.level
    registration.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning)
            yield
    finally:
        registration.setLevel(level)
