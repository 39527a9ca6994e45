"""The page of a map."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from calibration.atlas.chart import Colour, scatter
from calibration.atlas.gather import Gathered, Seen, Unseen
from calibration.atlas.outsiders import NEIGHBOURS, Outsider
from calibration.atlas.reduce import Plane
from calibration.atlas.words import count_outside, made, meaning, where, why_outside
from calibration.page.blocks import Block, Chart, Facts, Gallery, Page, Section, Shown, Table, Text, Tone
from calibration.page.cards import recipe_card
from calibration.page.pictures import jpeg
from edge.capture.pictures import read_picture
from edge.recipe.recipe import Recipe
from edge.types import Decision

_MOST_ROWS, _MOST_SHOWN = 50, 12
_SHOWN_SIDE = 240

TONES: dict[Decision, Tone] = {Decision.OK: "good", Decision.NOK: "bad", Decision.NOT_DECIDABLE: "warn"}
"""How a verdict is coloured."""


def map_page(recipe: Recipe, gathered: Gathered, plane: Plane, found: Sequence[Outsider], colour: Colour) -> Page:
    """A whole page; the outsiders' pictures are read again, larger than on the map."""
    lead = Text(count_outside(found, gathered), "warn" if found or gathered.unseen else "good")
    sections = [
        _map(gathered, plane, colour),
        _outside(gathered, found),
        _groups(gathered, found),
        *([_not_there(gathered.unseen)] if gathered.unseen else []),
        _how(gathered, plane),
        recipe_card(recipe.manifest, recipe.id),
    ]
    return Page(f"Map of {len(gathered.seen)} pictures", lead, tuple(sections))


def _map(gathered: Gathered, plane: Plane, colour: Colour) -> Section:
    caption = (
        "A mark is a picture: its shape is the verdict, its colour the "
        f"{colour}. Point at one to see it; draw around some with the lasso to list their names; click a name in the legend "
        "to hide its group."
    )
    return Section("Map", (Chart(scatter(plane, gathered.seen, colour), caption), Text(meaning(plane))))


def _outside(gathered: Gathered, found: Sequence[Outsider]) -> Section:
    why = Text(
        f"Asked of the whole embedding, not of the map. Amid others: more than half of its nearest pictures (up to "
        f"{NEIGHBOURS}, at most as many as its kind can give) are of other kinds; look whether its label is right, or "
        "whether the encoder cannot tell these kinds apart. Far: its distance to the nearest of its own "
        "kind is unusual there."
    )
    if not found:
        return Section("Far from their kind", (why, Text("No picture does.", "good")))
    rows = tuple(_row(gathered.seen[each.number], each) for each in found[:_MOST_ROWS])
    blocks: list[Block] = [why, Table(("picture", "group", "verdict", "score", "where"), rows, frozenset({3}))]
    if len(found) > _MOST_ROWS:
        blocks.append(Text(f"The first {_MOST_ROWS} of {len(found)}; --json has all."))
    for kind in dict.fromkeys(gathered.kinds):
        of_kind = [each for each in found if gathered.kinds[each.number] == kind]
        if of_kind:
            most = f", the first {_MOST_SHOWN}" if len(of_kind) > _MOST_SHOWN else ""
            blocks.append(Text(f"{kind}: {len(of_kind)} far from their kind{most}"))
            blocks.append(Gallery(tuple(_shown(gathered.seen[each.number], each) for each in of_kind[:_MOST_SHOWN])))
    return Section("Far from their kind", tuple(blocks))


def _row(seen: Seen, outsider: Outsider) -> tuple[str, ...]:
    return seen.picture.path.name, seen.picture.group, str(seen.decision), in_digits(seen.score), where(outsider)


def _shown(seen: Seen, outsider: Outsider) -> Shown:
    pixels = read_picture(seen.picture.path)
    title = f"{seen.picture.path.name} ({seen.picture.group})"
    caption = f"{seen.decision}{score_words(seen.score)}. {why_outside(outsider).capitalize()}."
    return Shown(jpeg(pixels, _SHOWN_SIDE), title, caption, TONES[seen.decision])


def _groups(gathered: Gathered, found: Sequence[Outsider]) -> Section:
    amid = Counter(gathered.groups[each.number] for each in found if each.how == "amid")
    rows = []
    for group, pictures in Counter(gathered.groups).items():
        members = [each for each in gathered.seen if each.picture.group == group]
        verdicts = Counter(each.decision for each in members)
        scores = [each.score for each in members if math.isfinite(each.score)]
        median = in_digits(float(np.median(scores)) if scores else math.nan)
        rows.append((group, str(pictures), *(str(verdicts[decision]) for decision in Decision), median, str(amid[group])))
    head = ("group", "pictures", *map(str, Decision), "median score", "amid others")
    return Section("Groups", (Table(head, tuple(rows), frozenset(range(1, len(head)))),))


def _not_there(unseen: Sequence[Unseen]) -> Section:
    rows = tuple((each.picture.path.name, each.picture.group, str(each.reason), each.detail) for each in unseen[:_MOST_ROWS])
    more = f"The first {_MOST_ROWS} of {len(unseen)}; --json has all." if len(unseen) > _MOST_ROWS else ""
    table = Table(("picture", "group", "reason", "detail"), rows)
    return Section("Not on the map", (table, *([Text(more)] if more else [])))


def _how(gathered: Gathered, plane: Plane) -> Section:
    rows = (
        ("plane", made(plane)),
        (
            "embedding",
            f"{gathered.embeddings.shape[1]} numbers of the recipe's encoder for the picture as the device looks at it",
        ),
        ("scaling", "each number with mean 0 and standard deviation 1 over these pictures, since their spreads differ"),
    )
    return Section("How the map was made", (Facts(rows),))


def in_digits(score: float) -> str:
    """A score in a table."""
    return f"{score:.2f}" if math.isfinite(score) else "-"


def score_words(score: float) -> str:
    """A score behind a verdict, if there is one."""
    return f", score {score:.2f}" if math.isfinite(score) else ""
