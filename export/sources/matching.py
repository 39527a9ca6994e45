"""A checkpoint meets its backbone: which of its state dicts, under which prefix, and what is left over."""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from edge.errors import BadWeights
from export.sources.source import Doubts
from export.sources.weights import State, read_states
from export.transformers import fit_positions_of

CONVERTER = "checkpoint_filter_fn"
"""What timm's modules, and others like them, call the function that turns published checkpoints into theirs."""


@dataclass(frozen=True, slots=True)
class Match:
    """A state dict in the backbone's own names.

    found: as it stands in the file. fitting: how many of its keys the backbone has. beside: keys of the file that lie
    outside the backbone's prefix, such as those of a loss or of a second copy. choice: which state dict of the file it is,
    where several fit as well, else empty.
    """

    state: State
    found: State
    fitting: int
    beside: tuple[str, ...]
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded. choice: as in `Match`."""

    doubts: Doubts
    choice: str


def load_weights(module: nn.Module, path: Path, size: tuple[int, int]) -> Loaded:
    """Put every weight of the file that fits into `module`; position embeddings are resampled to `size` (height, width).

    Returns:
        What did not fit; the caller decides whether it matters, once it knows which layers are used.

    Raises:
        BadWeights: the file cannot be read, or nothing of it fits.
    """
    ours = module.state_dict()
    states = read_states(path)
    match = best_match(states, ours)
    theirs = fit_positions_of(module, match.state, size)
    for form in (match.found, match.state) if len(_fitting(theirs, ours)) < len(ours) else ():
        converted = fit_positions_of(module, _converted(module, form), size)
        if len(_fitting(converted, ours)) > len(_fitting(theirs, ours)):
            theirs = converted
    fitting = _fitting(theirs, ours)
    if not fitting:
        known = next(iter(states.values()))
        raise BadWeights(
            f"{path}: none of its {len(known)} keys fits the backbone: it has {_some(known)}, and "
            f"the backbone wants {_some(ours)}; take the checkpoint of this backbone."
        )
    module.load_state_dict(fitting, strict=False)
    doubts = Doubts(
        # Old checkpoints lack the counter, which evaluation does not read.
        missing=tuple(key for key in ours if key not in theirs and not key.endswith("num_batches_tracked")),
        unexpected=tuple(key for key in theirs if key not in ours),
        other_shape={
            key: f"{_shape(value)} instead of {_shape(ours[key])}"
            for key, value in theirs.items()
            if key in ours and key not in fitting
        },
        beside=match.beside,
    )
    return Loaded(doubts, match.choice)


def best_match(states: Mapping[str, State], ours: State) -> Match:
    """The state dict, and within it the keys of one prefix, of which most are the backbone's; the first of several such."""
    found = {name: _renamed(state, ours) for name, state in states.items()}
    most = max(match.fitting for match in found.values())
    level = [name for name, match in found.items() if match.fitting == most]
    best = found[level[0]]
    return best if len(level) == 1 else replace(best, choice=f"{level[0]} of {', '.join(level)}")


def _renamed(theirs: State, ours: State) -> Match:
    """The keys as the backbone calls them: a prefix of the training script goes, one of the backbone's own comes."""
    best: tuple[int, str, str] = 0, "", ""
    for own in ("", *dict.fromkeys(f"{key.partition('.')[0]}." for key in ours if "." in key)):
        inner = {key.removeprefix(own) for key in ours if key.startswith(own)}
        counts = Counter(key.removesuffix(end) for key in theirs for end in _ends(key) if end in inner)
        # Of two copies that fit as well, such as the model and its moving average, the one with the shorter name.
        for prefix, count in sorted(counts.items(), key=lambda found: len(found[0])):
            if count > best[0]:
                best = count, prefix, own
    fitting, prefix, own = best
    state = {own + key.removeprefix(prefix): value for key, value in theirs.items() if key.startswith(prefix)}
    return Match(state, theirs, fitting, tuple(key for key in theirs if not key.startswith(prefix)))


def _ends(key: str) -> list[str]:
    parts = key.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]


def _converted(module: nn.Module, state: State) -> State:
    """The checkpoint as the module's own code would convert it, in the backbone's names; empty where that knows no way."""
    convert = getattr(sys.modules.get(type(module).__module__), CONVERTER, None)
    if not callable(convert):
        return {}
    try:
        made = convert(dict(state), module)
    except Exception:  # noqa: BLE001 - somebody else's code meets a checkpoint it was not written for: no conversion then
        return {}
    return {key: value for key, value in made.items() if isinstance(value, torch.Tensor)} if isinstance(made, dict) else {}


def _fitting(theirs: State, ours: State) -> dict[str, torch.Tensor]:
    return {key: value for key, value in theirs.items() if key in ours and ours[key].shape == value.shape}


def _shape(value: torch.Tensor) -> str:
    return "×".join(str(side) for side in value.shape) or "one number"


def _some(keys: State) -> str:
    return ", ".join(list(keys)[:3])
