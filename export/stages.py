"""The layers of a traced backbone: what each gives, at which places of the picture, and which ones to tap.

A layer is a module that gives one tensor. Its output is the one tensor computed inside it that something outside reads.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import torch
from torch import fx

from export.transformers import COLOURS, SMALLEST_PATCH, TokenGrid, token_grid

CLASS_TOKEN = re.compile(r"(^|[._])(cls|class)_?(token|embed)", re.IGNORECASE)

HEADS = frozenset(
    {
        *("fc", "_fc", "head", "heads", "head_dist", "classifier", "logits", "last_linear"),
        *("aux1", "aux2", "AuxLogits", "aux_classifier", "auxiliary_head", "decode_head", "decoder"),
        *("mask_token", "projector", "predictor"),
    }
)
"""What stands behind a backbone is called: classifiers, and what only training or another task needs."""

VALID_RIM = 3
"""So many places a map may lack at most where convolutions without padding ate the rim of the picture."""

FEWEST_PLACES = 8
"""Smaller maps cannot be told from others by the places they lack."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A layer whose output has places of the picture.

    kind: ``map`` 1×C×rows×cols, ``map-last`` 1×rows×cols×C, or ``tokens`` 1×(prefix + rows·cols)×C.
    stride: pixels of the input from place to place. class_token: the first token stands for the whole picture.
    """

    name: str
    kind: Literal["map", "map-last", "tokens"]
    shape: tuple[int, ...]
    stride: int
    channels: int
    rows: int
    cols: int
    prefix: int = 0
    class_token: bool = False


class Layers:
    """All layers of a graph, in the order in which they finish.

    Args:
        graph: what `export.tracing.trace` made.
        size: height and width of the picture it was traced with.
    """

    def __init__(self, graph: fx.Graph, size: tuple[int, int]) -> None:
        self.outputs = outputs_of(graph)
        self._members = _members(graph)
        self._size = size
        self._patch = _patch(graph)
        self._class_token = any(node.op == "get_attr" and CLASS_TOKEN.search(str(node.target)) for node in graph.nodes)
        self._order = {node: place for place, node in enumerate(graph.nodes)}
        found = [stage for name, node in self.outputs.items() if (stage := self._stage(name, node))]
        self.stages = {stage.name: stage for stage in sorted(found, key=lambda stage: self.finished(stage.name))}

    def finished(self, name: str) -> int:
        """The place of a layer's output in the order of work."""
        return self._order[self.outputs[name]]

    def distinct(self) -> list[Stage]:
        """One stage for each tensor: where the last part of a layer gives its output, the whole layer."""
        by_output = groupby(self.stages.values(), key=lambda stage: self.finished(stage.name))
        return [min(same, key=lambda stage: (stage.name.count("."), len(stage.name))) for _, same in by_output]

    def propose(self) -> tuple[str, ...]:
        """The taps to take if nobody says otherwise, finest first; empty if no layer will do.

        A network with maps: the last layers at strides 8 and 16; lacking one, the last layers at two strides up to 32. A
        transformer, or a network of convolutions that stays at its patches: the blocks at half depth and at the end, whose
        outputs are details and meaning.
        """
        maps = self._last_maps()
        if maps.keys() >= {8, 16}:
            return maps[8], maps[16]
        if blocks := self._blocks("tokens") or (self._blocks("map", "map-last") if list(maps) == [self._patch] else []):
            return tuple(dict.fromkeys((blocks[(len(blocks) - 1) // 2], blocks[-1])))
        usual = sorted(stride for stride in maps if stride in (4, 8, 16, 32))
        near = [stride for stride in usual if stride <= 16] or usual  # noqa: PLR2004 - coarser ones see no small defects
        return tuple(maps[stride] for stride in near[-2:])

    def _last_maps(self) -> dict[int, str]:
        """By stride, the last layer that gives it and is no part of a block on its way to a coarser one."""
        last: dict[int, str] = {}
        for stage in self.distinct():
            pooled = stage.rows * stage.cols == 1
            if stage.kind != "tokens" and not pooled and not is_head(stage.name) and not self._is_on_the_way(stage):
                last[stage.stride] = stage.name
        # The bare cut of a picture into patches has seen nothing yet.
        if self._patch in last and [stage.stride for stage in self.distinct()].count(self._patch) == 1:
            del last[self._patch]
        return last

    def _is_on_the_way(self, stage: Stage) -> bool:
        around = (self.stages.get(name) for name in _ancestors(stage.name))
        return any(outer.stride > stage.stride and stage.stride in self._enters(outer.name) for outer in around if outer)

    def _enters(self, name: str) -> set[int]:
        inside = self._members[name]
        readings = {source for node in inside for source in node.all_input_nodes if source not in inside}
        return {stage.stride for node in readings if (stage := self._stage("", node))}

    def _blocks(self, *kinds: str) -> list[str]:
        """The longest row of numbered layers of these kinds, at the outermost depth that has one."""
        rows: dict[tuple[int, str], list[Stage]] = {}
        for stage in self.stages.values():
            if stage.kind in kinds and (numbered := re.fullmatch(r"(.*?)\d+", stage.name)):
                rows.setdefault((stage.name.count("."), numbered[1]), []).append(stage)
        several = {key: row for key, row in rows.items() if len(row) > 1}
        if not several:
            return []
        best = min(several, key=lambda key: (key[0], -len(several[key])))
        return [stage.name for stage in several[best]]

    def _stage(self, name: str, node: fx.Node) -> Stage | None:
        value = node.meta.get("val")
        if not isinstance(value, torch.Tensor) or value.shape[:1] != (1,):
            return None
        shape = tuple(int(side) for side in value.shape)
        if len(shape) == 4:  # noqa: PLR2004 - batch, channels and two sides
            if stride := _stride(self._size, shape[2:]):
                return Stage(name, "map", shape, stride, shape[1], *shape[2:])
            if stride := _stride(self._size, shape[1:3]):
                return Stage(name, "map-last", shape, stride, shape[3], *shape[1:3])
        if len(shape) == 3 and (grid := token_grid(shape[1], self._size, self._patch)) and _patches_come_last(node):  # noqa: PLR2004 - batch, tokens, channels
            return Stage(
                name, "tokens", shape, grid.patch, shape[2], grid.rows, grid.cols, grid.prefix, self._has_class(grid)
            )
        return None

    def _has_class(self, grid: TokenGrid) -> bool:
        # One token alone in front is a class token whatever its parameter is called; several may all be registers.
        return grid.prefix == 1 or (grid.prefix > 1 and self._class_token)


def is_head(name: str) -> bool:
    """Whether a layer belongs to a head, at the outermost level or in a wrapper's one below."""
    return not HEADS.isdisjoint(name.split(".")[:2])


def outputs_of(graph: fx.Graph) -> dict[str, fx.Node]:
    """By module name, the one node whose value leaves the module's last call; modules with none or several are left out."""
    found = {}
    for name, inside in _members(graph).items():
        leaving = [node for node in inside if any(user not in inside for user in node.users)]
        if len(leaving) == 1:
            found[name] = leaving[0]
    return found


def _members(graph: fx.Graph) -> dict[str, dict[fx.Node, None]]:
    """By module name, the nodes of its last call."""
    calls: dict[str, tuple[str, dict[fx.Node, None]]] = {}
    for node in graph.nodes:
        for key, (name, _) in node.meta.get("nn_module_stack", {}).items() if node.op == "call_function" else ():
            if name and (name not in calls or calls[name][0] != key):
                calls[name] = key, {}
            if name:
                calls[name][1][node] = None
    return {name: inside for name, (_, inside) in calls.items()}


def _stride(size: tuple[int, int], sides: tuple[int, ...]) -> int | None:
    """Pixels from place to place if they are the same both ways, rounded up or down at the rim or a little short of it."""
    low = -(-size[0] // (sides[0] + 1))
    high = size[0] // max(sides[0] - 1, 1)
    fitting = [
        stride
        for stride in range(max(low, 1), high + 1)
        if all(side in (whole // stride, -(-whole // stride)) for whole, side in zip(size, sides, strict=True))
    ]
    exact = [stride for stride in fitting if stride * sides[0] == size[0] and stride * sides[1] == size[1]]
    powers = [stride for stride in fitting if stride & (stride - 1) == 0]
    if best := exact or powers:
        return best[0]
    return _stride_of_valid(size, sides) or (fitting[0] if fitting else None)


def _stride_of_valid(size: tuple[int, int], sides: tuple[int, ...]) -> int | None:
    """As `_stride`, of a map to which convolutions without padding gave fewer places."""
    for stride in (4, 8, 16, 32):
        lacking = [-(-whole // stride) - side for whole, side in zip(size, sides, strict=True)]
        if min(sides) >= FEWEST_PLACES and all(0 <= places <= VALID_RIM for places in lacking):
            return stride
    return None


def _patch(graph: fx.Graph) -> int | None:
    """Side of the patches if the picture is cut by a convolution whose kernel is its stride."""
    for node in graph.nodes:
        if node.op == "call_function" and str(node.target) in ("aten.conv2d.default", "aten.conv2d.padding"):
            weight = node.args[1].meta["val"]
            side = int(weight.shape[2])
            cuts = weight.shape[1:] == (COLOURS, side, side) and side >= SMALLEST_PATCH
            return side if cuts and len(node.args) > 3 and list(node.args[3]) == [side, side] else None  # noqa: PLR2004 - stride is argument 3
    return None


def _patches_come_last(node: fx.Node) -> bool:
    """Whether every joining of tokens on the way here had the picture's patches at the end."""
    waiting, seen = [node], {node}
    while waiting:
        node = waiting.pop()
        if str(node.target) == "aten.cat.default" and not _longest_is_last(node):
            return False
        new = [source for source in node.all_input_nodes if source not in seen]
        waiting += new
        seen |= set(new)
    return True


def _longest_is_last(cat: fx.Node) -> bool:
    parts = cat.args[0]
    axis = cat.args[1] if len(cat.args) > 1 else 0
    value = cat.meta["val"]
    if not isinstance(parts, (list, tuple)) or value.ndim != 3 or axis not in (1, -2):  # noqa: PLR2004 - 1×N×C along N
        return True
    lengths = [part.meta["val"].shape[1] for part in parts if isinstance(part, fx.Node)]
    return bool(lengths[-1] == max(lengths))


def _ancestors(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
