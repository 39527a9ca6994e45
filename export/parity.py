"""Proof that an ONNX file sees what the torch backbone sees.

The reference prepares pictures by itself, in numpy and from the source's numbers, and runs the backbone as it was found,
not the graph that was cut from it. So a mistake in the exported input side (colour order, mean, scale) or in the cut
shows as a difference instead of being made twice.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from torch import fx, nn
from torch.export import ExportedProgram

from edge.errors import BadEncoder
from edge.types import Floats, Pixels
from export.design import Design
from export.graph import embedding, patches
from export.stages import Stage, outputs_of
from export.tracing import tensors_in
from export.vectors import cosines

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

    max_abs: largest absolute difference of a patch value; cosine: lowest cosine similarity of a patch vector; largest:
    largest absolute value of the reference; embedding_…: the same of the embedding.
    """

    pictures: int
    max_abs: float
    largest: float
    cosine: float
    embedding_max_abs: float
    embedding_cosine: float


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch use one thread inside: the certificate compares times on one, and waiting threads slow ONNX Runtime's."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def reference(design: Design, pixels: Pixels) -> Features:
    """Features of one picture, H×W×3 uint8 BGR, by torch."""
    wanted = design.source.preparation
    ordered = pixels[:, :, ::-1] if wanted.colour == "rgb" else pixels
    scaled = (ordered.astype(np.float32) - np.asarray(wanted.mean, np.float32)) / np.asarray(wanted.std, np.float32)
    with torch.inference_mode():
        outputs = outputs_at(design, torch.from_numpy(scaled.transpose(2, 0, 1)[None].copy()))
        found = patches(outputs, design.taps)[0], embedding(outputs, design.taps)[0]
    return Features(*(tensor.numpy() for tensor in found))


def outputs_at(design: Design, picture: torch.Tensor) -> list[torch.Tensor]:
    """What the backbone as it was found gives at the taps for 1×3×H×W float32."""
    backbone = design.source.backbone
    if isinstance(backbone, ExportedProgram):
        seen = _watch_program(backbone, [tap.name for tap in design.taps], picture)
    else:
        seen = _watch(backbone, design.taps, picture)
    return [seen[tap.name] for tap in design.taps]


def _watch(backbone: nn.Module, taps: Sequence[Stage], picture: torch.Tensor) -> dict[str, torch.Tensor]:
    seen: dict[str, torch.Tensor] = {}

    def keep(tap: Stage, output: object) -> None:
        # Beside the tensor that others read, a layer may give some that nobody reads, such as attention weights.
        fitting = (tensor for tensor in tensors_in(output) if tuple(tensor.shape) == tap.shape)
        seen[tap.name] = next(fitting).clone()  # a layer after it may work in place

    hooks = [
        backbone.get_submodule(tap.name).register_forward_hook(lambda _module, _input, output, tap=tap: keep(tap, output))
        for tap in taps
    ]
    try:
        backbone(picture)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


class _Watched(fx.Interpreter):
    """Runs a program and keeps the values of some nodes."""

    def __init__(self, module: fx.GraphModule, nodes: Mapping[fx.Node, str]) -> None:
        super().__init__(module)
        self._names = nodes
        self.seen: dict[str, torch.Tensor] = {}

    def run_node(self, n: fx.Node) -> object:
        value = super().run_node(n)
        if n in self._names and isinstance(value, torch.Tensor):
            self.seen[self._names[n]] = value.clone()
        return value


def _watch_program(program: ExportedProgram, names: Sequence[str], picture: torch.Tensor) -> dict[str, torch.Tensor]:
    module = program.module(check_guards=False)
    assert isinstance(module, fx.GraphModule)  # noqa: S101 - so says torch's documentation
    outputs = outputs_of(module.graph)
    watched = _Watched(module, {outputs[name]: name for name in names if name in outputs})
    watched.run(picture)
    return watched.seen


def open_session(path: Path) -> ort.InferenceSession:
    """One thread, as the latency ratio is stated for and as results do not depend on."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def compare(session: ort.InferenceSession, pictures: Sequence[Pixels], references: Sequence[Features]) -> Agreement:
    """Run the ONNX graph on pictures, each H×W×3 uint8 BGR, whose reference features are known."""
    apart, lowest = {"patches": 0.0, "embedding": 0.0}, {"patches": 1.0, "embedding": 1.0}
    largest = 0.0
    for picture, wanted in zip(pictures, references, strict=True):
        outputs = session.run(["patches", "embedding"], {"image": picture[None]})
        sides = (outputs[0][0], wanted.patches), (outputs[1], wanted.embedding[None])
        for name, (ours, theirs) in zip(apart, sides, strict=True):
            apart[name] = _worse(apart[name], float(np.abs(ours - theirs).max()))
            lowest[name] = -_worse(-lowest[name], -float(cosines(ours, theirs).min()))
            largest = max(largest, float(np.abs(theirs).max()))
    return Agreement(len(pictures), apart["patches"], largest, lowest["patches"], apart["embedding"], lowest["embedding"])


def _worse(so_far: float, now: float) -> float:
    """The larger one; not a number is worse than any."""
    return now if np.isnan(now) or now > so_far else so_far


def require_fp32(agreement: Agreement) -> None:
    """Refuse an FP32 graph that is not the backbone.

    Raises:
        BadEncoder: it differs by more than rounding; NaN counts as that.
    """
    bearable = FP32_TOLERANCE * agreement.largest
    if not (agreement.max_abs <= bearable and agreement.embedding_max_abs <= bearable):
        raise BadEncoder(
            f"The ONNX graph differs from the torch backbone by {agreement.max_abs:.3g} at features up to "
            f"{agreement.largest:.3g}; nothing was written, try the torch and onnxscript releases goodpart is tested with."
        )


def is_near(agreement: Agreement) -> bool:
    """Whether a quantised graph still sees about the same; NaN does not."""
    return agreement.cosine >= INT8_COSINE and agreement.embedding_cosine >= INT8_COSINE


def require_quantised(agreement: Agreement) -> None:
    """Refuse a quantised graph that sees something else.

    Raises:
        BadEncoder: a patch vector points too far away from the torch one's; NaN counts as that.
    """
    if not is_near(agreement):
        raise BadEncoder(
            f"Quantisation turned a patch vector to a cosine of {agreement.cosine:.3f} and the embedding to "
            f"{agreement.embedding_cosine:.3f} (at least {INT8_COSINE} is wanted); "
            "nothing was written, give --pictures that look like what the line sees, or take --profile fp32."
        )


def latency_ratio(fp32: ort.InferenceSession, int8: ort.InferenceSession, picture: Pixels, rounds: int = 20) -> float:
    """Median of INT8 time over FP32 time, taken in turns so that a busy machine slows both."""

    def seconds(session: ort.InferenceSession) -> float:
        begin = time.perf_counter()
        session.run(None, {"image": picture[None]})
        return time.perf_counter() - begin

    seconds(fp32), seconds(int8)  # the first run allocates
    return float(np.median([seconds(int8) / seconds(fp32) for _ in range(rounds)]))
