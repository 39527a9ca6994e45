"""goodpart calibrate drift."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.drift.assessment import Drift
    from edge.recipe.manifest import Manifest

_EXIT_DRIFT = 1


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.argument("results", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--baseline",
    type=click.IntRange(50),
    help="Compare with the first so many results judged OK  [default: with the recipe's held-out goods; 200 if it has few]",
)
@click.option("--fail-on-drift", is_flag=True, help="Exit with 1 when the lead says drift or risen rejects, for cron.")
@as_json_option
@page_option
def drift(
    recipe: Path, results: tuple[Path, ...], baseline: int | None, fail_on_drift: bool, as_json: bool, page: Path | None
) -> None:
    """Say whether good parts drift towards RECIPE's threshold, from the RESULTS that `goodpart run` has written.

    RESULTS are files of JSON lines (`results.path` of a station), any number of them in any order. Only live parts of
    production count, as the recipe judges them: master parts, replays and the like are left out and said. Parts judged OK
    are charted (EWMA and CUSUM); rejects, undecided parts, missing results and the time of a part are reported beside.
    Start with results from when the recipe was new. Example, every morning:

    \b
        goodpart calibrate drift recipes/cell results.jsonl --fail-on-drift
    """  # noqa: D301 - click's own mark for lines that stay as they are
    from calibration.drift.assessment import assess
    from calibration.drift.page import drift_page
    from calibration.drift.results import read_results
    from calibration.drift.words import in_words
    from calibration.page.render import write_page
    from calibration.progress import steps
    from edge.recipe.promise import promised_share
    from edge.recipe.recipe import open_recipe

    opened = open_recipe(recipe)
    manifest = opened.manifest
    with steps() as shown:
        found = assess(read_results(results, opened.id, shown), manifest, baseline)
    target = page_path(page, "drift", recipe)
    write_page(drift_page(found, opened), target)
    words = in_words(found, manifest.threshold, promised_share(manifest.promise))
    click.echo(_as_json(found, manifest, target) if as_json else f"{words}\npage: {target}")
    if fail_on_drift and found.drifting:
        sys.exit(_EXIT_DRIFT)


def _as_json(found: "Drift", manifest: "Manifest", page: Path) -> str:
    from calibration.drift.results import Aside
    from calibration.drift.words import notes, verdict, when

    results = found.results
    out = found.present
    record = {
        "verdict": verdict(found, manifest.threshold),
        "drifting": found.drifting,
        "since_utc": when(found.taken_s[out[1].began]) if out else None,
        "upwards": out[1].up if out else None,
        "results": len(results.taken_s),
        "compared": len(found.scores),
        "baseline": len(found.reference.scores),
        "charts": [
            {
                "name": chart.name,
                "now": float(chart.values[-1]),
                "limit": chart.limit,
                "excursions": len(chart.excursions),
                "beyond": chart.present is not None,
            }
            for chart in found.charts
        ],
        "score_trend": asdict(found.trend) if found.trend else None,
        "inspect_ms_trend": asdict(found.duration) if found.duration else None,
        "rejects": asdict(found.rejects) | {"risen": found.rejects.risen, "beyond_promise": found.rejects.beyond_promise},
        "periods": [
            {
                "begins": period.begins.isoformat(),
                "parts": period.parts,
                "rejects": asdict(period.rejects) if period.rejects else None,
                "not_decidable": {str(reason): count for reason, count in period.undecided.items()},
                "inspect_ms": period.inspect_ms if period.inspect_ms == period.inspect_ms else None,
            }
            for period in found.periods
        ],
        "missing": sum(boot.missing for boot in results.boots),
        "cut_off": results.cut_off,
        "repeated": results.repeated,
        "other_recipes": results.others.total(),
        "left_out": {why: results.aside[why] for why in Aside},
        "judged_beside_taught": results.taught,
        "notes": notes(found),
        "page": str(page),
    }
    return json.dumps(record)
