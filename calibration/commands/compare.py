"""goodpart calibrate compare."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.compare.comparison import Comparison
    from calibration.compare.paired import Side
    from edge.recipe.recipe import Recipe


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.argument("pictures", type=click.Path(path_type=Path))
@click.option("--part-pattern", help="Regular expression for file names with a group `part`  [default: PART__anything]")
@as_json_option
@page_option
def compare(a: Path, b: Path, pictures: Path, part_pattern: str | None, as_json: bool, page: Path | None) -> None:
    """Judge the same PICTURES with two recipes, A and B, and say what changes and whether it is more than chance.

    PICTURES is a plain folder, or labelled: good/ and one folder for each kind of defect, as for `evaluate`. Take pictures
    that neither recipe was built from. Example, before a smaller bank goes to the line:

    \b
        goodpart calibrate build good/ --out recipes/small --bank-most 2000
        goodpart calibrate compare recipes/cell recipes/small test/
    """  # noqa: D301 - click's own mark for lines that stay as they are
    from calibration.compare.comparison import compare as contrast
    from calibration.compare.page import comparison_page
    from calibration.compare.paired import judge_both, pictures_in
    from calibration.compare.words import in_words
    from calibration.goods import PART_PATTERN
    from calibration.page.render import write_page
    from calibration.progress import steps
    from edge.recipe.recipe import open_recipe

    chosen = pictures_in(pictures, part_pattern or PART_PATTERN)
    opened_a, opened_b = open_recipe(a), open_recipe(b)
    target = page_path(page, "compare", b)
    with steps() as shown:
        found = contrast(judge_both(opened_a, opened_b, chosen, shown), opened_a.manifest, opened_b.manifest)
        write_page(comparison_page(found, opened_a, opened_b, pictures, shown), target)
    if as_json:
        click.echo(_as_json(found, opened_a, opened_b, target))
    else:
        names = (f"{each.manifest.name} {each.id[:12]}" for each in (opened_a, opened_b))
        click.echo(f"{in_words(found, *names)}\npage: {target}")


def _as_json(found: "Comparison", a: "Recipe", b: "Recipe", page: Path) -> str:
    from calibration.compare.words import notes, verdict
    from calibration.known import as_record

    record = {
        "verdict": verdict(found),
        "a": {"name": a.manifest.name, "id": a.id},
        "b": {"name": b.manifest.name, "id": b.id},
        "pictures": found.pictures,
        "parts": found.parts,
        "flips": [{"a": was, "b": now, "kind": kind, "pictures": n} for (was, now, kind), n in found.flips.items()],
        "agreement": asdict(found.agreement),
        "rank_correlation": found.rank_correlation,
        "rejects": asdict(found.rejects),
        "false_rejects": asdict(found.false_rejects) if found.false_rejects else None,
        "escapes": asdict(found.escapes) if found.escapes else None,
        "auroc": asdict(found.auroc) | {"difference": found.auroc.value} if found.auroc else None,
        "not_decidable": asdict(found.undecided),
        "time_of_b_over_a": asdict(found.latency) if found.latency else None,
        "known": {who: as_record(known) for who, known in zip("ab", found.known, strict=True)},
        "notes": notes(found),
        "page": str(page),
        "judged": [
            {
                "path": str(p.picture.path),
                "part": p.picture.part_id,
                "kind": p.picture.kind,
                "a": _side(p.a),
                "b": _side(p.b),
            }
            for p in found.pairs
        ],
    }
    return json.dumps(record)


def _side(side: "Side") -> dict[str, str | float | None]:
    ratio = side.ratio if side.ratio == side.ratio else None
    return {"verdict": side.decision, "reason": side.reason, "ratio": ratio, "inspect_ms": side.inspect_s * 1000}
