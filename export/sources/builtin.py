"""The backbones goodpart brings: EfficientNet-Lite0, -Lite1 and -Lite2 with weights from pinned packages."""

import hashlib
import re
from pathlib import Path

from edge.errors import BadConfig, BadWeights
from export.backbones import LITE0, LITE1, LITE2, Backbone, Blueprint
from export.sources.source import Preparation, Source
from export.sources.weights import read_state

BUILT_IN = {blueprint.name: blueprint for blueprint in (LITE0, LITE1, LITE2)}


def open_builtin(name: str) -> Source:
    """A built-in backbone with its packaged weights.

    Raises:
        BadConfig: the weights' package is not installed.
        BadWeights: its file is damaged.
    """
    blueprint = BUILT_IN[name]
    try:
        weights = blueprint.weights_file()
    except ModuleNotFoundError as err:
        raise BadConfig(f"{name} needs {err.name}: install 'goodpart[export]'.") from None
    return Source(
        name=name,
        origin=blueprint.source,
        backbone=load_backbone(blueprint, weights),
        preparation=Preparation((blueprint.mean,) * 3, (blueprint.scale,) * 3, "rgb", "the backbone's own"),
        weights=weights.name,
        weights_sha256=hashlib.sha256(weights.read_bytes()).hexdigest(),
        taps=tuple(f"blocks.{block}" for block in blueprint.taps),
        float_parts=blueprint.float_parts,
    )


# How the checkpoint calls what is called otherwise here.
_RENAMED = (
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.norm."),
    (r"^_blocks\.", "blocks."),
    (r"\._expand_conv\.", ".expand.conv."),
    (r"\._bn0\.", ".expand.norm."),
    (r"\._depthwise_conv\.", ".depthwise.conv."),
    (r"\._bn1\.", ".depthwise.norm."),
    (r"\._project_conv\.", ".project.conv."),
    (r"\._bn2\.", ".project.norm."),
)


def load_backbone(blueprint: Blueprint, weights: Path) -> Backbone:
    """A backbone with the weights of a checkpoint, every one of them accounted for.

    Raises:
        BadWeights: the file cannot be read, lacks a layer, has one too many, or one of another shape.
    """
    backbone = Backbone(blueprint)
    state = {_our_name(key): value for key, value in read_state(weights).items()}
    kept = {key: value for key, value in state.items() if not _beyond_the_cut(key, len(backbone.blocks))}
    try:
        backbone.load_state_dict(kept, strict=True)
    except RuntimeError as err:
        differences = "; ".join(line.strip() for line in str(err).splitlines()[1:])
        raise BadWeights(f"{weights}: not the weights of {blueprint.name}: {differences[:400]}") from None
    return backbone


def _our_name(key: str) -> str:
    for pattern, ours in _RENAMED:
        key = re.sub(pattern, ours, key)
    return key


def _beyond_the_cut(key: str, blocks: int) -> bool:
    """The classifier's head and the blocks after the last tap are in the file and knowingly left there."""
    block = re.match(r"blocks\.(\d+)\.", key)
    return int(block[1]) >= blocks if block else key.startswith(("_conv_head.", "_bn1.", "_fc."))
