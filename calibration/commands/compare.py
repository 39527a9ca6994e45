"""goodpart calibrate compare."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.compare.comparison import Comparison
    from calibration.compare.paired import Pair, Side
    from calibration.compare.shadow import OnLine
    from edge.recipe.recipe import Recipe


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.argument("pictures", type=click.Path(path_type=Path), required=False)
@click.option(
    "--shadow",
    "results",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Instead of PICTURES: a file of `shadow.results`, in which A was in use and B its challenger; any number of them.",
)
@click.option("--part-pattern", help="Regular expression for file names with a group `part`  [default: PART__anything]")
@as_json_option
@page_option
def compare(
    a: Path,
    b: Path,
    pictures: Path | None,
    results: tuple[Path, ...],
    part_pattern: str | None,
    as_json: bool,
    page: Path | None,
) -> None:
    """Judge the same PICTURES with two recipes, A and B, and say what changes and whether it is more than chance.

    PICTURES is a plain folder, or labelled: good/ and one folder for each kind of defect, as for `evaluate`. Take pictures
    that neither recipe was built from. With --shadow nothing is judged: the line has done it. Before a smaller bank goes to
    the line, and when it has watched there:

    \b
        goodpart calibrate build good/ --out recipes/small --bank-most 2000
        goodpart calibrate compare recipes/cell recipes/small test/
        goodpart calibrate compare recipes/cell recipes/small --shadow shadow.jsonl
    """  # noqa: D301 - click's own mark for lines that stay as they are
    from calibration.compare.comparison import compare as contrast
    from calibration.compare.page import comparison_page
    from calibration.compare.paired import judge_both, pictures_in
    from calibration.compare.shadow import read_shadow
    from calibration.compare.words import in_words
    from calibration.goods import PART_PATTERN
    from calibration.page.render import write_page
    from calibration.progress import steps
    from edge.recipe.recipe import open_recipe

    _one_of(pictures, results, part_pattern)
    chosen = pictures_in(pictures, part_pattern or PART_PATTERN) if pictures else []
    opened_a, opened_b = open_recipe(a), open_recipe(b)
    target = page_path(page, "compare", b)
    with steps() as shown:
        pairs, line = (
            (judge_both(opened_a, opened_b, chosen, shown), None)
            if pictures
            else read_shadow(results, opened_a, opened_b, shown)
        )
        found = contrast(pairs, opened_a.manifest, opened_b.manifest, line)
        write_page(comparison_page(found, opened_a, opened_b, [pictures] if pictures else results, shown), target)
    if as_json:
        click.echo(_as_json(found, opened_a, opened_b, target))
    else:
        names = (f"{each.manifest.name} {each.id[:12]}" for each in (opened_a, opened_b))
        click.echo(f"{in_words(found, *names)}\npage: {target}")


def _one_of(pictures: Path | None, results: tuple[Path, ...], part_pattern: str | None) -> None:
    from edge.errors import BadConfig

    if pictures and results:
        raise BadConfig("--shadow: the line has judged already; leave PICTURES out, or --shadow.")
    if not pictures and not results:
        raise BadConfig("PICTURES: nothing to compare on; give a folder, or what the line has said with --shadow.")
    if results and part_pattern:
        raise BadConfig("--part-pattern: tells parts by the names of PICTURES; leave it out with --shadow.")


def _as_json(found: "Comparison", a: "Recipe", b: "Recipe", page: Path) -> str:
    from calibration.compare.comparison import flips_by_change
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
        "line": _line(found.line) if found.line else None,
        "judged": [_told(pair, found.line) for pair in (flips_by_change(found.pairs) if found.line else found.pairs)],
    }
    return json.dumps(record)


def _line(line: "OnLine") -> dict[str, object]:
    from calibration.compare.shadow import LeftOut

    return {
        "first_utc": line.first_utc.isoformat(),
        "last_utc": line.last_utc.isoformat(),
        "stations": line.stations,
        "other_recipes": line.others.total(),
        "left_out": {why.value: line.left_out[why] for why in LeftOut},
        "taught": line.taught,
        "repeated": line.repeated,
        "cut_off": line.cut_off,
    }


def _told(pair: "Pair", line: "OnLine | None") -> dict[str, object]:
    """A picture; of a line, a part on which the recipes disagree, its picture relative to the station's evidence."""
    sides = {"a": _side(pair.a), "b": _side(pair.b)}
    if line is None:
        return {"path": str(pair.picture.path), "part": pair.picture.part_id, "kind": pair.picture.kind, **sides}
    report = line.disagreements[pair.picture.part_id]
    return {
        "path": report.evidence.path if report.evidence else None,
        "part": report.part_id,
        "result_id": report.result_id,
        "taken_utc": report.taken_utc.isoformat(),
        **sides,
    }


def _side(side: "Side") -> dict[str, str | float | None]:
    return {
        "verdict": side.decision,
        "reason": side.reason,
        "ratio": side.ratio if side.ratio == side.ratio else None,
        "inspect_ms": side.inspect_s * 1000 if side.inspect_s == side.inspect_s else None,
    }
