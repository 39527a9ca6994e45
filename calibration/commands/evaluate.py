"""goodpart calibrate evaluate."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.evaluate.evaluate import Evaluation


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("test_dir", type=click.Path(path_type=Path))
@page_option
@as_json_option
def evaluate(recipe: Path, test_dir: Path, page: Path | None, as_json: bool) -> None:
    """Judge the labelled pictures in TEST_DIR with RECIPE as the device would.

    TEST_DIR holds good/ and one folder for each kind of defect; masks may stand in ground_truth/KIND/NAME_mask.png, in
    TEST_DIR or beside it. The page shows rates with their intervals, other thresholds, and the worst parts with their maps.
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
        evaluation = judge_all(opened, test_dir, shown)
        write_page(evaluation_page(opened, evaluation, shown), target)
    threshold = opened.manifest.threshold
    words = f"{evaluation_in_words(evaluation)}\npage: {target}"
    click.echo(_as_json(evaluation, threshold, target) if as_json else words)


def _as_json(found: "Evaluation", threshold: float, page: Path) -> str:
    from calibration.evaluate.sweep import sweep

    summary = asdict(found)
    del summary["judged"]
    pictures = [
        {
            "path": str(j.path),
            "kind": j.kind,
            "verdict": j.decision,
            "reason": j.reason,
            "score": j.score if j.score == j.score else None,
        }
        for j in found.judged
    ]
    rows = [asdict(row) for row in sweep(found.judged, threshold)]
    return json.dumps(summary | {"sweep": rows, "pictures": pictures, "page": str(page)})
