"""The page to read first: one export from order to folder."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.errors import BadConfig
from edge.inspect.card import EncoderCard
from export.backbones import LITE0, load_backbone
from export.card import check_target, describe, write_encoder
from export.graph import EncoderModule, check_size, write_graph
from export.parity import (
    Agreement,
    compare,
    latency_ratio,
    open_session,
    reference,
    require_fp32,
    require_int8,
)
from export.pictures import Chosen, choose, synthetic
from export.quantize import quantize


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be exported. height, width in pixels; calibration_pictures: at most so many give the INT8 ranges."""

    out: Path
    pictures: Path | None
    height: int
    width: int
    precision: Literal["fp32", "int8"]
    calibration_pictures: int
    seed: int
    force: bool


@dataclass(frozen=True, slots=True)
class Built:
    """What was exported: the card, FP32 against torch, size of FP32, and INT8 time over FP32 time (None for FP32)."""

    card: EncoderCard
    fp32: Agreement
    fp32_bytes: int
    latency_ratio: float | None


def build(order: Order, tell: Callable[[str], None]) -> Built:
    """Export, quantise, prove, write. `tell` hears what is being done.

    Raises:
        BadConfig: a size, a folder or their combination does not work.
        BadPicture: a chosen picture cannot be used.
        TooFewGoods: too few pictures for INT8.
        BadEncoder: weights or proof fail; nothing is written then.
    """
    size = (order.height, order.width)
    check_size(*size)
    check_target(order.out, order.force)
    chosen = _pictures(order)
    tell("loading weights")
    weights = LITE0.weights_file()
    backbone = load_backbone(LITE0, weights)
    tell(f"asking torch about {len(chosen.parity)} pictures")
    references = [reference(backbone, picture) for picture in chosen.parity]
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch, "fp32.onnx")
        tell("writing the graph")
        write_graph(EncoderModule(backbone), *size, model)
        fp32_session, fp32_bytes = open_session(model), model.stat().st_size
        fp32 = shipped = compare(fp32_session, chosen.parity, references)
        require_fp32(fp32)
        quantisation, ratio = None, None
        if order.precision == "int8":
            fp32_model, model = model, Path(scratch, "int8.onnx")
            tell(f"calibrating INT8 on {len(chosen.calibration)} pictures")
            quantisation = quantize(fp32_model, model, chosen.calibration, LITE0.float_parts)
            int8_session = open_session(model)
            tell(f"comparing INT8 with torch on {len(chosen.parity)} pictures")
            shipped = compare(int8_session, chosen.parity, references)
            require_int8(shipped)
            ratio = latency_ratio(fp32_session, int8_session, chosen.parity[0])
        raw = model.read_bytes()
    card = describe(backbone, weights, raw, size, references[0], shipped, quantisation)
    tell(f"writing {order.out}")
    write_encoder(order.out, raw, card)
    return Built(card, fp32, fp32_bytes, ratio)


def _pictures(order: Order) -> Chosen:
    wanted = order.calibration_pictures if order.precision == "int8" else 0
    if order.pictures is not None:
        return choose(order.pictures, wanted, order.seed, order.height, order.width)
    if wanted:
        raise BadConfig("--pictures: INT8 needs a folder of good pictures for its ranges; give one, or --precision fp32.")
    return Chosen(calibration=(), parity=synthetic(order.seed, order.height, order.width))
