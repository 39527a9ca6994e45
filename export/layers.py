"""What of a graph can be quantised: its layers in the order pictures pass them, and the operators between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import onnx

from edge.errors import BadConfig

WEIGHTED = ("Conv", "Gemm", "MatMul")

# Listed so that the range behind the activation, not that of the convolution before it, is what is divided by 255; the
# rounding then clips as well and the node goes away.
ACTIVATIONS = ("Clip", "Relu")

# Between quantised convolutions these would otherwise unpack to FP32 and pack again.
BETWEEN = ("Add", "MaxPool")


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution or matrix product with its weights and the activation right behind it.

    name: path of the module, such as ``backbone.blocks.0.depthwise.conv``, or the node's name where weights have none.
    nodes: names of the nodes.
    """

    name: str
    nodes: tuple[str, ...]


def layers_of(model: onnx.ModelProto) -> tuple[Layer, ...]:
    """The layers that have weights, in the order of the graph."""
    weights = {weight.name for weight in model.graph.initializer}
    activations = {node.input[0]: node.name for node in model.graph.node if node.op_type in ACTIVATIONS}
    layers: list[Layer] = []
    for node in model.graph.node:
        if node.op_type in WEIGHTED and (held := [name for name in node.input[:2] if name in weights]):
            behind = activations.get(node.output[0])
            name = held[0].removesuffix(".weight") if held[0].endswith(".weight") else node.name
            layers.append(Layer(name, (node.name, behind) if behind else (node.name,)))
    return tuple(layers)


def op_types_of(model: onnx.ModelProto) -> tuple[str, ...]:
    """Which operators to quantise.

    Convolutional networks: all between their convolutions too. Where matrix products carry the network (transformers), only
    what has weights: normalisation, softmax and GELU between them have no integer form, so sums would be packed in vain.
    """
    held = [node.op_type for layer in layers_of(model) for node in model.graph.node if node.name == layer.nodes[0]]
    weighted = tuple(kind for kind in WEIGHTED if kind in held)
    if "MatMul" in weighted or held.count("Gemm") > held.count("Conv"):
        return weighted
    present = {node.op_type for node in model.graph.node}
    return weighted + tuple(kind for kind in (*ACTIVATIONS, *BETWEEN) if kind in present)


def nodes_to_exclude(model: onnx.ModelProto, excluded: Sequence[str]) -> list[str]:
    """Names of the nodes that stay in floating point.

    Those are the layers that `excluded` names, products without weights, and what lies between such nodes only.

    Args:
        model: the graph, all nodes named.
        excluded: names of nodes or of layers, or leading parts of those, such as ``blocks.0``; ``backbone.`` may be omitted.

    Raises:
        BadConfig: a name fits nothing.
    """
    layers = layers_of(model)
    found: list[str] = []
    for name in excluded:
        fitting = [layer for layer in layers if name in layer.nodes or _leads(name, layer.name)]
        if not fitting:
            raise BadConfig(f"excluded layer '{name}': the graph has none of that name, its first is '{layers[0].name}'.")
        found += [node for layer in fitting for node in layer.nodes]
    # Inside attention softmax would unpack and pack the products again. Measured on a small vision transformer without
    # VNNI: 1.32 of FP32's time with them in INT8, 0.93 without, at the same accuracy.
    weighted = {node for layer in layers for node in layer.nodes}
    found += [node.name for node in model.graph.node if node.op_type in WEIGHTED and node.name not in weighted]
    return [*dict.fromkeys([*found, *_between_floats(model, set(found))])]


def _between_floats(model: onnx.ModelProto, floating: set[str]) -> list[str]:
    """What would be packed and unpacked for nothing: none of its inputs comes out of a quantised layer.

    A sum with a constant is such, as well: it belongs to the input side or to a bias.
    """
    constants = {weight.name for weight in model.graph.initializer}
    packed: set[str] = set()
    left: list[str] = []
    for node in model.graph.node:
        if node.op_type in WEIGHTED and node.name not in floating:
            packed.update(node.output)
        elif node.op_type in (*ACTIVATIONS, *BETWEEN) and node.name not in floating:
            if packed & set(node.input) and not (node.op_type == "Add" and constants & set(node.input)):
                packed.update(node.output)
            else:
                left.append(node.name)
    return left


def _leads(name: str, path: str) -> bool:
    return any(f"{path}.".startswith(f"{prefix}{name}.") for prefix in ("", "backbone."))


def name_nodes(model: onnx.ModelProto) -> None:
    """Give every node that has none a name of its own: excluding goes by name."""
    taken = {node.name for node in model.graph.node}
    for index, node in enumerate(model.graph.node):
        if not node.name:
            fresh = f"{node.op_type}_{index}"
            while fresh in taken:
                fresh += "_"
            taken.add(fresh)
            node.name = fresh
