"""Checkpoints: read without running code, unwrapped, and matched with the backbone key by key."""

import hashlib
import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import nn

from edge.errors import BadConfig, BadWeights
from export.sources.source import Doubts
from export.transformers import fit_positions_of

WRAPPERS = ("state_dict", "model")
"""Where training scripts put the state dict inside their checkpoint."""

PREFIXES = ("module.", "model.", "backbone.")
"""What wrappers of training scripts put before each key."""

State = Mapping[str, torch.Tensor]


def load_weights(module: nn.Module, path: Path, size: tuple[int, int]) -> Doubts:
    """Put every weight of the file that fits into `module`; position embeddings are resampled to `size` (height, width).

    Returns:
        What did not fit; the caller decides whether it matters, once it knows which layers are used.

    Raises:
        BadWeights: the file cannot be read, or nothing of it fits.
    """
    ours = module.state_dict()
    theirs = fit_positions_of(module, _without_prefix(read_state(path), ours), size)
    fitting = {key: value for key, value in theirs.items() if key in ours and ours[key].shape == value.shape}
    if not fitting:
        raise BadWeights(
            f"{path}: none of its {len(theirs)} keys fits the backbone: it has {_some(theirs)}, and "
            f"the backbone wants {_some(ours)}; take the checkpoint of this backbone."
        )
    module.load_state_dict(fitting, strict=False)
    return Doubts(
        # Old checkpoints lack the counter, which evaluation does not read.
        missing=tuple(key for key in ours if key not in theirs and not key.endswith("num_batches_tracked")),
        unexpected=tuple(key for key in theirs if key not in ours),
        other_shape=tuple(key for key in theirs if key in ours and key not in fitting),
    )


def read_state(path: Path) -> State:
    """The tensors of a .pth, .pt or .safetensors file by name.

    Raises:
        BadWeights: missing, damaged, of another kind, or a pickle that could run code.
        BadConfig: a .safetensors file, and the package that reads it is not installed.
    """
    if not path.is_file():
        raise BadWeights(f"{path}: there is no such file; check the path.")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    try:
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
        raise BadWeights(f"{path}: no readable torch checkpoint ({type(err).__name__}); fetch it again.") from None
    return _unwrapped(path, checkpoint)


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


def _unwrapped(path: Path, checkpoint: object) -> State:
    for wrapper in WRAPPERS:
        if isinstance(checkpoint, dict) and isinstance(checkpoint.get(wrapper), dict):
            checkpoint = checkpoint[wrapper]
    tensors = checkpoint if isinstance(checkpoint, dict) else {}
    state = {key: value for key, value in tensors.items() if isinstance(key, str) and isinstance(value, torch.Tensor)}
    if not state:
        raise BadWeights(
            f"{path}: holds no tensors by name; save a state dict, alone or under one of {', '.join(WRAPPERS)}."
        )
    return state


def _without_prefix(theirs: State, ours: State) -> State:
    """The keys with the fewest prefixes taken off that make the most of them fit."""
    best, most = theirs, -1
    for prefixes in sorted(product(("", *PREFIXES), repeat=3), key=lambda some: len("".join(some))):
        stripped = {_strip(key, prefixes): value for key, value in theirs.items()}
        fitting = len(stripped.keys() & ours.keys())
        if fitting > most:
            best, most = stripped, fitting
    return best


def _strip(key: str, prefixes: tuple[str, ...]) -> str:
    for prefix in prefixes:
        key = key.removeprefix(prefix)
    return key


def _some(keys: Mapping[str, torch.Tensor]) -> str:
    return ", ".join(list(keys)[:3])


def hash_of_file(path: Path) -> str:
    """sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
