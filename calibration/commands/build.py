"""goodpart calibrate build."""

import re
from pathlib import Path

import click

from calibration.commands.shared import as_json_option


@click.command()
@click.argument("good_dir", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Recipe folder to make.")
@click.option("--name", help="The recipe's name  [default: the name of the folder]")
@click.option(
    "--encoder", type=click.Path(path_type=Path), help="Folder made by `goodpart export`  [default: the shipped one]"
)
@click.option("--held-out", type=click.Path(path_type=Path), help="Goods for the threshold  [default: drawn from GOOD_DIR]")
@click.option(
    "--exclude",
    type=click.Path(path_type=Path),
    help="List of pictures to leave out, one file name a line, as `goodpart calibrate audit` writes it.",
)
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
    type=click.Choice(["auto", "top1", "max"]),
    default="auto",
    show_default=True,
    help="Mean of the highest 1 % of patch values, or the highest one.",
)
@click.option(
    "--scaling",
    type=click.Choice(["auto", "none", "half", "full"]),
    default="auto",
    show_default=True,
    help="Features as they are, divided by the root of their standard deviation, or by all of it.",
)
@click.option(
    "--spread",
    type=click.Choice(["auto", "place", "everywhere"]),
    default="auto",
    show_default=True,
    help="What goods vary by at each place, or in the whole picture.",
)
@click.option("--defects", type=click.Path(path_type=Path), help="Pictures of known defects, to choose the three above by.")
@click.option("--roi", metavar="X,Y,WIDTH,HEIGHT", help="Region of interest in pixels  [default: the whole picture]")
@click.option("--mask", type=click.Path(path_type=Path), help="Picture of the pictures' size: white where to inspect.")
@click.option(
    "--align",
    type=click.Choice(["template", "keypoints"]),
    help="Find parts that move: they shift and turn a little, or turn freely, come nearer or tilt.",
)
@click.option(
    "--reference", type=click.Path(path_type=Path), help="Good picture that --roi and --mask were drawn on, to align with."
)
@click.option(
    "--tiles",
    default="auto",
    show_default=True,
    metavar="ROWSxCOLS",
    help="Cut the picture for the encoder; each tile costs one run of it. auto keeps long narrow parts from being squashed.",
)
@click.option("--bank-most", type=click.IntRange(1), default=20_000, show_default=True, help="Good patches kept at most.")
@click.option("--part-pattern", help="Regular expression for file names with a group `part`  [default: PART__anything]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the split and the coreset.")
@click.option("--force", is_flag=True, help="Replace a recipe that is there already.")
@click.option("--explain", is_flag=True, help="Say what was chosen and why.")
@click.option("--page", type=click.Path(path_type=Path), help="HTML page to write  [default: OUT.html]")
@as_json_option
def build(
    good_dir: Path,
    out: Path,
    name: str | None,
    encoder: Path | None,
    held_out: Path | None,
    exclude: Path | None,
    max_false_reject: float,
    confidence: float,
    score: str,
    scaling: str,
    spread: str,
    defects: Path | None,
    roi: str | None,
    mask: Path | None,
    align: str | None,
    reference: Path | None,
    tiles: str,
    bank_most: int,
    part_pattern: str | None,
    seed: int,
    force: bool,
    explain: bool,
    page: Path | None,
    as_json: bool,
) -> None:
    """Build a recipe from the pictures of good parts in GOOD_DIR.

    Some goods are held out of the bank; their scores make the threshold, with a promise: "95 % sure that at most 5 % of good
    parts are rejected" needs 59 of them. A stricter promise needs more good parts, and is refused when there are too few.
    The page shows the scores behind the threshold, and what was chosen and why.
    """
    from calibration.build import Plan
    from calibration.build import build as make
    from calibration.goods import PART_PATTERN
    from calibration.options import METHODS, SCALINGS, SCORES, SPREADS, roi_of, tiles_of
    from calibration.page.render import write_page
    from calibration.progress import steps
    from calibration.recipe_page import recipe_page
    from calibration.threshold.choose import Asked
    from calibration.view import ViewPlan
    from calibration.words import explanation, recipe_in_words
    from edge.inspect.encoder import DEFAULT_ENCODER
    from edge.recipe.recipe import open_recipe

    plan = Plan(
        goods=good_dir,
        out=out,
        name=name or re.sub(r"[^A-Za-z0-9._-]", "-", out.resolve().name).lstrip("._-") or "recipe",
        part_pattern=part_pattern or PART_PATTERN,
        held_out=held_out,
        exclude=exclude,
        encoder=encoder or DEFAULT_ENCODER,
        view=ViewPlan(roi_of(roi), mask, METHODS[align], reference, tiles_of(tiles)),
        score=SCORES[score],
        scaling=SCALINGS[scaling],
        smoothing=SPREADS[spread],
        defects=defects,
        bank_most=bank_most,
        max_false_reject=max_false_reject,
        confidence=confidence,
        seed=seed,
        force=force,
    )
    with steps() as shown:
        manifest = make(plan, shown)
    target = page or out.with_name(f"{out.name}.html")
    write_page(recipe_page(open_recipe(out), Asked(max_false_reject=max_false_reject, confidence=confidence)), target)
    words = recipe_in_words(manifest, out) + ("\n" + explanation(manifest) if explain else "")
    click.echo(manifest.model_dump_json() if as_json else f"{words}\npage: {target}")
