"""A comparison as a page."""

from collections.abc import Sequence
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

_MOST_DOTS = 2000
"""More cannot be told apart on a screen."""


def comparison_page(found: Comparison, a: Recipe, b: Recipe, sources: Sequence[Path], steps: Steps) -> Page:
    """Lead, rates, flips, scores by thresholds, time, both recipes, and the folder or files that all comes from.

    Flips are shown with both heat maps, or listed where a line has judged, whose pictures are not here.
    """
    flips = _disagreements(found) if found.line else _flips(found, a, b, steps)
    return Page(
        f"Comparison of {a.manifest.name} (A) and {b.manifest.name} (B)",
        Text(words.verdict(found), _tone(found)),
        (
            Section("Rates", (_rates(found), *(Text(note, "warn") for note in words.notes(found)))),
            Section("Verdicts that change", tuple(flips)),
            Section("Scores by thresholds", tuple(_ratios(found))),
            *(() if found.line else (Section("Time", tuple(_time(found))),)),
            replace(recipe_card(a.manifest, a.id), title="Recipe A"),
            replace(recipe_card(b.manifest, b.id), title="Recipe B"),
            Section("Pictures" if found.line is None else "Results", (Facts(tuple(("from", str(s)) for s in sources)),)),
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
        (words.unit(found), words.counted(found)),
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
    blocks: list[Block] = [_kinds_of_flips(found)]
    chosen = flipped[: words.MOST_SHOWN]
    with threadpool_limits(1):
        shown = [_both(pair, a, b) for pair in steps.track(chosen, "drawing flips")]
    more = f" The first {words.MOST_SHOWN} of {len(flipped)}." if len(flipped) > words.MOST_SHOWN else ""
    blocks.append(
        Text(f"Left: A's heat map; right: B's. Numbers are score / threshold; their largest change comes first.{more}")
    )
    blocks.append(Gallery(tuple(s for s in shown if s)))
    unread = [pair.picture.path.name for pair, s in zip(chosen, shown, strict=True) if s is None]
    return [*blocks, Text(f"Not shown, since they cannot be read: {', '.join(unread)}.", "warn")] if unread else blocks


def _kinds_of_flips(found: Comparison) -> Table:
    flips = words.sorted_flips(found)
    if not found.labelled:
        return Table(("A", "B", words.unit(found)), tuple((a, b, str(n)) for (a, b, _), n in flips), frozenset({2}))
    rows = tuple((kind or "-", a, b, str(n)) for (a, b, kind), n in flips)
    return Table(("kind", "A", "B", words.unit(found)), rows, frozenset({3}))


def _disagreements(found: Comparison) -> list[Block]:
    """Which parts to look for among the evidence."""
    if not found.flips:
        return [Text("Both recipes give every part the same verdict.")]
    shown = words.disagreements(found)
    rows = tuple(
        (
            words.when(report.taken_utc),
            report.part_id,
            words.side(pair.a),
            words.side(pair.b),
            report.evidence.path if report.evidence else "-",
        )
        for pair, report in shown
    )
    more = f" The first {len(shown)} of {found.flips.total()}." if len(shown) < found.flips.total() else ""
    said = Text(f"Numbers are score / threshold; their largest change comes first. Evidence lies on the device.{more}")
    return [_kinds_of_flips(found), said, Table(("taken", "part", "A", "B", "evidence"), rows)]


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
    measured = tuple(p for p in found.pairs if p.measured)
    if not measured:
        return [Text("Nothing is measured by both recipes.", "warn")]
    drawn_ones = _thinned(measured)
    groups = {
        kind or words.unit(found): ratios(tuple(p for p in drawn_ones if p.picture.kind == kind))
        for kind in sorted({p.picture.kind for p in drawn_ones}, key=lambda kind: (kind != GOOD, kind or ""))
    }
    drawn = pairs(groups, x="score / threshold of A", y="score / threshold of B", border=1.0)
    caption = f"{words.SCALE} Upper left: NOK for B only; lower right: NOK for A only; dotted: the same ratio for both."
    some = f" Of {len(measured):,} {words.unit(found)} {len(drawn_ones):,} are drawn, those that flip first."
    return [Chart(drawn, caption + (some if len(drawn_ones) < len(measured) else ""))]


def _thinned(measured: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """As many as can be told apart: those that flip, and of the others every so many."""
    flipped, same = [p for p in measured if p.flipped][:_MOST_DOTS], [p for p in measured if not p.flipped]
    step = -(-len(same) // max(1, _MOST_DOTS - len(flipped)))
    return (*flipped, *same[:: max(1, step)])


def _time(found: Comparison) -> list[Block]:
    sentence = words.time(found.latency)
    if found.latency is None:
        return [Text(sentence)]
    times = np.array([p.b.inspect_s / p.a.inspect_s for p in found.pairs if p.measured])
    drawn = histogram({"B / A": times[times < np.quantile(times, 0.99) * 1.5]}, x="time of B / time of A")
    return [Chart(drawn, f"{sentence[0].upper()}{sentence[1:]}. Both judged each picture within a moment, in turn.")]
