"""Proof that an ONNX file sees what the torch backbone sees.

The reference prepares pictures by itself, in numpy and from the blueprint's numbers, so a mistake in the exported
input side (colour order, mean, scale) shows as a difference instead of being made twice.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

from edge.errors import BadEncoder
from edge.types import Floats, Pixels
from export.backbones import Backbone
from export.graph import embedding, patches

FP32_TOLERANCE = 1e-3
"""Largest difference of FP32 from torch, as a share of the largest feature. Measured: 1e-5."""

INT8_COSINE = 0.9
"""Lowest cosine of a patch vector that INT8 may have. Measured: 0.98; 0.88 where 16-bit sums saturate, 0.8 with every layer
in INT8."""


@dataclass(frozen=True, slots=True)
class Features:
    """What one picture looks like. patches: (h·w)×d float32; embedding: D float32."""

    patches: Floats
    embedding: Floats


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two sets of features lie apart, at worst over `pictures` pictures.

    max_abs: largest absolute difference of a value; largest: largest absolute value of the reference;
    cosine: lowest cosine similarity of a patch vector.
    """

    pictures: int
    max_abs: float
    largest: float
    cosine: float


def reference(backbone: Backbone, pixels: Pixels) -> Features:
    """Features of one picture, H×W×3 uint8 BGR, by torch."""
    rgb = pixels[:, :, ::-1].astype(np.float32)
    scaled = (rgb - backbone.blueprint.mean) / backbone.blueprint.scale
    with torch.inference_mode():
        taps = backbone(torch.from_numpy(scaled.transpose(2, 0, 1)[None].copy()))
        return Features(patches(taps)[0].numpy(), embedding(taps)[0].numpy())


def open_session(path: Path) -> ort.InferenceSession:
    """One thread, as the latency ratio is stated for and as results do not depend on."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def compare(session: ort.InferenceSession, pictures: Sequence[Pixels], references: Sequence[Features]) -> Agreement:
    """Run the ONNX graph on pictures, each H×W×3 uint8 BGR, whose reference features are known."""
    max_abs, largest, cosine = 0.0, 0.0, 1.0
    for picture, wanted in zip(pictures, references, strict=True):
        found = Features(*(output[0] for output in session.run(["patches", "embedding"], {"image": picture[None]})))
        for ours, theirs in ((found.patches, wanted.patches), (found.embedding, wanted.embedding)):
            max_abs = max(max_abs, float(np.abs(ours - theirs).max()))
            largest = max(largest, float(np.abs(theirs).max()))
        cosine = min(cosine, float(_cosines(found.patches, wanted.patches).min()))
    return Agreement(len(pictures), max_abs, largest, cosine)


def _cosines(a: Floats, b: Floats) -> Floats:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def require_fp32(agreement: Agreement) -> None:
    """Refuse an FP32 graph that is not the backbone.

    Raises:
        BadEncoder: it differs by more than rounding; NaN counts as that.
    """
    if not agreement.max_abs <= FP32_TOLERANCE * agreement.largest:
        raise BadEncoder(
            f"The ONNX graph differs from the torch backbone by {agreement.max_abs:.3g} at features up to "
            f"{agreement.largest:.3g}; nothing was written, try the torch and onnxscript releases goodpart is tested with."
        )


def require_int8(agreement: Agreement) -> None:
    """Refuse an INT8 graph that sees something else.

    Raises:
        BadEncoder: a patch vector points too far away from the torch one's; NaN counts as that.
    """
    if not agreement.cosine >= INT8_COSINE:
        raise BadEncoder(
            f"INT8 turned a patch vector to a cosine of {agreement.cosine:.3f} (at least {INT8_COSINE} is wanted); "
            "nothing was written, give --pictures that look like what the line sees, or take --precision fp32."
        )


def latency_ratio(fp32: ort.InferenceSession, int8: ort.InferenceSession, picture: Pixels, rounds: int = 20) -> float:
    """Median of INT8 time over FP32 time, taken in turns so that a busy machine slows both."""

    def seconds(session: ort.InferenceSession) -> float:
        begin = time.perf_counter()
        session.run(None, {"image": picture[None]})
        return time.perf_counter() - begin

    seconds(fp32), seconds(int8)  # the first run allocates
    return float(np.median([seconds(int8) / seconds(fp32) for _ in range(rounds)]))
