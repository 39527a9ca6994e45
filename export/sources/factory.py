"""A factory: a function of the training engineer's own code that returns the backbone."""

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch._dynamo import OptimizedModule
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy
from torch.optim.swa_utils import AveragedModel

from edge.errors import BadSource
from export.sources.matching import load_weights
from export.sources.preparation import from_module
from export.sources.source import Doubts, Preparation, Source, hash_of_state
from export.sources.weights import hash_of_file

SIZE_NAMES = ("image_size", "img_size")
"""A factory that takes one of them is told the input size: one number if square, else (height, width)."""


def open_factory(name: str, weights: Path | None, size: tuple[int, int]) -> Source:
    """Call ``package.module:function`` and load the weights into what it returns.

    Raises:
        BadSource: no such module or function, it raises, or it returns no nn.Module.
        BadWeights: the weights cannot be read.
    """
    module_name, function_name = name.split(":")
    function = _find(module_name, function_name)
    module = call(function, name, size)
    return from_model(module, function_name, f"factory {name}", weights, size)


def from_model(
    module: nn.Module,
    name: str,
    origin: str,
    weights: Path | None,
    size: tuple[int, int],
    preparation: Preparation | None = None,
) -> Source:
    """The source around a model that somebody's code has made.

    Raises:
        BadSource: it has no weights to trace.
        BadWeights: the file cannot be read, or nothing of it fits.
    """
    module = bare(module, name).float().cpu().eval().requires_grad_(requires_grad=False)
    loaded = None if weights is None else load_weights(module, weights, size)
    if weights is not None and loaded is not None:
        origin = f"{origin}, weights {weights.name}" + (f" ({loaded.choice})" if loaded.choice else "")
    return Source(
        name=name,
        origin=origin,
        backbone=module,
        preparation=preparation or from_module(module),
        weights="its own weights" if weights is None else str(weights),
        weights_sha256=hash_of_state(module) if weights is None else hash_of_file(weights),
        doubts=Doubts() if loaded is None else loaded.doubts,
    )


def bare(module: nn.Module, name: str) -> nn.Module:
    """The model without the wrappers of torch.compile, DataParallel and moving averages, at any depth.

    Raises:
        BadSource: it is TorchScript, or some of its weights do not exist yet.
    """
    module = _unwrapped(module)
    if isinstance(module, torch.jit.ScriptModule):
        raise BadSource(f"{name}: is TorchScript, which torch.export cannot follow; return the module it was made from.")
    empty = [key for key, value in module.named_parameters() if value.is_meta or is_lazy(value)]
    if empty:
        raise BadSource(
            f"{name}: {empty[0]} has no values yet (meta device or lazy layer); make it on the CPU and run it once."
        )
    return module


def _unwrapped(module: nn.Module) -> nn.Module:
    while isinstance(module, OptimizedModule | nn.DataParallel | DistributedDataParallel | AveragedModel):
        module = module.get_submodule("_orig_mod" if isinstance(module, OptimizedModule) else "module")
    vars(module).pop("_compiled_call_impl", None)  # what Module.compile() leaves: compiling for one picture takes minutes
    for name, part in list(module.named_children()):
        if (inner := _unwrapped(part)) is not part:
            module.add_module(name, inner)
    return module


def call(function: Callable[..., object], name: str, size: tuple[int, int], mend: str = "mend the factory") -> nn.Module:
    """What the factory returns, told the size if it takes one; `mend` says what to do if it raises.

    Raises:
        BadSource: it raises, or returns no nn.Module.
    """
    try:
        takes = inspect.signature(function).parameters
        side = size[0] if size[0] == size[1] else size
        module = function(**{key: side for key in SIZE_NAMES if key in takes})
    except Exception as err:  # noqa: BLE001 - somebody else's code may raise anything
        raise BadSource(f"{name} raised {type(err).__name__}: {first_line(err)}; {mend}.") from None
    if not isinstance(module, nn.Module):
        raise BadSource(f"{name} returned {type(module).__name__}; a factory returns a torch.nn.Module.")
    return module


def _find(module_name: str, function_name: str) -> Callable[..., object]:
    # As `python -m` does: the training engineer stands in the folder of his code.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except Exception as err:  # noqa: BLE001 - somebody else's code may raise anything
        if isinstance(err, ModuleNotFoundError) and err.name and f"{module_name}.".startswith(f"{err.name}."):
            raise BadSource(
                f"{module_name}: there is no such module here; run from the folder that holds it, or install it."
            ) from None
        raise BadSource(f"importing {module_name} raised {type(err).__name__}: {first_line(err)}; mend it.") from None
    function = getattr(module, function_name, None)
    if not callable(function):
        there = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise BadSource(
            f"{module_name} has no function {function_name}; it has {', '.join(there[:8]) or 'none'}: check the spelling."
        )
    return function  # type: ignore[no-any-return] # getattr of a module


def first_line(err: BaseException) -> str:
    """An error's message as part of a sentence."""
    lines = str(err).strip().splitlines()
    return lines[0].strip().rstrip(".")[:200] if lines else "no message"
