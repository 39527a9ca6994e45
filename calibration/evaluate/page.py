"""An evaluation as a page."""

import numpy as np
from threadpoolctl import threadpool_limits

from calibration.evaluate.evaluate import Evaluation
from calibration.evaluate.folders import GOOD
from calibration.evaluate.judged import Judged
from calibration.evaluate.sweep import Row, curves, ranking, scores_of, sweep
from calibration.evaluate.words import counted, lead, notes, number, rate
from calibration.page.blocks import Block, Chart, Facts, Gallery, Page, Section, Shown, Table, Text, Tone
from calibration.page.cards import recipe_card
from calibration.page.charts import curve, histogram, roc
from calibration.page.pictures import jpeg
from calibration.progress import Steps
from calibration.sight import see
from edge.recipe.manifest import Manifest
from edge.recipe.recipe import Recipe
from edge.report.overlay import overlay
from edge.types import Decision

_WORST = 12


def evaluation_page(recipe: Recipe, found: Evaluation, steps: Steps) -> Page:
    """Rates, scores, ROC, the sweep, and the worst parts with their maps, which are looked at once more."""
    manifest = recipe.manifest
    worst = _worst(found)
    with threadpool_limits(1):
        pictures = {
            j.path: _shown(recipe, j) for j in steps.track([j for group in worst.values() for j in group], "drawing")
        }
    galleries = [
        Section(title, (Gallery(tuple(pictures[j.path] for j in group)),)) for title, group in worst.items() if group
    ]
    return Page(
        f"Evaluation of {manifest.name}",
        Text(lead(found), "warn" if notes(found) else "plain"),
        (
            Section("Results", (_facts(found), _by_kind(found))),
            Section("Scores", _charts(found, recipe)),
            Section("Other thresholds", tuple(_sweep(found, manifest))),
            *galleries,
            Section("Promise", (Text(manifest.promise.sentence()),)),
            recipe_card(manifest, recipe.id),
        ),
    )


_SWEEP = (
    "What other thresholds would have done on these parts. A threshold that was picked because it looks best here "
    "promises less than it shows; `goodpart calibrate threshold` chooses one with a promise."
)

_GRAY = (
    "The gray zone, from {:.4f} on, is carried along: it is chosen by the goods alone, so with another threshold it begins "
    "at the same score and ends at that threshold. Parts in it are NOT_DECIDABLE, neither rejected nor escaped."
)


def _worst(found: Evaluation) -> dict[str, list[Judged]]:
    """Of a part with several pictures the one of the highest score."""
    ranked = sorted((part.worst for part in found.parts if part.worst), key=lambda j: j.score)
    goods, defects = [j for j in ranked if j.kind == GOOD], [j for j in ranked if j.kind != GOOD]
    return {
        "Goods that look worst": goods[: -_WORST - 1 : -1],
        "Defects that look best": defects[:_WORST],
        "Not decidable": [j for j in found.judged if j.decision is Decision.NOT_DECIDABLE and np.isfinite(j.score)][:_WORST],
    }


def _shown(recipe: Recipe, judged: Judged) -> Shown:
    sight = see(recipe, judged.path)
    assert sight.pixels is not None  # noqa: S101 - it was measured before
    picture = overlay(sight.pixels, sight.verdict, recipe.manifest.threshold)
    caption = f"{judged.kind}: {judged.decision} {judged.reason}, score {judged.score:.3f}"
    return Shown(jpeg(picture), judged.path.name, caption, _tone(judged))


def _tone(judged: Judged) -> Tone:
    if judged.decision is Decision.NOT_DECIDABLE:
        return "warn"
    return "good" if (judged.decision is Decision.OK) is (judged.kind == GOOD) else "bad"


def _facts(found: Evaluation) -> Facts:
    kinds = len(found.escape_by_kind)
    return Facts(
        (
            ("image AUROC", number(found.image_auroc)),
            ("pixel AUROC", number(found.pixel_auroc)),
            ("AUPRO, up to 30 % false positives", number(found.aupro)),
            ("false rejects", rate(found.false_reject)),
            ("escapes", rate(found.escape)),
            ("not decidable", f"{found.not_decidable} of {len(found.parts)}"),
            ("pictures", f"{counted(found)}; {kinds} {'kind' if kinds == 1 else 'kinds'} of defect"),
        )
    )


def _by_kind(found: Evaluation) -> Block:
    rows = tuple((kind, f"{each.count} of {each.total}", rate(each)) for kind, each in found.escape_by_kind.items())
    return Table(("kind of defect", "escaped", "share"), rows, frozenset({1})) if rows else Text("No defects were given.")


def _charts(found: Evaluation, recipe: Recipe) -> tuple[Block, ...]:
    threshold, gray = recipe.manifest.threshold, recipe.manifest.gray_zone
    scores = {
        name: values
        for name, good in (("good", True), ("defects", False))
        if len(values := scores_of(found.parts, good=good))
    }
    if not scores:
        return (Text("No picture could be measured.", "bad"),)
    drawn = histogram(scores, y="parts", threshold=threshold, gray_from=gray.above if gray else None)
    charts = [Chart(drawn, "One score for each part. Right of the threshold a part is rejected.")]
    if len(scores) == 2:  # noqa: PLR2004 - both classes
        drawn = roc(*ranking(found.parts), f"AUROC {found.image_auroc:.4f}")
        charts.append(Chart(drawn, "Every threshold: goods rejected, defects caught."))
        levels, rejected, escaped = curves(found.parts, gray.above if gray else None)
        lines = {"goods rejected": rejected, "defects escaped": escaped}
        both = curve(levels, lines, x_name="threshold", y_name="share", threshold=threshold)
        flat = " No defect in the gray zone escapes, however high the threshold is." if gray else ""
        charts.append(Chart(both, f"The higher the threshold, the fewer false rejects and the more escapes.{flat}"))
    return tuple(charts)


def _sweep(found: Evaluation, manifest: Manifest) -> list[Block]:
    gray = manifest.gray_zone
    found_rows = sweep(found.parts, manifest.threshold, gray.above if gray else None)
    rows = tuple(
        (
            f"{row.threshold:.4f}" + (" (the recipe's)" if row.threshold == manifest.threshold else ""),
            row.false_reject.short() if row.false_reject else "-",
            row.escape.short() if row.escape else "-",
            _undecided(row),
        )
        for row in found_rows
    )
    head = ("threshold", "false rejects (95 % interval)", "escapes (95 % interval)", "not decidable")
    said = [Text(_SWEEP), *([Text(_GRAY.format(gray.above))] if gray else [])]
    return [*said, Table(head, rows)]


def _undecided(row: Row) -> str:
    named = (("goods", row.goods_undecided), ("defects", row.defects_undecided))
    return ", ".join(f"{each.count} of {each.total} {name}" for name, each in named if each)
