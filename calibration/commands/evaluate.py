"""goodpart calibrate evaluate."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.evaluate.evaluate import Evaluation
    from edge.recipe.manifest import Manifest


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("test_dir", type=click.Path(path_type=Path))
@click.option("--part-pattern", help="Regular expression for file names with a group `part`  [default: the recipe's]")
@page_option
@as_json_option
def evaluate(recipe: Path, test_dir: Path, part_pattern: str | None, page: Path | None, as_json: bool) -> None:
    """Judge the labelled pictures in TEST_DIR with RECIPE as the device would.

    TEST_DIR holds good/ and one folder for each kind of defect; masks may stand in ground_truth/KIND/NAME_mask.png, in
    TEST_DIR or beside it. Several pictures of one part, PART__1.png, PART__2.png and so on, count once, by the worst. The
    page shows rates with their intervals, other thresholds, and the worst pictures with their maps.
    """
    from calibration.evaluate.evaluate import evaluate as judge_all
    from calibration.evaluate.page import evaluation_page
    from calibration.evaluate.words import evaluation_in_words
    from calibration.page.render import write_page
    from calibration.progress import steps
    from edge.recipe.recipe import open_recipe

    opened = open_recipe(recipe)
    target = page_path(page, "evaluate", recipe)
    with steps() as shown:
        evaluation = judge_all(opened, test_dir, shown, part_pattern)
        write_page(evaluation_page(opened, evaluation, shown), target)
    words = f"{evaluation_in_words(evaluation)}\npage: {target}"
    click.echo(_as_json(evaluation, opened.manifest, target) if as_json else words)


def _as_json(found: "Evaluation", manifest: "Manifest", page: Path) -> str:
    from calibration.evaluate.sweep import sweep
    from calibration.evaluate.words import notes
    from calibration.known import as_record

    gray = manifest.gray_zone
    summary = {
        "image_auroc": found.image_auroc,
        "pixel_auroc": found.pixel_auroc,
        "aupro": found.aupro,
        "parts": len(found.parts),
        "false_reject": asdict(found.false_reject) if found.false_reject else None,
        "escape": asdict(found.escape) if found.escape else None,
        "escape_by_kind": {kind: asdict(rate) for kind, rate in found.escape_by_kind.items()},
        "not_decidable": found.not_decidable,
        "known": as_record(found.known),
        "notes": notes(found),
        "sweep": [asdict(row) for row in sweep(found.parts, manifest.threshold, gray.above if gray else None)],
    }
    pictures = [
        {
            "path": str(j.path),
            "part": j.file.part_id,
            "kind": j.kind,
            "verdict": j.decision,
            "reason": j.reason,
            "score": j.score if j.score == j.score else None,
        }
        for j in found.judged
    ]
    return json.dumps(summary | {"pictures": pictures, "page": str(page)})
