"""A threshold in words: the paragraph for a report, and what a stricter promise would take."""

import math

from calibration.threshold.choose import Chosen, Step
from edge.recipe.manifest import Manifest
from edge.recipe.promise import percent


def paragraph(manifest: Manifest, identity: str, chosen: Chosen) -> str:
    """What an engineer can put in a report as it stands."""
    low, high = chosen.rejected
    sentences = [
        f'Recipe "{manifest.name}" ({identity[:12]}) with a threshold of {chosen.threshold:.4f}.',
        chosen.promise.sentence(),
        f"The share of good parts that it rejects lies between {percent(low)} and {percent(high)} (95 % interval).",
    ]
    if chosen.gray_zone:
        sentences.append(chosen.gray_zone.sentence())
    if chosen.escapes:
        sentences.append(f"Of the labelled defects {chosen.escapes.words()} are judged OK.")
    sentences.append("The held-out goods are not in the recipe's bank, and were scored as the device scores parts.")
    return " ".join(sentences)


def stricter(step: Step) -> tuple[str, str, str]:
    """A row: the share promised, held-out parts it needs, and its threshold or what is missing."""
    found = f"{step.threshold:.4f}" if step.threshold is not None else f"{step.missing} more held-out parts"
    return percent(step.max_false_reject), str(step.parts), found


def band_in_words(band: tuple[float, float] | None) -> str:
    """The uncertainty of the threshold itself."""
    if band is None:
        return "set by a person"
    low, high = (f"{end:.4f}" if math.isfinite(end) else "open" for end in band)
    return f"{low} to {high}"


def threshold_in_words(manifest: Manifest, identity: str, chosen: Chosen) -> str:
    """All that the command prints."""
    lines = [
        paragraph(manifest, identity, chosen),
        "",
        f"threshold {chosen.threshold:.4f}, 95 % band {band_in_words(chosen.band)}",
    ]
    lines += ["at most rejected   held-out parts needed   threshold"]
    lines += [f"{share:>16}   {parts:>21}   {found}" for share, parts, found in map(stricter, chosen.steps)]
    return "\n".join(lines)
