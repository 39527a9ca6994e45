"""goodpart calibrate build | evaluate."""

import json
import re
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.errors import BadConfig

if TYPE_CHECKING:
    from calibration.evaluate import Evaluation, Rate
    from edge.recipe.manifest import Manifest

_EXTRA = {"rich": "rich", "scipy": "scipy", "sklearn": "scikit-learn"}

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")


class _NeedsExtra(click.Group):
    """Says which extra is missing instead of an ImportError."""

    def invoke(self, ctx: click.Context) -> object:
        if missing := [package for module, package in _EXTRA.items() if find_spec(module) is None]:
            raise BadConfig(f"calibrate needs {', '.join(missing)}; install them with: pip install 'goodpart[calibrate]'.")
        return super().invoke(ctx)


@click.group(cls=_NeedsExtra)
def calibrate() -> None:
    """Turn good parts into a recipe with a threshold one can sign for."""


@calibrate.command()
@click.argument("good_dir", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Recipe folder to make.")
@click.option("--name", help="The recipe's name  [default: the name of the folder]")
@click.option(
    "--encoder", type=click.Path(path_type=Path), help="Folder made by `goodpart export`  [default: the shipped one]"
)
@click.option("--held-out", type=click.Path(path_type=Path), help="Goods for the threshold  [default: drawn from GOOD_DIR]")
@click.option(
    "--max-false-reject",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Share of good parts that may be rejected.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.95,
    show_default=True,
    help="How sure the promise must be.",
)
@click.option(
    "--score",
    type=click.Choice(["top1", "max"]),
    default="top1",
    show_default=True,
    help="Mean of the highest 1 % of patch values, or the highest one.",
)
@click.option("--bank-most", type=click.IntRange(1), default=10_000, show_default=True, help="Good patches kept at most.")
@click.option("--part-pattern", help="Regular expression for file names with a group `part`  [default: PART__anything]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the split and the coreset.")
@click.option("--force", is_flag=True, help="Replace a recipe that is there already.")
@_JSON
def build(
    good_dir: Path,
    out: Path,
    name: str | None,
    encoder: Path | None,
    held_out: Path | None,
    max_false_reject: float,
    confidence: float,
    score: str,
    bank_most: int,
    part_pattern: str | None,
    seed: int,
    force: bool,
    as_json: bool,
) -> None:
    """Build a recipe from the pictures of good parts in GOOD_DIR.

    Some goods are held out of the bank; their scores make the threshold, with a promise: "95 % sure that at most 5 % of good
    parts are rejected" needs 59 of them. A stricter promise needs more good parts, and is refused when there are too few.
    """
    from calibration.build import Plan
    from calibration.build import build as make
    from calibration.goods import PART_PATTERN
    from calibration.progress import steps
    from edge.inspect.encoder import DEFAULT_ENCODER

    plan = Plan(
        goods=good_dir,
        out=out,
        name=name or re.sub(r"[^A-Za-z0-9._-]", "-", out.resolve().name).lstrip("._-") or "recipe",
        part_pattern=part_pattern or PART_PATTERN,
        held_out=held_out,
        encoder=encoder or DEFAULT_ENCODER,
        score="max" if score == "max" else "top1",
        bank_most=bank_most,
        max_false_reject=max_false_reject,
        confidence=confidence,
        seed=seed,
        force=force,
    )
    with steps() as shown:
        manifest = make(plan, shown)
    click.echo(manifest.model_dump_json() if as_json else _recipe_in_words(manifest, out))


@calibrate.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("test_dir", type=click.Path(path_type=Path))
@_JSON
def evaluate(recipe: Path, test_dir: Path, as_json: bool) -> None:
    """Judge the labelled pictures in TEST_DIR with RECIPE as the device would.

    TEST_DIR holds good/ and one folder for each kind of defect; masks may stand in ground_truth/KIND/NAME_mask.png, in
    TEST_DIR or beside it.
    """
    from calibration.evaluate import evaluate as judge_all
    from calibration.progress import steps
    from edge.recipe.recipe import open_recipe

    opened = open_recipe(recipe)
    with steps() as shown:
        evaluation = judge_all(opened, test_dir, shown)
    click.echo(_evaluation_as_json(evaluation) if as_json else _evaluation_in_words(evaluation))


def _recipe_in_words(manifest: "Manifest", out: Path) -> str:
    goods, bank = manifest.goods, manifest.bank
    return (
        f"{manifest.guarantee.sentence()}\n"
        f"threshold {manifest.threshold:.4f} ({manifest.score}); bank of {bank.vectors} patches out of {bank.patches} from "
        f"{len(goods.bank)} pictures, coverage radius {bank.radius:.3f}; {goods.held_out_pictures} pictures held out; "
        f"seed {goods.seed}\n"
        f"recipe: {out}"
    )


def _evaluation_in_words(found: "Evaluation") -> str:
    lines = [
        f"image AUROC    {_number(found.image_auroc)}",
        f"pixel AUROC    {_number(found.pixel_auroc)}",
        f"false rejects  {_rate(found.false_reject)}",
        f"escapes        {_rate(found.escape)}",
        *(f"  {kind:<12} {_rate(rate)}" for kind, rate in found.escape_by_kind.items()),
        f"not decidable  {found.not_decidable} of {len(found.judged)}",
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return f"{value:.4f}" if value is not None else "- (needs goods, defects and, for pixels, masks)"


def _rate(rate: "Rate | None") -> str:
    if rate is None:
        return "- (no such pictures)"
    return f"{rate.value:7.2%}  ({rate.count} of {rate.total}; 95 % interval {rate.low:.2%} to {rate.high:.2%})"


def _evaluation_as_json(found: "Evaluation") -> str:
    summary = asdict(found)
    del summary["judged"]
    pictures = [
        {"path": str(j.path), "kind": j.kind, "verdict": j.decision, "score": j.score if j.score == j.score else None}
        for j in found.judged
    ]
    return json.dumps(summary | {"pictures": pictures})
