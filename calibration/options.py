"""What the line engineer writes on the command line, as what is meant by it."""

import re

from calibration.normal import EVERYWHERE, NEARBY
from edge.errors import BadConfig
from edge.inspect.view_card import AlignmentMethod, RoiCard
from edge.recipe.manifest import Scaling
from edge.types import ScoreKind

SCORES: dict[str, ScoreKind | None] = {"auto": None, "top1": "top1", "max": "max"}
SCALINGS: dict[str, Scaling | None] = {"auto": None, "none": "none", "half": "half", "full": "full"}
SPREADS: dict[str, float | None] = {"auto": None, "place": NEARBY, "everywhere": EVERYWHERE}
METHODS: dict[str | None, AlignmentMethod | None] = {None: None, "template": "template", "keypoints": "keypoints"}

_MOST_TILES = 8


def roi_of(text: str | None) -> RoiCard | None:
    """`X,Y,WIDTH,HEIGHT` in pixels.

    Raises:
        BadConfig: it is not that.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+),(\d+),([1-9]\d*),([1-9]\d*)", text)
    if not match:
        raise BadConfig(f"--roi: {text} is not X,Y,WIDTH,HEIGHT in whole pixels, for example 120,80,640,480.")
    x, y, width, height = (int(number) for number in match.groups())
    return RoiCard(x=x, y=y, width=width, height=height)


def tiles_of(text: str) -> tuple[int, int] | None:
    """`ROWSxCOLS`, or None for `auto`.

    Raises:
        BadConfig: it is neither, or more tiles than there can be.
    """
    if text == "auto":
        return None
    match = re.fullmatch(r"(\d+)[x×](\d+)", text)
    if not match or not all(1 <= int(number) <= _MOST_TILES for number in match.groups()):
        raise BadConfig(f"--tiles: {text} is neither auto nor ROWSxCOLS with 1 to {_MOST_TILES} each, for example 1x3.")
    return int(match[1]), int(match[2])
