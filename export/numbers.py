"""In which numbers the file computes: as the profile says, by the search, or by what is known of the backbone."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.inspect.card import QuantisationCard
from export.parity import INT8_COSINE, Agreement, is_near, latency_ratio, open_session
from export.pictures import Chosen
from export.profiles import FP32, Profile, this_machine
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
    promise: Promise | None,
    agreement: Callable[[Path], Agreement],
    seed: int,
    tell: Callable[[str], None],
    machine: Profile | None = None,
) -> Quantised:
    """Write the form of a graph that a device of `profile` runs.

    Args:
        fp32: the graph in FP32.
        out: where to write.
        chosen: pictures of the graph's size.
        profile: the device's.
        float_parts: layers known to be spoiled by INT8; empty to find them.
        promise: try several forms and take the fastest that keeps it; None takes the usual form without a search.
        agreement: how far a graph lies from torch.
        seed: of bank and held-out pictures.
        tell: hears what is being done.
        machine: what this machine is; None to look.

    Raises:
        TooFewGoods: fewer than 40 pictures for a search.
    """
    if profile.precision == "fp32":
        shutil.copyfile(fp32, out)
        return Quantised(FP32, None, "FP32, as was asked.")
    if promise is not None:
        found = search(fp32, out, chosen.goods, chosen.defects, profile, promise, seed=seed, tell=tell, machine=machine)
        return (
            Quantised(profile, found.chosen.quantisation, found.reason)
            if found.chosen
            else Quantised(FP32, None, found.reason)
        )
    tell(f"quantising for {profile.words}")
    made = _usual(fp32, out, chosen, profile, float_parts)
    against = _against(made, fp32, out, chosen, agreement, machine or this_machine())
    if against is None:
        return made
    shutil.copyfile(fp32, out)
    return Quantised(FP32, None, f"FP32: {against}.")


def _usual(fp32: Path, out: Path, chosen: Chosen, profile: Profile, float_parts: tuple[str, ...]) -> Quantised:
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


def _against(
    made: Quantised, fp32: Path, out: Path, chosen: Chosen, agreement: Callable[[Path], Agreement], machine: Profile
) -> str | None:
    """What speaks against shipping the integers, None if nothing does."""
    if made.profile.precision != "int8":
        return None
    found = agreement(out)
    if not is_near(found):
        return (
            f"INT8 turns a patch vector to a cosine of {found.cosine:.3f} and the embedding to {found.embedding_cosine:.3f} "
            f"where {INT8_COSINE} is wanted; pictures that look like what the line sees, or --search, may find a better form"
        )
    if made.profile != machine:
        return None  # its time here says nothing of its time there
    ratio = latency_ratio(open_session(fp32), open_session(out), chosen.calibration[0])
    return f"INT8 takes {ratio:.2f} of FP32's time on this machine" if ratio >= 1 else None
