"""The page of a picture's likenesses."""

from collections.abc import Sequence
from pathlib import Path

from calibration.atlas.map_page import TONES, score_words
from calibration.atlas.similar import Alike, Supplier
from calibration.page.blocks import Gallery, Page, Section, Shown, Text
from calibration.page.cards import recipe_card
from calibration.page.pictures import jpeg
from calibration.sight import Sight
from edge.capture.pictures import read_picture
from edge.recipe.recipe import Recipe
from edge.types import Pixels

_SIDE = 240


def alike_page(recipe: Recipe, sight: Sight, pixels: Pixels, found: Sequence[Alike], compared: int) -> Page:
    """The nearest of `compared` pictures, which are read again, larger."""
    nearest = found[0]
    lead = Text(
        f"Of {compared} pictures the nearest to {sight.path.name} is {nearest.seen.picture.path.name} "
        f"({nearest.seen.picture.group}), at a cosine distance of {nearest.distance:.4f}."
    )
    shown = tuple(
        Shown(
            jpeg(read_picture(each.seen.picture.path), _SIDE),
            f"{number}. {each.seen.picture.path.name} ({each.seen.picture.group})",
            f"distance {each.distance:.4f}. {each.seen.decision}{score_words(each.seen.score)}.",
            TONES[each.seen.decision],
        )
        for number, each in enumerate(found, start=1)
    )
    why = Text(
        "By the cosine distance of whole-picture embeddings: 0 is the same direction, 1 nothing in common. It sees what "
        "fills the picture, and little of a small defect."
    )
    return _page(recipe, sight, pixels, lead, Section("Nearest pictures", (why, Gallery(shown))))


def suppliers_page(recipe: Recipe, sight: Sight, pixels: Pixels, found: Sequence[Supplier], places: int) -> Page:
    """The good pictures of the bank that supply the nearest patches, as the recipe's thumbnails show them."""
    first = found[0]
    lead = Text(
        f"Of the good pictures in the bank, {first.picture} supplies the patches nearest to {sight.path.name} at "
        f"{first.places} of {places} places, more than any other."
    )
    shown = tuple(
        Shown(
            jpeg(recipe.thumbnail(each.number), _SIDE),
            f"{number}. {each.picture}",
            f"{each.places} of {places} places, mean distance {each.distance:.2f}; {each.in_bank} of its patches are kept.",
        )
        for number, each in enumerate(found, start=1)
    )
    why = Text(
        "By patches: for each place of the picture the nearest good patch of the whole bank, searched exactly. A good "
        "picture of which the bank kept many patches can win often. Pictures are small because a recipe keeps no "
        "larger ones."
    )
    return _page(recipe, sight, pixels, lead, Section("Nearest good pictures of the bank", (why, Gallery(shown))))


def _page(recipe: Recipe, sight: Sight, pixels: Pixels, lead: Text, nearest: Section) -> Page:
    verdict = sight.verdict
    this = Shown(
        jpeg(pixels),
        sight.path.name,
        f"{verdict.decision} {verdict.reason}{score_words(sight.score)}.",
        TONES[verdict.decision],
    )
    sections = (Section("The picture", (Gallery((this,)),)), nearest, recipe_card(recipe.manifest, recipe.id))
    return Page(f"Pictures like {Path(sight.path).name}", lead, sections)
