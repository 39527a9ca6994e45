"""goodpart export: a backbone becomes one ONNX file that a device can run, with the proof that it is the same."""

import json
import re
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from edge.errors import BadConfig

if TYPE_CHECKING:
    from export.build import Built, Order

NEEDED = ("torch", "onnx", "onnxscript", "rich")


@click.group(invoke_without_command=True, subcommand_metavar="[inspect SOURCE | verify ENCODER]")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder for encoder.onnx and encoder.json. Required.")
@click.option(
    "-p", "--pictures", type=click.Path(path_type=Path), help="Folder of good pictures for the INT8 ranges and the proof."
)
@click.option(
    "--source",
    default="efficientnet-lite0",
    show_default=True,
    help="Backbone: efficientnet-lite0, -lite1 or -lite2, a torch.export program FILE.pt2, timm:NAME, torchvision:NAME, or "
    "package.module:function.",
)
@click.option("--factory", help="Backbone as package.module:function of your own code, which returns a torch.nn.Module.")
@click.option(
    "--weights", type=click.Path(path_type=Path), help="Its state dict: .pth, .pt or .safetensors; never run as code."
)
@click.option("--taps", help="Layers whose outputs become features, such as layer2,layer3; `inspect` lists them.")
@click.option("--size", help="Input side, or HEIGHTxWIDTH, from 32 to 2048; default: the source's own, or 320.")
@click.option("--mean", help="What to take off each channel, such as 0.485,0.456,0.406, in the backbone's colour order.")
@click.option("--std", help="What to divide each channel by; --mean and --std are of pixel values 0..1 or 0..255.")
@click.option(
    "--pixel-range",
    type=click.Choice(["1", "255"]),
    help="Whether --mean and --std are of values 0..1 or 0..255; default: 0..1 if none of them exceeds 1.",
)
@click.option("--colour", type=click.Choice(["rgb", "bgr"]), help="The colour order the backbone wants.")
@click.option(
    "--profile",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "x86-vnni", "x86-avx2", "arm64", "fp32", "fp16"]),
    help="The device's CPU, which decides the numbers; auto: this machine's.",
)
@click.option("--search", "searching", is_flag=True, help="Try several quantisations; take the fastest that keeps verdicts.")
@click.option(
    "--max-flips",
    default=0.005,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of verdicts that --search lets differ from FP32's.",
)
@click.option(
    "--max-auroc-drop",
    default=0.005,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="How much AUROC --search lets go; asked where --defects are given.",
)
@click.option("--defects", type=click.Path(path_type=Path), help="Folder of defects, by which the file is judged, too.")
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
@click.pass_context
def export(
    context: click.Context,
    out: Path | None,
    pictures: Path | None,
    source: str,
    factory: str | None,
    weights: Path | None,
    taps: str | None,
    size: str | None,
    mean: str | None,
    std: str | None,
    pixel_range: Literal["1", "255"] | None,
    colour: Literal["rgb", "bgr"] | None,
    profile: str,
    searching: bool,
    max_flips: float,
    max_auroc_drop: float,
    defects: Path | None,
    calibration_pictures: int,
    seed: int,
    force: bool,
    as_json: bool,
) -> None:
    """Export a backbone as encoder: one ONNX file and its card.

    The file takes pictures as OpenCV gives them and is proved against the torch backbone before it is written: FP32 to
    rounding, INT8 by the direction of its patch vectors.
    """
    if context.invoked_subcommand is not None:
        return
    _need_extra()
    if out is None:
        raise click.UsageError("Missing option '-o' / '--out'.")
    if factory is not None and context.get_parameter_source("source") is click.core.ParameterSource.COMMANDLINE:
        raise BadConfig("--factory: --source names a backbone already; give one of them.")
    from rich.console import Console

    from export.build import Order, build
    from export.profiles import named, this_machine
    from export.search import Promise
    from export.sources import Wanted
    from export.sources.preparation import Wish

    height, width = _parse_size(size) if size is not None else (None, None)
    scale: Literal[1, 255] | None = None if pixel_range is None else 1 if pixel_range == "1" else 255
    wish = Wish(_parse_numbers("--mean", mean), _parse_numbers("--std", std), colour, scale)
    wanted = Wanted(factory or source, weights, wish)
    names = None if taps is None else tuple(name.strip() for name in taps.split(",") if name.strip())
    device = this_machine() if profile == "auto" else named(profile)
    promise = Promise(max_flips, max_auroc_drop) if searching else None
    order = Order(out, pictures, height, width, device, calibration_pictures, seed, force, wanted, names, defects, promise)
    with Console(stderr=True).status("starting") as status:
        built = build(order, status.update)
    click.echo(built.card.model_dump_json(indent=2) if as_json else _in_words(built, order))


@export.command("inspect")
@click.argument("source")
@click.option("--size", help="Input side, or HEIGHTxWIDTH; default: the source's own, or 320.")
@click.option("--json", "as_json", is_flag=True, help="Print all layers as one JSON object.")
def inspect_source(source: str, size: str | None, as_json: bool) -> None:
    """Show the layers of SOURCE that can be tapped, and which ones an export would tap.

    SOURCE is what --source or --factory of `goodpart export` takes. Nothing is written.
    """
    _need_extra()
    from export.listing import in_words, list_stages
    from export.sources import Wanted

    listing = list_stages(Wanted(source), None if size is None else _parse_size(size))
    click.echo(listing.model_dump_json(indent=2) if as_json else in_words(listing))


@export.command("verify")
@click.argument("encoder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print what was found as one JSON object.")
def verify_encoder(encoder: Path, as_json: bool) -> None:
    """Prove on this device's own runtime that ENCODER still computes what it computed where it was made.

    Runs the stored reference pictures and compares with the stored answers of the file and of torch. Needs no torch.
    """
    from edge.inspect.encoder import read_encoder
    from export.verify import verify

    found = verify(encoder)
    if as_json:
        click.echo(json.dumps(asdict(found)))
        return
    click.echo(
        f"{read_encoder(encoder)[1].name}: proved on {found.pictures} pictures, {found.median_ms:.1f} ms each, one thread\n"
        f"the file where it was made: lowest cosine {found.own_cosine:.6f}, differs by {found.own_max_abs:.2g} at most\n"
        f"torch: lowest cosine {found.torch_cosine:.4f}, certificate {found.torch_cosine_promised:.4f}"
    )


def _need_extra() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise BadConfig(f"goodpart export needs {', '.join(missing)}: install 'goodpart[export]'.")


def _parse_size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    if not match:
        raise BadConfig(f"--size: '{text}' is no size; write one number, such as 320, or HEIGHTxWIDTH, such as 256x480.")
    return int(match[1]), int(match[2] or match[1])


def _parse_numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    try:
        return None if text is None else tuple(float(number) for number in text.split(","))
    except ValueError:
        raise BadConfig(
            f"{option}: '{text}' is no list of numbers; write one, or three such as 0.485,0.456,0.406."
        ) from None


def _in_words(built: "Built", order: "Order") -> str:
    from export.certificate import certificate_in_words
    from export.design import listed
    from export.listing import preparation_in_words

    card = built.card
    pictures = "" if order.pictures else "\nno --pictures given: proved on synthetic pictures, which look like no part"
    unused = built.design.unused
    left = f"\nunused    {len(unused)} keys of the checkpoint lie beyond the taps: {listed(unused)}" if unused else ""
    return (
        f"encoder   {order.out}\n"
        f"input     {card.input.height}×{card.input.width}×3 uint8 BGR; {preparation_in_words(card.preparation)}\n"
        f"patches   {card.grid.rows}×{card.grid.cols} of {card.grid.patch_dim} from {', '.join(card.taps)}; embedding "
        f"{card.grid.embedding_dim}{left}\n"
        f"{certificate_in_words(card).rstrip()}{pictures}"
    )
