"""The backbones goodpart brings: EfficientNet-Lite0, -Lite1 and -Lite2 with weights from pinned packages."""

import hashlib

from edge.errors import BadConfig
from export.backbones import LITE0, LITE1, LITE2, load_backbone
from export.sources.source import Preparation, Source

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
