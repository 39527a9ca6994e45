"""The page to read first: one export from order to folder."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import BadConfig
from edge.inspect.card import MODEL_FILE, CertificateCard, EncoderCard
from export.card import check_target, describe, write_encoder
from export.certificate import judge_task, keep_references, latencies, parity_card
from export.design import Design, draw
from export.graph import EncoderModule, check_size, write_graph
from export.numbers import choose_numbers
from export.parity import Agreement, compare, one_torch_thread, open_session, reference, require_fp32, require_quantised
from export.pictures import Chosen, choose, synthetic
from export.profiles import Profile
from export.search import Promise
from export.sources import DEFAULT_SIZE, Wanted, open_source, size_for
from export.vectors import to_bytes


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be exported.

    height, width: in pixels; None takes the source's own. calibration_pictures: at most so many give the INT8 ranges.
    taps: names of the layers whose outputs become features; None finds them. defects: pictures by which a file is judged,
    too. promise: what may change where several ways to quantise are tried; None tries the usual one.
    """

    out: Path
    pictures: Path | None
    height: int | None
    width: int | None
    profile: Profile
    calibration_pictures: int
    seed: int
    force: bool
    source: Wanted = field(default_factory=Wanted)
    taps: tuple[str, ...] | None = None
    defects: Path | None = None
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """What was exported: its design and card, and FP32 against torch."""

    design: Design
    card: EncoderCard
    fp32: Agreement


def build(order: Order, tell: Callable[[str], None]) -> Built:
    """Export, quantise, prove, write. `tell` hears what is being done.

    Raises:
        BadConfig: a size, a folder or their combination does not work.
        BadPicture: a chosen picture cannot be used.
        TooFewGoods: too few pictures for INT8.
        BadEncoder: source, weights, taps or proof fail; nothing is written then.
    """
    check_target(order.out, order.force)
    with one_torch_thread():
        return _build(order, tell)


def _build(order: Order, tell: Callable[[str], None]) -> Built:
    tell("loading the backbone")
    wanted = None if order.height is None or order.width is None else (order.height, order.width)
    check_size(*(wanted or DEFAULT_SIZE))
    _require_pictures(order)
    source = open_source(order.source, wanted)
    size = size_for(source, wanted)
    check_size(*size)
    chosen = _pictures(order, size)
    tell("tracing its layers")
    design = draw(source, size, order.taps)
    tell(f"asking torch about {len(chosen.parity)} pictures")
    references = [reference(design, picture) for picture in chosen.parity]
    with tempfile.TemporaryDirectory() as scratch:
        fp32_model, model = Path(scratch, "fp32.onnx"), Path(scratch, MODEL_FILE)
        tell("writing the graph")
        write_graph(EncoderModule(design), *size, fp32_model)
        fp32_session = open_session(fp32_model)
        fp32 = compare(fp32_session, chosen.parity, references)
        require_fp32(fp32)
        made = choose_numbers(
            fp32_model,
            model,
            chosen,
            order.profile,
            source.float_parts,
            promise=order.promise,
            agreement=lambda path: compare(open_session(path), chosen.parity, references),
            seed=order.seed,
            tell=tell,
        )
        session = open_session(model)
        tell(f"comparing the file with torch on {len(chosen.parity)} pictures")
        shipped = compare(session, chosen.parity, references)
        require_quantised(shipped)
        tell(f"judging {len(chosen.goods)} good pictures and {len(chosen.defects)} defects by torch and by the file")
        certificate = CertificateCard(
            fp32=parity_card(fp32),
            shipped=parity_card(shipped),
            task=judge_task(design, model, chosen, order.seed),
            latency=latencies(design, fp32_session, session, chosen.parity[0]),
            fp32_bytes=fp32_model.stat().st_size,
            reason=made.reason,
        )
        vectors = to_bytes(keep_references(session, chosen.parity, references))
        raw = model.read_bytes()
    card = describe(design, raw, references[0], made, certificate, vectors)
    tell(f"writing {order.out}")
    write_encoder(order.out, raw, card, vectors)
    return Built(design, card, fp32)


def _require_pictures(order: Order) -> None:
    if order.pictures is None and order.profile.precision == "int8":
        raise BadConfig("--pictures: INT8 needs a folder of good pictures for its ranges; give one, or --profile fp32.")
    if order.pictures is None and (order.defects or order.promise):
        raise BadConfig("--pictures: judging by verdicts needs a folder of good pictures; give one.")


def _pictures(order: Order, size: tuple[int, int]) -> Chosen:
    if order.pictures is None:
        return Chosen(calibration=(), parity=synthetic(order.seed, *size))
    wanted = order.calibration_pictures if order.profile.precision == "int8" else 0
    return choose(order.pictures, wanted, order.seed, *size, defects=order.defects)
