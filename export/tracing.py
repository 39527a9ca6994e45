"""A backbone becomes a graph of tensor operations, each of which knows the layer it belongs to."""

import traceback
import warnings
from pathlib import Path

import torch
from torch import fx, nn
from torch.export import ExportedProgram

from edge.errors import BadSource, Untraceable
from export.sources.factory import first_line
from export.sources.source import Source
from export.transformers import fit_positions


def trace(source: Source, size: tuple[int, int]) -> fx.GraphModule:
    """The backbone at one input size, height and width, without in-place operations; parameters keep their names.

    Raises:
        BadSource: it does not run on a picture of that size.
        Untraceable: torch.export cannot follow it.
    """
    picture = torch.zeros(1, 3, *size)
    backbone = source.backbone
    if isinstance(backbone, ExportedProgram):
        if source.fixed_size is not None:
            return _as_functions(backbone)
        backbone = backbone.module(check_guards=False)
    else:
        _run_once(source, backbone, picture, size)
    try:
        with warnings.catch_warnings():
            # What torch deprecates in itself or in the backbone's code is not for this command's user.
            warnings.simplefilter("ignore")
            program = torch.export.export(backbone, (picture,))
    except Exception as err:  # noqa: BLE001 - torch.export has many errors with no other root
        raise Untraceable(
            f"{source.name}: torch.export cannot follow it{_where(err)}: {first_line(err)}; its path must not depend on "
            "what the picture shows."
        ) from None
    return _as_functions(program)


def _as_functions(program: ExportedProgram) -> fx.GraphModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # An empty table takes in-place operations away and leaves all others as they are.
        module = program.run_decompositions({}).module(check_guards=False)
    assert isinstance(module, fx.GraphModule)  # noqa: S101 - so says torch's documentation
    return module


def _run_once(source: Source, backbone: nn.Module, picture: torch.Tensor, size: tuple[int, int]) -> None:
    """Run the backbone, with position embeddings for the size where it does not run without."""
    try:
        _run(backbone, picture)
    except Exception as err:  # noqa: BLE001 - somebody else's code may raise anything
        if fit_positions(backbone, size):
            _run_once(source, backbone, picture, size)
            return
        raise BadSource(
            f"{source.name}: fails on a picture of {size[0]}x{size[1]}{_where(err)}: {type(err).__name__}: "
            f"{first_line(err)}; try another --size, or mend it."
        ) from None


def _run(backbone: nn.Module, picture: torch.Tensor) -> None:
    with torch.inference_mode():
        backbone(picture)


def _where(err: BaseException) -> str:
    """' at FILE line N' of the last line outside torch and goodpart that was running."""
    foreign = (str(Path(torch.__file__).parent), str(Path(__file__).parent), "<")
    frames = [frame for frame in traceback.extract_tb(err.__traceback__) if not frame.filename.startswith(foreign)]
    return f" at {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""
