"""The reference picture and the limits by which parts are aligned, learned from the goods."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from calibration.goods import Good
from calibration.progress import Steps
from edge.capture.pictures import read_picture
from edge.errors import BadConfig
from edge.inspect.align import Aligner, open_aligner
from edge.inspect.refine import Alignment, Grey, NotAligned, cut, factor_to, shrunk, structure, to_grey
from edge.inspect.view_card import AlignmentCard, AlignmentMethod, RoiCard
from edge.types import Pixels

_CANDIDATES = 8
"""Goods drawn to find the reference among them; each is aligned with each."""

_WIDE_SHIFT = 0.5
"""Of the box's shorter side: how far goods are looked for."""

_WIDE_ROTATION_DEG = {"template": 10.0, "keypoints": 180.0}
_WIDE_SCALE = 2.0
_WIDE_OUTSIDE = 0.5

_STRANGERS = 0.2
"""The agreement that a picture of something else reaches at most, measured on nine photographs."""

_LEAST_GOOD = 0.4
"""Goods that agree less with the reference look too different for alignment to tell a good fit from a bad one."""

_LOOKED_SIDE = 100
"""Pixels of the box's longer side with which a pattern that repeats itself is looked for."""

_PEAK = 9
"""Pixels of the square in which a peak is the highest."""

_MARGIN = 1.5
"""Parts may move this much further than goods did, and at least by the floors below."""

_SHIFT_FLOOR = 0.02  # of the box's longer side
_ROTATION_FLOOR_DEG = 1.0
_SCALE_FLOOR = 0.02
_OUTSIDE_FLOOR = 0.01


@dataclass(frozen=True, slots=True)
class Learned:
    """How parts are aligned. reference: H×W uint8, of the good `reference_of`; sentence: how well the goods align."""

    card: AlignmentCard
    reference: Grey
    reference_of: Path
    sentence: str


def learn_alignment(
    goods: Sequence[Good],
    method: AlignmentMethod,
    roi: RoiCard | None,
    steps: Steps,
    *,
    reference: Path | None = None,
    seed: int = 0,
) -> Learned:
    """Choose the reference and learn the limits.

    Args:
        goods: pictures of one size.
        method: how to align.
        roi: what is inspected, and by what parts are aligned; None for the whole picture.
        steps: shows the progress.
        reference: the picture on which `roi` or a mask was drawn; None to take the good that agrees best with the others.
        seed: draws the goods among which the reference is chosen.

    Raises:
        BadConfig: goods differ in size, or some cannot be aligned; names the worst.
        BadPicture: a file cannot be read.
    """
    chosen = reference or _choose([good.path for good in goods], method, roi, seed)
    picture = read_picture(chosen)
    box = _box(picture, chosen, roi)
    align = _wide(picture, chosen, method, box)
    results = [(good.path, align(_read_like(picture, good.path))) for good in steps.track(goods, "aligning goods")]
    alignments = [result for _, result in results if isinstance(result, Alignment)]
    if lost := [(result.agreement, path, result.detail) for path, result in results if isinstance(result, NotAligned)]:
        _, worst, detail = min(lost)
        raise BadConfig(
            f"alignment: {len(lost)} of {len(goods)} good pictures cannot be aligned with {chosen.name}, worst {worst} "
            f"({detail}); remove them, choose a region that all parts share, or align by another method."
        )
    grey = to_grey(picture)
    card = _limits(alignments, method, box, max(_STRANGERS, look_alike(grey, box)))
    return Learned(card, grey, chosen, _sentence(alignments, chosen))


def look_alike(reference: Grey, box: RoiCard) -> float:
    """The agreement that the box reaches at another place of its own picture, H×W: high where a pattern repeats itself.

    Only peaks count, since next to the right place everything agrees.
    """
    factor = factor_to(_LOOKED_SIDE, box.height, box.width)
    small = shrunk(reference, factor)
    down, across = small.shape[0] // 2, small.shape[1] // 2
    around = cv2.copyMakeBorder(small, down, down, across, across, cv2.BORDER_REPLICATE)
    template = structure(shrunk(cut(reference, box), factor))
    places = cv2.matchTemplate(structure(np.asarray(around, np.uint8)), template, cv2.TM_CCOEFF_NORMED)
    peaks = places[places == cv2.dilate(places, np.ones((_PEAK, _PEAK), np.uint8))]
    return float(np.sort(peaks)[-2]) if len(peaks) > 1 else 0.0


def _choose(paths: list[Path], method: AlignmentMethod, roi: RoiCard | None, seed: int) -> Path:
    """The one of a few goods whose median agreement with the others is highest."""
    drawn = np.random.default_rng(seed).permutation(len(paths))[:_CANDIDATES]
    candidates: list[Path] = [paths[at] for at in sorted(drawn.tolist())]
    first = read_picture(candidates[0])
    box = _box(first, candidates[0], roi)
    pictures = [_read_like(first, path) for path in candidates]
    medians = []
    for path, picture in zip(candidates, pictures, strict=True):
        align = _wide(picture, path, method, box)
        medians.append(float(np.median([align(other).agreement for other in pictures])))
    return candidates[medians.index(max(medians))]


def _wide(picture: Pixels, path: Path, method: AlignmentMethod, box: RoiCard) -> Aligner:
    """An aligner to `picture` that looks as far as it can."""
    card = AlignmentCard(
        method=method,
        largest_shift_px=_WIDE_SHIFT * min(box.width, box.height),
        largest_rotation_deg=_WIDE_ROTATION_DEG[method],
        scale_min=1 / _WIDE_SCALE,
        scale_max=_WIDE_SCALE,
        largest_outside=_WIDE_OUTSIDE,
        least_agreement=_LEAST_GOOD,
    )
    try:
        return open_aligner(card, to_grey(picture), box)
    except BadConfig as err:
        raise BadConfig(f"{path}: {err}") from None


def _limits(alignments: list[Alignment], method: AlignmentMethod, box: RoiCard, wrong: float) -> AlignmentCard:
    motions = [a.motion for a in alignments]
    worst = min(a.agreement for a in alignments)
    shift = max(m.shift_px for m in motions)
    rotation = max(m.rotation_deg for m in motions)
    outside = max(m.outside for m in motions)
    smallest, largest = min(m.scale_min for m in motions), max(m.scale_max for m in motions)
    return AlignmentCard(
        method=method,
        largest_shift_px=max(_MARGIN * shift, shift + _SHIFT_FLOOR * max(box.width, box.height)),
        largest_rotation_deg=min(180.0, max(_MARGIN * rotation, rotation + _ROTATION_FLOOR_DEG)),
        scale_min=1 - max(_MARGIN * (1 - smallest), 1 - smallest + _SCALE_FLOOR),
        scale_max=1 + max(_MARGIN * (largest - 1), largest - 1 + _SCALE_FLOOR),
        largest_outside=max(_MARGIN * outside, outside + _OUTSIDE_FLOOR),
        # Halfway from the worst good down to what a wrong place or part would reach: room for a defect.
        least_agreement=(worst + wrong) / 2,
    )


def _sentence(alignments: list[Alignment], chosen: Path) -> str:
    shift = max(a.motion.shift_px for a in alignments)
    rotation = max(a.motion.rotation_deg for a in alignments)
    worst = min(a.agreement for a in alignments)
    return (
        f"All {len(alignments)} good pictures align with {chosen.name}: they shift by up to {shift:.1f} px, turn by up to "
        f"{rotation:.1f}°, and agree by {worst:.2f} or more."
    )


def _box(picture: Pixels, path: Path, roi: RoiCard | None) -> RoiCard:
    height, width = picture.shape[:2]
    if roi is None:
        return RoiCard(x=0, y=0, width=width, height=height)
    if not roi.inside(width, height):
        raise BadConfig(f"roi: reaches beyond the {width}×{height} pixels of {path}; draw it on one of the pictures.")
    return roi


def _read_like(picture: Pixels, path: Path) -> Pixels:
    """The picture of `path`, refused if it is not as large as `picture`."""
    pixels = read_picture(path)
    if pixels.shape != picture.shape:
        sizes = f"{pixels.shape[1]}×{pixels.shape[0]} pixels, others {picture.shape[1]}×{picture.shape[0]}"
        raise BadConfig(f"{path}: has {sizes}; alignment needs pictures of one size.")
    return pixels
