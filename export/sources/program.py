"""A torch.export program, a .pt2 file: the backbone without its code."""

import hashlib
from pathlib import Path

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind

from edge.errors import BadSource
from export.sources.factory import first_line
from export.sources.preparation import IMAGENET
from export.sources.source import Source


def open_program(path: Path) -> Source:
    """Load a program and learn what it takes.

    Raises:
        BadSource: no readable program, one in training mode, or one that does not take a picture.
    """
    try:
        raw = path.read_bytes()
    except OSError as err:
        raise BadSource(f"{path}: cannot be read: {err.strerror}; check the path.") from None
    try:
        program = torch.export.load(path)
    except Exception as err:  # noqa: BLE001 - a damaged file raises anything
        raise BadSource(
            f"{path}: no torch.export program ({first_line(err)}); write it with torch.export.save of this torch."
        ) from None
    _refuse_training(path, program)
    return Source(
        name=path.stem,
        origin=f"torch.export program {path.name}",
        backbone=program,
        preparation=IMAGENET,
        weights=str(path),
        weights_sha256=hashlib.sha256(raw).hexdigest(),
        fixed_size=_fixed_size(path, program),
    )


def _fixed_size(path: Path, program: ExportedProgram) -> tuple[int, int] | None:
    """Height and width of the one input 1×3×H×W float32, None if they are free."""
    inputs = [spec.arg.name for spec in program.graph_signature.input_specs if spec.kind is InputKind.USER_INPUT]
    values = [node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder" and node.name in inputs]
    if len(values) != 1 or not isinstance(values[0], torch.Tensor):
        raise BadSource(f"{path}: takes {len(values)} inputs; a backbone takes one picture, 1×3×H×W float32.")
    value = values[0]
    fits = value.ndim == 4 and value.shape[1] == 3 and (not isinstance(value.shape[0], int) or value.shape[0] == 1)  # noqa: PLR2004 - batch, colours, height, width
    if not fits or value.dtype != torch.float32:
        shape = "×".join(str(side) for side in value.shape)
        raise BadSource(f"{path}: takes {shape} {value.dtype}; a backbone takes one picture, 1×3×H×W float32.")
    height, width = value.shape[2:]
    # A side that is free is no int but a symbol.
    return (height, width) if type(height) is int and type(width) is int else None


def _refuse_training(path: Path, program: ExportedProgram) -> None:
    arguments = {"aten.batch_norm.default": 5, "aten.dropout.default": 2, "aten.dropout_.default": 2}
    for node in program.graph.nodes:
        place = arguments.get(str(node.target))
        if place is not None and len(node.args) > place and node.args[place] is True:
            raise BadSource(f"{path}: was exported in training mode; call .eval() before torch.export and write it again.")
