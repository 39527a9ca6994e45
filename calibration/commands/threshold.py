"""goodpart calibrate threshold."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.threshold.choose import Chosen, Method

_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
_ABOVE_ZERO = click.FloatRange(0, min_open=True)


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option(
    "--method",
    type=click.Choice(["guarantee", "conformal", "labelled", "cost", "manual"]),
    default="guarantee",
    show_default=True,
    help="How the threshold is chosen, see above.",
)
@click.option(
    "--max-false-reject", type=_SHARE, default=0.05, show_default=True, help="Share of goods that may be rejected."
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.95,
    show_default=True,
    help="How sure the promise must be.",
)
@click.option("--goods", type=click.Path(path_type=Path), help="Further good parts that are not in the recipe.")
@click.option("--defects", type=click.Path(path_type=Path), help="Labelled defects, in a folder or one for each kind.")
@click.option(
    "--max-escape", type=_SHARE, default=0.05, show_default=True, help="labelled: share of defects that may escape."
)
@click.option("--escape-cost", type=_ABOVE_ZERO, help="cost: of one defect that is judged good.")
@click.option(
    "--false-reject-cost", type=_ABOVE_ZERO, default=1.0, show_default=True, help="cost: of one good part rejected."
)
@click.option("--defect-rate", type=_SHARE, help="cost: share of parts on the line that are defective.")
@click.option("--value", type=float, help="manual: the threshold.")
@click.option("--reason", help="manual: why, and who decided; it is kept in the recipe.")
@click.option("--gray", type=_SHARE, help="Share of goods that a person may have to look at: makes a gray zone.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the resampling for `cost`.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Recipe folder to write with the new threshold.")
@click.option("--force", is_flag=True, help="Replace a recipe that is there already, also RECIPE itself.")
@page_option
@as_json_option
def threshold(
    recipe: Path,
    method: "Method",
    max_false_reject: float,
    confidence: float,
    goods: Path | None,
    defects: Path | None,
    max_escape: float,
    escape_cost: float | None,
    false_reject_cost: float,
    defect_rate: float | None,
    value: float | None,
    reason: str | None,
    gray: float | None,
    seed: int,
    out: Path | None,
    force: bool,
    page: Path | None,
    as_json: bool,
) -> None:
    """Choose RECIPE's threshold anew, and say in a paragraph what it is worth.

    \b
    guarantee  95 % sure that at most 5 % of goods are rejected (order statistics)
    conformal  the next good part is rejected with at most 5 % (fewer goods, weaker)
    labelled   95 % sure that at most 5 % of defects like --defects escape
    cost       cheapest by --escape-cost, --false-reject-cost and --defect-rate
    manual     --value, for a --reason

    Nothing is changed without --out. Several pictures of one part count once, by the highest of their scores.
    """  # noqa: D301 - click wants the backspace character itself
    from calibration.page.render import write_page
    from calibration.progress import steps
    from calibration.seal import may_write
    from calibration.threshold.choose import Asked, choose_threshold
    from calibration.threshold.page import threshold_page
    from calibration.threshold.parts import gather
    from calibration.threshold.reseal import reseal
    from calibration.threshold.words import threshold_in_words
    from edge.recipe.recipe import open_recipe

    if out:
        may_write(out, force=force)
    asked = Asked(
        method,
        max_false_reject,
        confidence,
        max_escape,
        escape_cost,
        false_reject_cost,
        defect_rate,
        value,
        reason,
        gray,
        seed,
    )
    opened = open_recipe(recipe)
    with steps() as shown:
        parts = gather(opened, goods, defects, shown)
    chosen = choose_threshold(parts, asked)
    manifest, identity = opened.manifest, opened.id
    if out:
        manifest, identity = reseal(recipe, out, chosen, parts, force=force)
    target = page_path(page, "threshold", recipe)
    write_page(threshold_page(manifest, identity, parts, chosen), target)
    if as_json:
        click.echo(_as_json(chosen, out, target))
    else:
        written = f"\nrecipe: {out}{_unsigned(recipe)}" if out else ""
        click.echo(f"{threshold_in_words(manifest, identity, chosen)}{written}\npage: {target}")


def _unsigned(before: Path) -> str:
    from edge.recipe.signature import SIGNATURE_FILE

    signed_before = (before / SIGNATURE_FILE).exists()
    return ", not signed yet: goodpart sign --recipe" if signed_before else ""


def _as_json(chosen: "Chosen", out: Path | None, page: Path) -> str:
    from math import isfinite

    band = [end if isfinite(end) else None for end in chosen.band] if chosen.band else None
    return json.dumps(
        {
            "threshold": chosen.threshold,
            "promise": chosen.promise.model_dump() | {"sentence": chosen.promise.sentence()},
            "gray_zone": chosen.gray_zone.model_dump() if chosen.gray_zone else None,
            "rejected": chosen.rejected,
            "band": band,
            "escapes": asdict(chosen.escapes) if chosen.escapes else None,
            "steps": [asdict(step) for step in chosen.steps],
            "recipe": str(out) if out else None,
            "page": str(page),
        }
    )
