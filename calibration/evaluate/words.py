"""An evaluation in words, as the command prints it."""

from calibration.evaluate.evaluate import Evaluation
from calibration.known import warnings
from calibration.rates import Rate

_COIN = 0.5
_NEEDS = "- (needs goods, defects and, for pixels, masks)"


def evaluation_in_words(found: Evaluation) -> str:
    """What an evaluation found, for people."""
    lines = [
        f"image AUROC    {number(found.image_auroc)}",
        f"pixel AUROC    {number(found.pixel_auroc)}",
        f"AUPRO          {number(found.aupro)}",
        f"false rejects  {rate(found.false_reject)}",
        f"escapes        {rate(found.escape)}",
        *(f"  {kind:<12} {rate(each)}" for kind, each in found.escape_by_kind.items()),
        f"not decidable  {found.not_decidable} of {len(found.parts)}",
        f"pictures       {counted(found)}",
    ]
    return "\n".join([*lines, *notes(found)])


SWAPPED = (
    "Defects score lower than goods here: are good/ and the folders of defects swapped, or is the recipe for another part?"
)


def counted(found: Evaluation) -> str:
    """How many pictures, and of how many parts: rates count parts."""
    many = " (a part counts once, by its worst picture)" if len(found.judged) > len(found.parts) else ""
    return f"{len(found.judged)} of {len(found.parts)} parts{many}"


def notes(found: Evaluation) -> list[str]:
    """What must be known to believe the rest."""
    return [*warnings(found.known), *([SWAPPED] if swapped(found) else [])]


def swapped(found: Evaluation) -> bool:
    """Whether the labels are more likely wrong than the recipe."""
    return found.image_auroc is not None and found.image_auroc < _COIN


def lead(found: Evaluation) -> str:
    """The page's first sentence."""
    said = [
        f"{found.false_reject.words()} of good parts were rejected" if found.false_reject else "",
        f"{found.escape.words()} of defective ones escaped" if found.escape else "",
        f"{found.not_decidable} of {len(found.parts)} could not be decided" if found.not_decidable else "",
    ]
    return " ".join(["; ".join(each for each in said if each) + ".", *notes(found)])


def number(value: float | None) -> str:
    """Four digits, or what is missing for it."""
    return f"{value:.4f}" if value is not None else _NEEDS


def rate(value: Rate | None) -> str:
    """A rate with its interval."""
    return value.words() if value else "- (no such parts)"
