"""Scores of good and of defective parts: those the recipe keeps, and those of further pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from calibration.goods import Good, find_goods
from calibration.known import twins
from calibration.progress import Steps
from edge.capture.pictures import SUFFIXES, read_picture
from edge.errors import BadConfig, BadPicture
from edge.inspect.refine import NotAligned
from edge.recipe.manifest import GoodsCard, HeldOutCard
from edge.recipe.recipe import Recipe
from edge.types import Doubles, Reason


@dataclass(frozen=True, slots=True)
class Parts:
    """What a threshold is chosen by. held_out: pictures of goods; defects: one score for each defective part."""

    held_out: tuple[HeldOutCard, ...]
    goods: Doubles
    defects: Doubles = field(default_factory=lambda: np.empty(0, np.float64))


def gather(recipe: Recipe, goods: Path | None, defects: Path | None, steps: Steps) -> Parts:
    """The recipe's own held-out goods, further ones, and defects; a part counts once, by the highest of its scores.

    Raises:
        BadConfig: a folder cannot be used, further goods show parts that are in the bank, or a defect is one of the goods.
        BadPicture: a picture cannot be measured.
    """
    kept = recipe.manifest.goods
    further = _further(recipe, goods) if goods else []
    bad = [file for folder in _folders(defects) for file in find_goods(folder, kept.part_pattern)] if defects else []
    _refuse_own_goods(kept, bad)
    # One thread, as on the device.
    with threadpool_limits(1):
        cards = [
            HeldOutCard(picture=g.path.name, part=g.part_id, sha256=g.sha256, score=_score(recipe, g.path))
            for g in steps.track(further, "scoring goods")
        ]
        scores = [(f"{g.path.parent.name}/{g.part_id}", _score(recipe, g.path)) for g in steps.track(bad, "scoring defects")]
    held_out = (*kept.held_out, *cards)
    return Parts(held_out, by_part(held_out), _highest(scores))


def by_part(held_out: Sequence[HeldOutCard]) -> Doubles:
    """One score for each part: it is rejected when any of its pictures is, so the highest of theirs."""
    return _highest([(card.part, card.score) for card in held_out])


def _further(recipe: Recipe, folder: Path) -> list[Good]:
    """Goods the recipe does not know yet; a copy of one that is held out already counts once."""
    kept = recipe.manifest.goods
    goods = find_goods(folder, kept.part_pattern)
    # Refused on a name alone: a part too few makes a promise weaker, one of the bank makes it a lie.
    if leaks := twins(kept.bank, goods, plain_names=True):
        raise BadConfig(
            f"--goods: {leaks[0].path} shows the same part as {leaks[0].of}, which is in the recipe's bank, so its score "
            f"would be too low; leave it out."
        )
    held_out = {card.sha256 for card in kept.held_out}
    return [good for good in goods if good.sha256 not in held_out]


def _refuse_own_goods(kept: GoodsCard, defects: list[Good]) -> None:
    own = {card.sha256: card.picture for card in kept.bank} | {card.sha256: card.picture for card in kept.held_out}
    if both := next((file for file in defects if file.sha256 in own), None):
        raise BadConfig(
            f"--defects: {both.path} is {own[both.sha256]} among the recipe's good parts; leave it out, or build the recipe "
            f"without it."
        )


def _folders(folder: Path) -> list[Path]:
    """The folder itself if it holds pictures, and those of its folders that do."""
    try:
        inside = sorted(folder.iterdir())
    except OSError as err:
        raise BadConfig(f"--defects: {folder} cannot be listed: {err.strerror}; give a folder of pictures.") from None
    found = [folder] if any(p.suffix.lower() in SUFFIXES for p in inside) else []
    found += [p for p in inside if p.is_dir() and any(q.suffix.lower() in SUFFIXES for q in p.iterdir())]
    if not found:
        raise BadConfig(f"--defects: {folder} holds no pictures, nor folders with pictures; give one that does.")
    return found


def _score(recipe: Recipe, path: Path) -> float:
    measured = recipe.measure(read_picture(path))
    if isinstance(measured, NotAligned):
        raise BadPicture(f"{path}: cannot be aligned: {measured.detail}; leave it out.", Reason.NOT_ALIGNED)
    value = measured[0].value
    if not np.isfinite(value):
        raise BadPicture(f"{path}: its score is {value}; leave it out.", Reason.NOT_FINITE)
    return value


def _highest(scores: list[tuple[str, float]]) -> Doubles:
    highest: dict[str, float] = {}
    for part, score in scores:
        highest[part] = max(score, highest.get(part, score))
    return np.array(list(highest.values()), np.float64)
