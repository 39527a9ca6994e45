"""A comparison as a page."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from calibration.compare import words
from calibration.compare.comparison import Comparison, flips_by_change
from calibration.compare.paired import Pair, ratios
from calibration.evaluate.folders import GOOD
from calibration.page.blocks import Block, Chart, Facts, Gallery, Page, Section, Shown, Table, Text, Tone
from calibration.page.cards import recipe_card
from calibration.page.charts import histogram, pairs
from calibration.page.pictures import jpeg, side_by_side
from calibration.progress import Steps
from edge.capture.sources import shoot_file
from edge.loop import inspect
from edge.recipe.recipe import Recipe
from edge.report.overlay import overlay
from edge.types import Decision, Frame

_MOST_SHOWN = 24


def comparison_page(found: Comparison, a: Recipe, b: Recipe, folder: Path, steps: Steps) -> Page:
    """Lead, rates, flips with both heat maps, scores by thresholds, time, and both recipes."""
    return Page(
        f"Comparison of {a.manifest.name} (A) and {b.manifest.name} (B)",
        Text(words.verdict(found), _tone(found)),
        (
            Section("Rates", (_rates(found), *(Text(note, "warn") for note in words.notes(found)))),
            Section("Verdicts that change", tuple(_flips(found, a, b, steps))),
            Section("Scores by thresholds", tuple(_ratios(found))),
            Section("Time", tuple(_time(found))),
            replace(recipe_card(a.manifest, a.id), title="Recipe A"),
            replace(recipe_card(b.manifest, b.id), title="Recipe B"),
            Section("Pictures", (Facts((("folder", str(folder)),)),)),
        ),
    )


def _tone(found: Comparison) -> Tone:
    """Worse beyond chance in anything is bad, else better beyond chance in anything is good."""
    changes = [c.b.count - c.a.count for c in (found.false_rejects, found.escapes) if c and c.test.beyond_chance]
    if any(change > 0 for change in changes):
        return "bad"
    return "good" if changes else "plain"


def _rates(found: Comparison) -> Facts:
    rows = [
        ("pictures", f"{found.pictures} of {found.parts} parts"),
        ("agreement", words.agreement(found)),
        ("ranks", words.rank_correlation(found)),
        *((name, words.contrast(each)) for name, each in words.contrasts(found)),
    ]
    if found.auroc:
        rows.append(("AUROC", f"{words.auroc(found.auroc)} (DeLong)"))
    return Facts(tuple(rows))


def _flips(found: Comparison, a: Recipe, b: Recipe, steps: Steps) -> list[Block]:
    flipped = flips_by_change(found.pairs)
    if not flipped:
        return [Text("Both recipes give every picture the same verdict.")]
    rows = tuple((kind or "-", was, now, str(count)) for (was, now, kind), count in words.sorted_flips(found))
    blocks: list[Block] = [Table(("kind", "A", "B", "pictures"), rows, frozenset({3}))]
    chosen = flipped[:_MOST_SHOWN]
    with threadpool_limits(1):
        shown = [_both(pair, a, b) for pair in steps.track(chosen, "drawing flips")]
    more = f" The first {_MOST_SHOWN} of {len(flipped)}." if len(flipped) > _MOST_SHOWN else ""
    blocks.append(
        Text(f"Left: A's heat map; right: B's. Numbers are score / threshold; their largest change comes first.{more}")
    )
    blocks.append(Gallery(tuple(s for s in shown if s)))
    unread = [pair.picture.path.name for pair, s in zip(chosen, shown, strict=True) if s is None]
    return [*blocks, Text(f"Not shown, since they cannot be read: {', '.join(unread)}.", "warn")] if unread else blocks


def _both(pair: Pair, a: Recipe, b: Recipe) -> Shown | None:
    shot = shoot_file(pair.picture.path, 0)
    if not isinstance(shot, Frame):
        return None
    drawn = [overlay(shot.pixels, inspect(shot, recipe), recipe.manifest.threshold) for recipe in (a, b)]
    return Shown(jpeg(side_by_side(drawn)), pair.picture.path.name, words.flip_caption(pair), _flip_tone(pair))


def _flip_tone(pair: Pair) -> Tone:
    """Whether B is right where somebody has labelled the picture."""
    if pair.picture.kind is None or not pair.decided:
        return "plain"
    right = Decision.OK if pair.picture.kind == GOOD else Decision.NOK
    return "good" if pair.b.decision is right else "bad"


def _ratios(found: Comparison) -> list[Block]:
    decided = tuple(p for p in found.pairs if p.decided)
    if not decided:
        return [Text("No picture can be judged by both recipes.", "warn")]
    groups = {
        name: ratios(tuple(p for p in decided if (p.picture.kind or "pictures") in kinds))
        for name, kinds in _groups(decided).items()
    }
    drawn = pairs(groups, x="score / threshold of A", y="score / threshold of B", border=1.0)
    caption = f"{words.SCALE} Upper left: NOK for B only; lower right: NOK for A only; dotted: the same ratio for both."
    return [Chart(drawn, caption)]


def _groups(decided: tuple[Pair, ...]) -> dict[str, set[str]]:
    """Goods, each kind of defect, or pictures without a label."""
    kinds = sorted({p.picture.kind or "pictures" for p in decided}, key=lambda kind: (kind != GOOD, kind))
    return {kind: {kind} for kind in kinds}


def _time(found: Comparison) -> list[Block]:
    sentence = words.time(found.latency)
    if found.latency is None:
        return [Text(sentence)]
    times = np.array([p.b.inspect_s / p.a.inspect_s for p in found.pairs if p.decided])
    drawn = histogram({"B / A": times[times < np.quantile(times, 0.99) * 1.5]}, x="time of B / time of A")
    return [Chart(drawn, f"{sentence[0].upper()}{sentence[1:]}. Both judged each picture within a moment, in turn.")]
