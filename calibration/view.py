"""What the encoder shall see of the goods' pictures: which region, where the part is, in how many tiles."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.alignment import learn_alignment
from calibration.goods import Good
from calibration.mask import read_mask, watched
from calibration.progress import Steps
from edge.capture.pictures import read_picture
from edge.errors import BadConfig
from edge.inspect.card import EncoderCard
from edge.inspect.encoder import Encoder
from edge.inspect.eye import Eye
from edge.inspect.refine import Grey
from edge.inspect.view_card import AlignmentMethod, PictureCard, RoiCard, TilesCard, ViewCard

_MOST_STRETCH = 1.5
"""A picture may be stretched by so much in one direction before it is cut into tiles: a 4:3 camera on a square encoder needs
one, a long narrow part several."""

_MOST_TILES = 8
_OVERLAP = 0.3
"""Of a tile. Measured with the shipped encoder: at the seam features jump 1.3 times as far as from patch to patch elsewhere,
2.4 times without overlap."""

_LOOKED_AT = 20
"""Pictures whose sizes tell the proportions of all."""


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """What the line engineer asked for.

    reference: the picture on which roi and mask were drawn; tiles: rows and columns, None to choose.
    """

    roi: RoiCard | None = None
    mask: Path | None = None
    align: AlignmentMethod | None = None
    reference: Path | None = None
    tiles: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ChosenView:
    """How to look. reference: H×W uint8, where parts are aligned; watched: rows×cols bool; why: a sentence a choice."""

    eye: Eye
    reference: Grey | None
    watched: NDArray[np.bool_]
    why: tuple[str, ...]

    def reference_png(self) -> bytes | None:
        """The reference as a file."""
        return cv2.imencode(".png", self.reference)[1].tobytes() if self.reference is not None else None


def choose_view(plan: ViewPlan, goods: Sequence[Good], encoder: Encoder, seed: int, steps: Steps) -> ChosenView:
    """Learn how to look from the goods.

    Raises:
        BadConfig: region, mask, alignment or tiles do not suit the pictures or the encoder.
        BadPicture: a file cannot be read.
    """
    if plan.reference and not plan.align:
        raise BadConfig("--reference: is the picture to align with; add --align, or leave it out.")
    sizes = [read_picture(good.path).shape[:2] for good in goods[:_LOOKED_AT]]
    picture = _one_size(sizes) if plan.roi or plan.mask or plan.align else None
    if picture and plan.roi and not plan.roi.inside(picture.width, picture.height):
        raise BadConfig(
            f"--roi: reaches beyond the {picture.width}×{picture.height} pixels of the pictures; choose one inside."
        )
    seen = (plan.roi.height, plan.roi.width) if plan.roi else _median(sizes)
    tiles, why_tiles = _tiles(plan.tiles, seen, encoder.card)
    alignment, reference, why = None, None, [why_tiles]
    if plan.align:
        learned = learn_alignment(goods, plan.align, plan.roi, steps, reference=plan.reference, seed=seed)
        alignment, reference = learned.card, learned.reference
        why.append(learned.sentence)
    card = ViewCard(picture=picture, roi=plan.roi, alignment=alignment, tiles=tiles)
    eye = Eye(encoder, card, reference)
    places = np.ones((eye.rows, eye.cols), np.bool_)
    box = card.box()
    if plan.mask and picture and box:
        places = watched(read_mask(plan.mask, picture.width, picture.height), box, eye.rows, eye.cols)
        why.append(f"The mask leaves {100 * places.mean():.0f} % of the places to watch.")
    return ChosenView(eye, reference, places, tuple(why))


def _one_size(sizes: list[tuple[int, int]]) -> PictureCard:
    if len(set(sizes)) > 1:
        (one, two), (three, four) = sorted(set(sizes))[:2]
        raise BadConfig(
            f"--roi, --mask and --align need pictures of one size; these are {two}×{one} and {four}×{three} pixels."
        )
    return PictureCard(width=sizes[0][1], height=sizes[0][0])


def _median(sizes: list[tuple[int, int]]) -> tuple[int, int]:
    """Of the pictures in order of their proportions."""
    return sorted(sizes, key=lambda size: size[0] / size[1])[len(sizes) // 2]


def _tiles(wanted: tuple[int, int] | None, seen: tuple[int, int], card: EncoderCard) -> tuple[TilesCard, str]:
    """The fewest tiles that stretch what is seen, height × width, by no more than `_MOST_STRETCH`."""
    if wanted:
        tiles = _card(*wanted, card)
        return tiles, f"{tiles.rows}×{tiles.cols} tiles as asked for; each costs one run of the encoder."
    for count in range(1, _MOST_TILES + 1):
        tiles = _card(count, 1, card) if seen[0] > seen[1] else _card(1, count, card)
        if _stretch(tiles, seen, card) <= _MOST_STRETCH:
            break
    stretch = _stretch(tiles, seen, card)
    cost = "one run of the encoder" if count == 1 else "each of which costs one run of the encoder"
    size = f"{seen[1]}×{seen[0]}"
    return tiles, f"{tiles.rows}×{tiles.cols} tiles, {cost}: {size} pixels are stretched by {stretch:.2f} in one direction."


def _card(rows: int, cols: int, card: EncoderCard) -> TilesCard:
    if rows == cols == 1:
        return TilesCard()
    # Both sides of an overlap give half of it, in whole patches.
    pair = 2 * max(card.input.height // card.grid.rows, card.input.width // card.grid.cols)
    overlap = max(1, round(_OVERLAP * min(card.input.height, card.input.width) / pair)) * pair
    return TilesCard(rows=rows, cols=cols, overlap=overlap)


def _stretch(tiles: TilesCard, seen: tuple[int, int], card: EncoderCard) -> float:
    height, width = tiles.canvas_size(card.input.height, card.input.width)
    return math.exp(abs(math.log((height / seen[0]) / (width / seen[1]))))
