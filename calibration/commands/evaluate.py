"""goodpart calibrate evaluate."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option

if TYPE_CHECKING:
    from calibration.evaluate import Evaluation


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("test_dir", type=click.Path(path_type=Path))
@as_json_option
def evaluate(recipe: Path, test_dir: Path, as_json: bool) -> None:
    """Judge the labelled pictures in TEST_DIR with RECIPE as the device would.

    TEST_DIR holds good/ and one folder for each kind of defect; masks may stand in ground_truth/KIND/NAME_mask.png, in
    TEST_DIR or beside it.
    """
    from calibration.evaluate import evaluate as judge_all
    from calibration.progress import steps
    from calibration.words import evaluation_in_words
    from edge.recipe.recipe import open_recipe

    opened = open_recipe(recipe)
    with steps() as shown:
        evaluation = judge_all(opened, test_dir, shown)
    click.echo(_evaluation_as_json(evaluation) if as_json else evaluation_in_words(evaluation))


def _evaluation_as_json(found: "Evaluation") -> str:
    summary = asdict(found)
    del summary["judged"]
    pictures = [
        {"path": str(j.path), "kind": j.kind, "verdict": j.decision, "score": j.score if j.score == j.score else None}
        for j in found.judged
    ]
    return json.dumps(summary | {"pictures": pictures})
