"""Which layers quantisation spoils, told by the direction of patch vectors on a few pictures: cheap, and only a hint.

What a hint is worth is decided by verdicts (`export.task`). Measured with EfficientNet-Lite0 on solar cells at 256², mean
of 1 - cosine over patches: all layers in INT8 0.066, without the first one 0.057, two 0.020, six (stem and two blocks)
0.005, twelve 0.003. Which calibration method gave the ranges made no difference beyond 0.001 between min-max and percentile.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.inspect.card import QuantisationCard
from edge.types import Floats, Pixels
from export.parity import open_session
from export.profiles import Profile
from export.quantize import Calibrated, Settings, quantize
from export.task import Encode

PICTURES = 8
"""Each has some thousand patches; more change the order of layers no more."""

LEADING = (0, 1, 2, 3, 4, 6, 8, 12)
"""How many layers at the input are tried in FP32, at most a third of all."""

NEAR_BEST = 2.0
"""A shorter beginning wins as long as it spoils at most so many times what the best one does."""

ENOUGH = 0.002
"""Mean of 1 - cosine that needs no mending."""

GROUPS = 12
"""Neighbouring layers are tried together, so that a deep network takes no longer than a shallow one."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """What was written without being told which layers to spare. card: None for FP16 and FP32."""

    settings: Settings
    card: QuantisationCard | None


class Probe:
    """What the FP32 graph says of a few pictures, each H×W×3 uint8 BGR, and how far INT8 forms of it turn away."""

    def __init__(self, fp32: Path, pictures: Sequence[Pixels]) -> None:
        self._pictures = list(pictures[:PICTURES])
        encode = encoder(fp32)
        self._wanted = [encode(picture) for picture in self._pictures]

    def damage(self, model: Path) -> float:
        """Mean of 1 - cosine between the patch vectors of a graph and of FP32; infinite where one is not a number."""
        encode = encoder(model)
        turned = [_turn(encode(picture), wanted) for picture, wanted in zip(self._pictures, self._wanted, strict=True)]
        mean = float(np.mean(turned))
        return mean if np.isfinite(mean) else float("inf")


def encoder(model: Path) -> Encode:
    """Patch vectors by a graph, one thread."""
    session = open_session(model)

    def encode(picture: Pixels) -> Floats:
        return np.asarray(session.run(["patches"], {"image": picture[None]})[0][0], np.float32)

    return encode


def leading(calibrated: Calibrated, profile: Profile, probe: Probe) -> tuple[str, ...]:
    """The fewest layers at the input whose sparing mends about what sparing more would.

    Filters close to the pixels take differences of bright neighbours: a rounding step of their input grows there to the
    size of the signal, and everything behind inherits it.
    """
    names = [layer.name for layer in calibrated.layers]
    counts = [count for count in LEADING if count <= len(names) // 3]
    with tempfile.TemporaryDirectory() as scratch:
        trial = Path(scratch, "trial.onnx")
        spoiled: list[float] = []
        for count in counts:
            calibrated.write(trial, profile, names[:count])
            spoiled.append(probe.damage(trial))
    bearable = max(NEAR_BEST * min(spoiled), ENOUGH)
    enough = next(count for count, damage in zip(counts, spoiled, strict=True) if damage <= bearable)
    return tuple(names[:enough])


def worst_first(calibrated: Calibrated, profile: Profile, probe: Probe) -> tuple[tuple[str, ...], ...]:
    """Groups of neighbouring layers, by name; the one that spoils most when it alone is quantised comes first."""
    names = [layer.name for layer in calibrated.layers]
    groups = [tuple(names[i] for i in part) for part in np.array_split(np.arange(len(names)), min(GROUPS, len(names)))]
    with tempfile.TemporaryDirectory() as scratch:
        trial = Path(scratch, "trial.onnx")
        spoiled: list[float] = []
        for group in groups:
            calibrated.write(trial, profile, [name for name in names if name not in group])
            spoiled.append(probe.damage(trial))
    return tuple(groups[i] for i in np.argsort(-np.array(spoiled), kind="stable"))


def quantize_automatically(fp32: Path, out: Path, pictures: Sequence[Pixels], profile: Profile) -> Automatic:
    """Write a graph in the numbers of a profile; for INT8 by min-max, with as few layers at the input spared as it takes.

    Args:
        fp32: the graph, input `image` 1×H×W×3 uint8, output `patches` 1×P×d.
        out: where to write.
        pictures: good pictures, each H×W×3 uint8 BGR of the graph's size.
        profile: the device's.
    """
    if profile.precision != "int8":
        settings = Settings(profile)
        return Automatic(settings, quantize(fp32, out, pictures, settings))
    calibrated = Calibrated(fp32, pictures, "minmax")
    excluded = leading(calibrated, profile, Probe(fp32, pictures))
    return Automatic(Settings(profile, "minmax", excluded), calibrated.write(out, profile, excluded))


def _turn(found: Floats, wanted: Floats) -> float:
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
    return float(np.mean(1 - np.einsum("ij,ij->i", found, wanted) / np.maximum(lengths, np.finfo(np.float32).tiny)))
