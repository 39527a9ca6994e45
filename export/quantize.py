"""A graph in fewer bits: static QDQ with per-channel weights and ranges seen on good pictures, or FP16.

Measured with EfficientNet-Lite0 (lowest cosine of a patch vector against FP32, pictures of three kinds): all layers in
INT8 0.79; with stem and first two blocks in FP32 0.98, at the same speed without VNNI. Those filters take differences
of bright neighbours with weights up to 17, so a rounding step of their input grows to the size of the signal.
"""

import contextlib
import io
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorsData, create_calibrator
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from edge.inspect.card import QuantisationCard
from edge.types import Pixels
from export.layers import Layer, layers_of, name_nodes, nodes_to_exclude, op_types_of
from export.profiles import Profile

Method = Literal["minmax", "percentile", "entropy"]

METHODS: tuple[Method, ...] = ("minmax", "percentile", "entropy")

PERCENTILE = 99.999
"""Share of an activation's values, in per cent, that its range holds."""

ENTROPY_BINS = 512
"""Of a histogram around zero. 128 levels are chosen among them, so fewer would leave nothing to choose."""

_CHUNK = 4
"""Pictures whose activations are held in memory at a time while histograms are made."""

_METHODS = {
    "minmax": (CalibrationMethod.MinMax, "static QDQ, min-max"),
    "percentile": (CalibrationMethod.Percentile, f"static QDQ, percentile {PERCENTILE}"),
    "entropy": (CalibrationMethod.Entropy, "static QDQ, entropy"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How a graph is to be quantised.

    profile: the device's; calibration: how an activation's range follows from what it did on the pictures; excluded: layers
    that keep FP32, by name of layer or node or the leading part of one, such as ``blocks.0``; op_types: operators to
    quantise, empty to decide from the graph.
    """

    profile: Profile
    calibration: Method = "minmax"
    excluded: tuple[str, ...] = ()
    op_types: tuple[str, ...] = ()


class _Calibration:
    """Feeds pictures to ONNX Runtime, which wants this one method."""

    def __init__(self, pictures: Sequence[Pixels]) -> None:
        self._left = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        picture = next(self._left, None)
        return None if picture is None else {"image": picture[None]}


class Calibrated:
    """A graph with the ranges of its activations: many INT8 forms follow from it without looking at pictures again.

    Args:
        fp32: the graph, input `image` 1×H×W×3 uint8, static shapes.
        pictures: good pictures, each H×W×3 uint8 BGR of the graph's size.
        method: how a range follows from what was seen.
        op_types: operators to quantise; empty to decide from the graph.
    """

    def __init__(self, fp32: Path, pictures: Sequence[Pixels], method: Method, op_types: Sequence[str] = ()) -> None:
        self.method: Method = method
        self.pictures = len(pictures)
        with tempfile.TemporaryDirectory() as scratch:
            prepared = Path(scratch, "prepared.onnx")
            # Only shapes are wanted. They are static, so the symbolic pass has nothing to find; the exporter has folded
            # already what can be, and ONNX Runtime's optimiser would declare nine operator sets nobody uses.
            quant_pre_process(fp32, prepared, skip_symbolic_shape=True, skip_optimization=True)
            self._model = onnx.load(prepared)
            name_nodes(self._model)
            onnx.save(self._model, prepared)
            self.op_types = tuple(op_types) or op_types_of(self._model)
            self._ranges = _ranges(prepared, self.op_types, pictures, method)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers with weights, in the order pictures pass them."""
        return layers_of(self._model)

    def write(self, int8: Path, profile: Profile, excluded: Sequence[str]) -> QuantisationCard:
        """Write the INT8 form for a profile; `excluded` as in `Settings`.

        Raises:
            BadConfig: an excluded name fits nothing.
        """
        activations = QuantType.QInt8 if profile.signed_activations else QuantType.QUInt8
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        quantizer = QDQQuantizer(
            model,
            per_channel=True,
            reduce_range=profile.reduce_range,
            weight_qType=QuantType.QInt8,
            activation_qType=activations,
            tensors_range=self._ranges,
            nodes_to_quantize=[],
            nodes_to_exclude=nodes_to_exclude(model, excluded),
            op_types_to_quantize=list(self.op_types),
            extra_options={},
        )
        quantizer.quantize_model()
        quantizer.model.save_model_to_file(str(int8))
        return QuantisationCard(
            method=_METHODS[self.method][1],
            weights="int8",
            activations="int8" if profile.signed_activations else "uint8",
            per_channel=True,
            reduce_range=profile.reduce_range,
            pictures=self.pictures,
        )


def quantize(fp32: Path, out: Path, pictures: Sequence[Pixels], settings: Settings) -> QuantisationCard | None:
    """Write a graph in the numbers of a profile.

    Args:
        fp32: what `export.graph.write_graph` wrote, or any graph with its inputs and outputs.
        out: where to write.
        pictures: good pictures, each H×W×3 uint8 BGR of the graph's size; only INT8 looks at them.
        settings: profile, calibration and what keeps FP32.

    Returns:
        What the card says of the integers; None for FP16 and FP32, which have none.

    Raises:
        BadConfig: an excluded name fits nothing.
    """
    match settings.profile.precision:
        case "fp32":
            shutil.copyfile(fp32, out)
            return None
        case "fp16":
            onnx.save(convert_float_to_float16(onnx.load(fp32), keep_io_types=True), out)
            return None
        case "int8":
            calibrated = Calibrated(fp32, pictures, settings.calibration, settings.op_types)
            return calibrated.write(out, settings.profile, settings.excluded)


def _ranges(prepared: Path, op_types: Sequence[str], pictures: Sequence[Pixels], method: Method) -> TensorsData:
    bins = {"num_bins": ENTROPY_BINS} if method == "entropy" else {}
    calibrator = create_calibrator(
        prepared,
        list(op_types),
        augmented_model_path=str(prepared.with_name("augmented.onnx")),
        calibrate_method=_METHODS[method][0],
        extra_options={"symmetric": False, "percentile": PERCENTILE, **bins},
    )
    # ONNX Runtime prints its progress to standard output, which belongs to the command's answer.
    with contextlib.redirect_stdout(io.StringIO()):
        for start in range(0, len(pictures), _CHUNK):
            calibrator.collect_data(_Calibration(pictures[start : start + _CHUNK]))
        return calibrator.compute_data()
