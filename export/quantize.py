"""FP32 to INT8 where it costs no accuracy: static, QDQ, per-channel weights, ranges seen on good pictures.

Measured with EfficientNet-Lite0 (lowest cosine of a patch vector against FP32, pictures of three kinds): all layers in
INT8 0.79; with stem and first two blocks in FP32 0.98, at the same speed without VNNI. Those filters take differences
of bright neighbours with weights up to 17, so a rounding step of their input grows to the size of the signal.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from edge.inspect.card import QuantisationCard
from edge.types import Pixels

# Clip (ReLU6) is listed so that its range, not that of the convolution before it, is what is divided by 255; the
# rounding then clips as well and the node goes away. The output side (3×3 mean, upsampling, means) stays FP32.
QUANTISED = ("Conv", "Clip", "Add")

# U8×S8 products are added in pairs into 16 bits by CPUs without VNNI and saturate there. Weights of 7 bits cannot.
REDUCE_RANGE = True


class _Calibration:
    """Feeds pictures to ONNX Runtime, which wants this one method."""

    def __init__(self, pictures: Sequence[Pixels]) -> None:
        self._left = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        picture = next(self._left, None)
        return None if picture is None else {"image": picture[None]}


def quantize(fp32: Path, int8: Path, pictures: Sequence[Pixels], float_parts: Sequence[str]) -> QuantisationCard:
    """Write the INT8 form of a graph.

    Args:
        fp32: what `export.graph.write_graph` wrote.
        int8: where to write.
        pictures: good pictures, each H×W×3 uint8 BGR of the graph's size.
        float_parts: parts of the module, such as ``blocks.0``, whose layers keep FP32.
    """
    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch, "prepared.onnx")
        # Only shapes are wanted. They are static, so the symbolic pass has nothing to find; the exporter has folded
        # already what can be, and ONNX Runtime's optimiser would declare nine operator sets nobody uses.
        quant_pre_process(fp32, prepared, skip_symbolic_shape=True, skip_optimization=True)
        quantize_static(
            prepared,
            int8,
            _Calibration(pictures),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            reduce_range=REDUCE_RANGE,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=_nodes_of(onnx.load(prepared), float_parts),
            calibrate_method=CalibrationMethod.MinMax,
        )
    return QuantisationCard(
        method="static QDQ, min-max",
        weights="int8",
        activations="uint8",
        per_channel=True,
        reduce_range=REDUCE_RANGE,
        pictures=len(pictures),
    )


def _nodes_of(model: onnx.ModelProto, parts: Sequence[str]) -> list[str]:
    """Names of the convolutions whose weights belong to `parts`, and of the activations right behind them."""
    prefixes = tuple(f"backbone.{part}." for part in parts)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv" and node.input[1].startswith(prefixes)]
    written = {node.output[0] for node in convolutions}
    behind = [node for node in model.graph.node if node.op_type == "Clip" and node.input[0] in written]
    return [node.name for node in [*convolutions, *behind]]
