"""A threshold as a page."""

import numpy as np

from calibration.page.blocks import Chart, Facts, Page, Section, Table, Text
from calibration.page.cards import recipe_card
from calibration.page.charts import histogram
from calibration.threshold.choose import Chosen, finite_band
from calibration.threshold.parts import Parts
from calibration.threshold.words import band_in_words, paragraph, stricter
from edge.recipe.manifest import Manifest
from edge.recipe.promise import percent

_HIGHEST = 10


def threshold_page(manifest: Manifest, identity: str, parts: Parts, chosen: Chosen) -> Page:
    """The paragraph, the scores with threshold and uncertainty, stricter promises, and the goods nearest to rejection."""
    return Page(
        f"Threshold of {manifest.name}",
        Text(paragraph(manifest, identity, chosen), "good" if chosen.promise.method == "guarantee" else "plain"),
        (
            threshold_scores(parts, chosen),
            stricter_promises(chosen),
            Section("Goods nearest to rejection", (_highest(parts),)),
            recipe_card(manifest, identity),
        ),
    )


def threshold_scores(parts: Parts, chosen: Chosen) -> Section:
    """Where the scores lie, and the threshold with its uncertainty among them."""
    scores = {"held-out goods": parts.goods} | ({"defects": parts.defects} if len(parts.defects) else {})
    gray = chosen.gray_zone.above if chosen.gray_zone else None
    drawn = histogram(scores, y="parts", threshold=chosen.threshold, band=finite_band(chosen, parts), gray_from=gray)
    caption = "One score for each part. Shaded grey: where the threshold could lie with other goods (95 %)."
    return Section("Scores", (Chart(drawn, caption), _facts(parts, chosen)))


def stricter_promises(chosen: Chosen) -> Section:
    """What other promises need."""
    head = ("at most rejected", "held-out parts needed", "threshold")
    table = Table(head, tuple(stricter(step) for step in chosen.steps), frozenset({0, 1, 2}))
    return Section("Stricter and looser promises", (table, Text(_HOW_TO_GET_STRICTER)))


_HOW_TO_GET_STRICTER = (
    "More held-out parts buy a stricter promise: judge further good parts with --goods FOLDER, or build the recipe again "
    "from more. Several pictures of one part count once."
)


def _facts(parts: Parts, chosen: Chosen) -> Facts:
    low, high = chosen.rejected
    rows = [
        ("threshold", f"{chosen.threshold:.4f}"),
        ("95 % band of the threshold", band_in_words(chosen.band)),
        ("good parts rejected", f"{percent(low)} to {percent(high)} (95 % interval)"),
        ("held-out good parts", f"{len(parts.goods)} ({len(parts.held_out)} pictures), {_above(parts, chosen)} above"),
    ]
    if chosen.gray_zone:
        rows.append(("gray zone", f"{chosen.gray_zone.above:.4f} to {chosen.threshold:.4f}"))
    if chosen.escapes:
        rows.append(("labelled defects judged OK", chosen.escapes.words()))
    return Facts(tuple(rows))


def _above(parts: Parts, chosen: Chosen) -> int:
    return int(np.count_nonzero(parts.goods > chosen.threshold))


def _highest(parts: Parts) -> Table:
    cards = sorted(parts.held_out, key=lambda card: -card.score)[:_HIGHEST]
    return Table(("picture", "part", "score"), tuple((c.picture, c.part, f"{c.score:.4f}") for c in cards), frozenset({2}))
