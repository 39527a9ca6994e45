"""Tiny encoders as ONNX graphs with random weights: what any training side might bring, without one."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import NodeProto, TensorProto, helper, numpy_helper

SIDE = 32


class _Graph:
    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def weight(self, name: str, *shape: int) -> str:
        values = self._rng.normal(0, np.prod(shape[1:]) ** -0.5, shape)
        return self.constant(name, values.astype(np.float32))

    def constant(self, name: str, values: ArrayLike) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(self, kind: str, *inputs: str, out: str, **attributes: Any) -> str:  # the operator's own
        # No names: graphs by hand have none.
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def conv(self, name: str, x: str, wide_in: int, wide_out: int, kernel: int, stride: int, pads: int | None = None) -> str:
        weight = self.weight(f"{name}.weight", wide_out, wide_in, kernel, kernel)
        edge = kernel // 2 if pads is None else pads
        return self.node("Conv", x, weight, out=name, strides=[stride] * 2, pads=[edge] * 4, kernel_shape=[kernel] * 2)

    def pixels(self) -> str:
        """Scaled to about -1..1, channels first, with a sum instead of a difference to move the mean."""
        x = self.node("Cast", "image", out="float", to=TensorProto.FLOAT)
        x = self.node("Transpose", x, out="first", perm=[0, 3, 1, 2])
        x = self.node("Add", x, self.constant("shift", np.float32(-127)), out="shifted")
        return self.node("Mul", x, self.constant("scale", np.float32(1 / 128)), out="scaled")

    def save(self, path: Path, places: int, width: int) -> Path:
        image = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, SIDE, SIDE, 3])
        patches = helper.make_tensor_value_info("patches", TensorProto.FLOAT, [1, places, width])
        embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, width])
        self.node("ReduceMean", "patches", self.constant("places", np.array([1])), out="embedding", keepdims=0)
        graph = helper.make_graph(self.nodes, "tiny", [image], [patches, embedding], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)
        return path


def write_cnn(path: Path, seed: int = 0) -> Path:
    """A stem, a pooling, two residual blocks: 8×8 places of 12."""
    g = _Graph(seed)
    x = g.node("Relu", g.conv("stem", g.pixels(), 3, 12, 3, 2), out="stem.relu")
    x = g.node("MaxPool", x, out="pool", kernel_shape=[2, 2], strides=[2, 2])
    for block in ("blocks.0", "blocks.1"):
        y = g.node("Relu", g.conv(f"{block}.wide", x, 12, 12, 3, 1), out=f"{block}.relu")
        y = g.conv(f"{block}.narrow", y, 12, 12, 3, 1)
        x = g.node("Relu", g.node("Add", x, y, out=f"{block}.sum"), out=f"{block}.out")
    x = g.node("Reshape", x, g.constant("rows", np.array([1, 12, 64])), out="rows.out")
    g.node("Transpose", x, out="patches", perm=[0, 2, 1])
    return g.save(path, 64, 12)


def write_vit(path: Path, seed: int = 0) -> Path:
    """Patches of 4×4 pixels, two blocks of one attention head and a perceptron: 8×8 places of 16."""
    g = _Graph(seed)
    x = g.conv("embed", g.pixels(), 3, 16, 4, 4, pads=0)
    x = g.node("Reshape", x, g.constant("tokens", np.array([1, 16, 64])), out="tokens.out")
    x = g.node("Transpose", x, out="tokens.last", perm=[0, 2, 1])
    ones, zeros = g.constant("ones", np.ones(16, np.float32)), g.constant("zeros", np.zeros(16, np.float32))
    for b in ("blocks.0", "blocks.1"):
        y = g.node("LayerNormalization", x, ones, zeros, out=f"{b}.norm")
        q, k, v = (g.node("MatMul", y, g.weight(f"{b}.{n}.weight", 16, 16), out=f"{b}.{n}") for n in "qkv")
        k = g.node("Transpose", k, out=f"{b}.kt", perm=[0, 2, 1])
        attention = g.node("Softmax", g.node("MatMul", q, k, out=f"{b}.qk"), out=f"{b}.attention", axis=-1)
        x = g.node("Add", x, g.node("MatMul", attention, v, out=f"{b}.av"), out=f"{b}.sum")
        y = g.node("MatMul", x, g.weight(f"{b}.up.weight", 16, 32), out=f"{b}.up")
        y = g.node("MatMul", g.node("Relu", y, out=f"{b}.relu"), g.weight(f"{b}.down.weight", 32, 16), out=f"{b}.down")
        x = g.node("Add", x, y, out="patches" if b == "blocks.1" else f"{b}.out")
    return g.save(path, 64, 16)
