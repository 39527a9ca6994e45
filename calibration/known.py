"""Pictures of parts that a recipe was made from, found among others: what it says of those proves nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from calibration.goods import Good
from edge.recipe.manifest import GoodCard, GoodsCard, HeldOutCard


@dataclass(frozen=True, slots=True)
class Twin:
    """A picture, and the recipe's own that is the same file or shows the same part. of: that one's file name."""

    path: Path
    of: str


@dataclass(frozen=True, slots=True)
class Known:
    """Twins of pictures whose patches are in the bank, and of those that the threshold was chosen by."""

    bank: tuple[Twin, ...]
    held_out: tuple[Twin, ...]


NOTHING_KNOWN = Known((), ())
"""All pictures are new to the recipe."""


def known_among(goods: GoodsCard, pictures: Iterable[Good]) -> Known:
    """Which of these pictures the recipe was made from; pictures are of goods or of defects."""
    listed = tuple(pictures)
    return Known(twins(goods.bank, listed), twins(goods.held_out, listed))


def twins(
    cards: Sequence[GoodCard] | Sequence[HeldOutCard], pictures: Iterable[Good], *, plain_names: bool = False
) -> tuple[Twin, ...]:
    """Pictures that are the same file as one of `cards`, or show the same part.

    plain_names: whether a name that is no more than the part's tells the part as well. Sets of pictures are often numbered
    alike, so that test/good/000.png is another part than the 000.png of a bank.
    """
    files = {card.sha256: card.picture for card in cards}
    parts = {card.part: card.picture for card in cards}
    found = []
    for picture in pictures:
        named = plain_names or picture.part_id != picture.path.stem
        twin = files.get(picture.sha256) or (parts.get(picture.part_id) if named else None)
        if twin:
            found.append(Twin(picture.path, twin))
    return tuple(found)


def warnings(known: Known, whose: str = "the recipe's") -> list[str]:
    """What there is to be warned of, a sentence for the bank and one for the threshold."""
    said = []
    if known.bank:
        said.append(
            f"{_shown(known.bank)} in {whose} bank, which knows such parts by heart and scores them too low: results look "
            "better than they are; take parts that it has not seen."
        )
    if known.held_out:
        said.append(
            f"{_shown(known.held_out)} among {whose} held-out goods, by which its threshold was chosen: that they pass "
            "confirms nothing; take parts that it has not seen."
        )
    return said


def as_record(known: Known) -> dict[str, list[dict[str, str]]]:
    """For JSON: path of each picture, and the name of the recipe's own."""
    return {
        name: [{"path": str(twin.path), "of": twin.of} for twin in found]
        for name, found in (("bank", known.bank), ("held_out", known.held_out))
    }


def _shown(found: Sequence[Twin]) -> str:
    first = found[0]
    name = f"{first.path}" if first.path.name == first.of else f"{first.path}, there {first.of}"
    if len(found) == 1:
        return f"1 picture ({name}) shows a part that is"
    return f"{len(found)} pictures (the first: {name}) show parts that are"
