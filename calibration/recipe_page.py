"""A new recipe as a page: its promise, the scores behind it, what was chosen and why, its golden pictures."""

from calibration.page.blocks import Gallery, Page, Section, Shown, Table, Text
from calibration.page.cards import recipe_card
from calibration.page.pictures import jpeg
from calibration.threshold.choose import Asked, choose_threshold
from calibration.threshold.page import stricter_promises, threshold_scores
from calibration.threshold.parts import Parts, by_part
from edge.inspect.judge import judge
from edge.inspect.refine import NotAligned
from edge.recipe.manifest import GoldenCard
from edge.recipe.recipe import Recipe
from edge.report.overlay import overlay
from edge.types import Pixels


def recipe_page(recipe: Recipe, asked: Asked) -> Page:
    """What `build` made of what was asked of its threshold."""
    manifest = recipe.manifest
    goods = manifest.goods.held_out
    parts = Parts(goods, by_part(goods))
    chosen = choose_threshold(parts, asked)
    golden = Gallery(tuple(_golden(recipe, card, pixels) for card, pixels in recipe.golden))
    return Page(
        f"Recipe {manifest.name}",
        Text(manifest.promise.sentence(), "good"),
        (
            threshold_scores(parts, chosen),
            stricter_promises(chosen),
            Section("Judgement", (Text(manifest.judgement.why), *_ways(recipe))),
            Section("Search", (_searches(recipe), Text(_EXACT))),
            Section("Golden pictures", (Text(_GOLDEN), golden)),
            recipe_card(manifest, recipe.id),
        ),
    )


_EXACT = "Whatever the search misses, the score equals a comparison with every good patch; only its time depends on this."
_GOLDEN = "The lowest, the median and the highest held-out good. Every device must reproduce their scores before it starts."


def _ways(recipe: Recipe) -> tuple[Table, ...]:
    tried = recipe.manifest.judgement.tried
    rows = tuple((way.way, f"{way.auroc:.3f}") for way in tried)
    return (Table(("way to judge", "AUROC on goods left out"), rows, frozenset({1})),) if tried else ()


def _searches(recipe: Recipe) -> Table:
    rows = tuple((t.search, f"{t.time:.2f}", f"{t.recall:.2f}") for t in recipe.manifest.bank.search.audit.tried)
    return Table(("search", "time, to the chosen one's", "recall before it looks again"), rows, frozenset({1, 2}))


def _golden(recipe: Recipe, card: GoldenCard, pixels: Pixels) -> Shown:
    measured, threshold = recipe.measure(pixels), recipe.manifest.threshold
    if isinstance(measured, NotAligned):
        return Shown(jpeg(pixels), card.file, measured.detail, "bad")
    height, width = pixels.shape[:2]
    return Shown(
        jpeg(overlay(pixels, judge(*measured, threshold, width, height), threshold)), card.file, f"{card.score:.3f}"
    )
