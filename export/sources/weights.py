"""Checkpoints: read without running code, and every state dict in them found."""

import argparse
import hashlib
import pathlib
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch

from edge.errors import BadConfig, BadWeights

State = Mapping[str, torch.Tensor]

DEEPEST = 3
"""So many dicts deep, training scripts wrap a state dict at most."""

NUMPY_MAKERS: dict[str, Callable[..., object]] = {
    "_reconstruct": np.empty(0).__reduce__()[0],  # type: ignore[dict-item] # numpy types it as str, too
    "scalar": np.float64(0).__reduce__()[0],  # type: ignore[dict-item]
}

# What training scripts keep beside the tensors: options, paths, the best accuracy. All of it is data without code.
INERT: list[Callable[..., object] | tuple[Callable[..., object], str]] = [
    argparse.Namespace,
    defaultdict,
    np.ndarray,
    np.dtype,
    *{type(np.dtype(kind)) for kind in "?bBhHiIlLqQefdU"},
    *((make, f"{core}.multiarray.{name}") for name, make in NUMPY_MAKERS.items() for core in ("numpy.core", "numpy._core")),
    *((pathlib.PosixPath, f"{module}.PosixPath") for module in ("pathlib", "pathlib._local")),
]


def read_state(path: Path) -> State:
    """The first state dict of a file.

    Raises:
        BadWeights: as `read_states`.
        BadConfig: as `read_states`.
    """
    return next(iter(read_states(path).values()))


def read_states(path: Path) -> dict[str, State]:
    """All state dicts of a .pth, .pt or .safetensors file by where they lie in it, such as ``ema.state_dict``.

    Raises:
        BadWeights: missing, damaged, of another kind, or a pickle that could run code.
        BadConfig: a .safetensors file, and the package that reads it is not installed.
    """
    if not path.is_file():
        raise BadWeights(f"{path}: there is no such file; check the path.")
    if path.suffix == ".safetensors":
        return {"": _read_safetensors(path)}
    try:
        with torch.serialization.safe_globals(INERT), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch says of a file of another kind is said below
            # weights_only: a checkpoint is a pickle, and a pickle may run code.
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as err:
        if re.search(r"Unsupported (global|class)", str(err)):
            raise BadWeights(
                f"{path}: holds Python objects that could run code when loaded; save the tensors alone, with "
                "torch.save(model.state_dict(), FILE)."
            ) from None
        raise BadWeights(f"{path}: no readable torch checkpoint; fetch it again.") from None
    except Exception as err:  # noqa: BLE001 - bytes that are no pickle make the unpickler raise whatever comes first
        if "TorchScript" in str(err):
            raise BadWeights(
                f"{path}: is a TorchScript archive, not a state dict; save the tensors alone, with "
                "torch.save(model.state_dict(), FILE)."
            ) from None
        raise BadWeights(f"{path}: no readable torch checkpoint ({type(err).__name__}); fetch it again.") from None
    found = dict(_states_in(checkpoint, "", DEEPEST))
    if not found:
        raise BadWeights(f"{path}: holds no tensors by name; save a state dict, alone or in a dict such as state_dict.")
    return found


def _states_in(value: object, name: str, depth: int) -> list[tuple[str, State]]:
    if not isinstance(value, Mapping):
        return []
    # torch.compile leaves its mark inside the names.
    entries = {key.replace("_orig_mod.", ""): entry for key, entry in value.items() if isinstance(key, str)}
    tensors = {key: entry for key, entry in entries.items() if isinstance(entry, torch.Tensor)}
    found: list[tuple[str, State]] = [(name, tensors)] if tensors else []
    for key, entry in entries.items() if depth else ():
        found += _states_in(entry, f"{name}.{key}".removeprefix("."), depth - 1)
    return found


def _read_safetensors(path: Path) -> State:
    try:
        from safetensors import SafetensorError  # noqa: PLC0415 - only this format needs it
        from safetensors.torch import load_file  # noqa: PLC0415
    except ImportError:
        raise BadConfig(f"{path} needs safetensors: install 'goodpart[safetensors]'.") from None
    try:
        return load_file(path)
    except (SafetensorError, OSError) as err:
        raise BadWeights(f"{path}: no readable safetensors file ({str(err).splitlines()[0]}); fetch it again.") from None


def hash_of_file(path: Path) -> str:
    """sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
