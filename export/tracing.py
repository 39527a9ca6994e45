"""A backbone becomes a graph of tensor operations, each of which knows the layer it belongs to."""

import io
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import is_dataclass
from pathlib import Path

import torch
from torch import fx, nn
from torch.export import ExportedProgram

from edge.errors import BadConfig, BadSource, Untraceable
from export.sources.factory import first_line
from export.sources.source import Source
from export.transformers import fit_positions, forget_input_size, patch_side, set_input_size, square_side


def trace(source: Source, size: tuple[int, int]) -> fx.GraphModule:
    """The backbone at one input size, height and width, without in-place operations; parameters keep their names.

    Raises:
        BadSource: it does not run on a picture of that size.
        BadConfig: nor can it, because its patches do not divide the size.
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
        program = _exported(backbone, picture)
    except Exception as err:  # noqa: BLE001 - torch.export has many errors with no other root
        raise Untraceable(
            f"{source.name}: torch.export cannot follow it{_where(err)}: {first_line(err)}; its path must not depend on "
            "what the picture shows: of a detector, let the factory return the backbone alone."
        ) from None
    return _as_functions(program)


def _exported(backbone: nn.Module, picture: torch.Tensor) -> ExportedProgram:
    # torch.export knows tensors and their plain containers; what class of answer a model wraps them in does not matter here.
    hook = backbone.register_forward_hook(lambda _module, _input, output: tuple(tensors_in(output)))
    try:
        # What torch deprecates in itself or in the backbone's code is not for this command's user, nor the graph that torch
        # prints where it loses the way.
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            return torch.export.export(backbone, (picture,))
    finally:
        hook.remove()


def tensors_in(output: object) -> Iterator[torch.Tensor]:
    """The tensors of a layer's answer, through mappings, sequences and dataclasses."""
    if isinstance(output, torch.Tensor):
        yield output
    elif is_dataclass(output) and not isinstance(output, Mapping):
        yield from tensors_in(list(vars(output).values()))
    elif isinstance(output, Mapping):
        yield from tensors_in(list(output.values()))
    elif isinstance(output, (list, tuple)):
        for value in output:
            yield from tensors_in(value)


def _as_functions(program: ExportedProgram) -> fx.GraphModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # An empty table takes in-place operations away and leaves all others as they are.
        module = program.run_decompositions({}).module(check_guards=False)
    assert isinstance(module, fx.GraphModule)  # noqa: S101 - so says torch's documentation
    return module


def _run_once(source: Source, backbone: nn.Module, picture: torch.Tensor, size: tuple[int, int]) -> None:
    """Run the backbone, fitted to the size where it does not run without."""
    failed = _failure(backbone, picture)
    if failed is None:
        return
    for side in size:
        check_multiple(side, patch_side(backbone) or 1, "this backbone's patches")
    # Before anything is changed: whether the positions are those of a square can only be told by running one.
    made_for = square_side(backbone)
    square = made_for is not None and _failure(backbone, torch.zeros(1, 3, made_for, made_for)) is None
    for fit in (set_input_size, forget_input_size, *([fit_positions] if square else [])):
        try:
            fit(backbone, size)
        except Exception as err:  # noqa: BLE001 - somebody else's code may raise anything
            failed = err
            break
        if _failure(backbone, picture) is None:
            return
    raise BadSource(
        f"{source.name}: fails on a picture of {size[0]}x{size[1]}{_where(failed)}: {type(failed).__name__}: "
        f"{first_line(failed)}; try another --size, or mend it."
    )


def _failure(backbone: nn.Module, picture: torch.Tensor) -> Exception | None:
    try:
        with torch.inference_mode():
            backbone(picture)
    except Exception as err:  # noqa: BLE001 - somebody else's code may raise anything
        return err
    return None


def check_multiple(side: int, step: int, of: str) -> None:
    """Refuse a side in pixels that is no multiple of `step`; `of` says whose.

    Raises:
        BadConfig: as said.
    """
    if side % step:
        near = f"{side // step * step} or {side // step * step + step}" if side > step else f"{step}"
        raise BadConfig(f"--size: {side} does not work with {of}; take multiples of {step}, here {near}.")


def _where(err: BaseException) -> str:
    """' at FILE line N' of the last line outside torch and goodpart that was running."""
    foreign = (str(Path(torch.__file__).parent), str(Path(__file__).parent), "<")
    frames = [frame for frame in traceback.extract_tb(err.__traceback__) if not frame.filename.startswith(foreign)]
    return f" at {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""
