"""An evaluation in words, as the command prints it."""

from calibration.evaluate.evaluate import Evaluation
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
        f"not decidable  {found.not_decidable} of {len(found.judged)}",
    ]
    return "\n".join([*lines, *([SWAPPED] if swapped(found) else [])])


SWAPPED = (
    "Defects score lower than goods here: are good/ and the folders of defects swapped, or is the recipe for another part?"
)


def swapped(found: Evaluation) -> bool:
    """Whether the labels are more likely wrong than the recipe."""
    return found.image_auroc is not None and found.image_auroc < _COIN


def lead(found: Evaluation) -> str:
    """The page's first sentence."""
    parts = [
        f"{found.false_reject.words()} of good pictures were rejected" if found.false_reject else "",
        f"{found.escape.words()} of defective ones escaped" if found.escape else "",
        f"{found.not_decidable} of {len(found.judged)} could not be decided" if found.not_decidable else "",
    ]
    return "; ".join(part for part in parts if part) + "." + (f" {SWAPPED}" if swapped(found) else "")


def number(value: float | None) -> str:
    """Four digits, or what is missing for it."""
    return f"{value:.4f}" if value is not None else _NEEDS


def rate(value: Rate | None) -> str:
    """A rate with its interval."""
    return value.words() if value else "- (no such pictures)"
