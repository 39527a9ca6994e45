"""In which numbers the file computes: as the profile says, by the search, or by what is known of the backbone."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.inspect.card import QuantisationCard
from export.pictures import Chosen
from export.profiles import FP32, Profile
from export.quantize import Settings, quantize
from export.search import Promise, search
from export.sensitivity import quantize_automatically


@dataclass(frozen=True, slots=True)
class Quantised:
    """What was written. profile: FP32 where nothing else kept the promise; card: None but for INT8; reason: in words."""

    profile: Profile
    card: QuantisationCard | None
    reason: str


def choose_numbers(
    fp32: Path,
    out: Path,
    chosen: Chosen,
    profile: Profile,
    float_parts: tuple[str, ...],
    *,
    searching: bool,
    seed: int,
    tell: Callable[[str], None],
) -> Quantised:
    """Write the form of a graph that a device of `profile` runs.

    Args:
        fp32: the graph in FP32.
        out: where to write.
        chosen: pictures of the graph's size.
        profile: the device's.
        float_parts: layers known to be spoiled by INT8; empty to find them.
        searching: try several forms and take the fastest that keeps the promise.
        seed: of bank and held-out pictures.
        tell: hears what is being done.

    Raises:
        TooFewGoods: fewer than 40 pictures for a search.
    """
    if profile.precision == "fp32":
        shutil.copyfile(fp32, out)
        return Quantised(FP32, None, "FP32, as was asked.")
    if searching:
        found = search(fp32, out, chosen.goods, chosen.defects, profile, Promise(), seed=seed, tell=tell)
        return (
            Quantised(profile, found.chosen.quantisation, found.reason)
            if found.chosen
            else Quantised(FP32, None, found.reason)
        )
    tell(f"quantising for {profile.words}")
    if float_parts and profile.precision == "int8":
        card = quantize(fp32, out, chosen.calibration, Settings(profile, excluded=float_parts))
        return Quantised(
            profile, card, f"INT8 by min-max; {', '.join(float_parts)} stay FP32, as measured for this backbone."
        )
    made = quantize_automatically(fp32, out, chosen.calibration, profile)
    if profile.precision != "int8":
        return Quantised(profile, made.card, "FP16, as was asked.")
    spared = len(made.settings.excluded)
    words = f"all but the first {spared} layers, found by trial" if spared else "all layers"
    return Quantised(profile, made.card, f"INT8 by min-max, {words}.")
