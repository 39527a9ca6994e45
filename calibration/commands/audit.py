"""goodpart calibrate audit."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calibration.commands.shared import as_json_option, page_option, page_path

if TYPE_CHECKING:
    from calibration.audit.audit import Audit


@click.command()
@click.argument("good_dir", type=click.Path(path_type=Path))
@click.option("--held-out", type=click.Path(path_type=Path), help="Goods for the threshold, to be audited with the others.")
@click.option(
    "--encoder", type=click.Path(path_type=Path), help="Folder made by `goodpart export`  [default: the shipped one]"
)
@click.option("--part-pattern", help="Regular expression for file names with a group `part`  [default: PART__anything]")
@click.option(
    "--exclude-list", type=click.Path(path_type=Path), help="Text file to write: what to leave out, for `build --exclude`."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the coreset and the groups.")
@page_option
@as_json_option
def audit(
    good_dir: Path,
    held_out: Path | None,
    encoder: Path | None,
    part_pattern: str | None,
    exclude_list: Path | None,
    seed: int,
    page: Path | None,
    as_json: bool,
) -> None:
    r"""Look for what is wrong with the good parts in GOOD_DIR, before a recipe is built from them.

    Finds defects hiding among the goods, pictures that are blurred, dark or of another size, the same picture or part twice,
    parts that are both in the bank and held out, light that drifts, and mixed products. Look at the page, then:

    \b
        goodpart calibrate audit good/ --exclude-list out.txt
        goodpart calibrate build good/ --exclude out.txt --out recipes/cell
    """
    from calibration.audit.audit import Request
    from calibration.audit.audit import audit as look
    from calibration.audit.exclude import write_list
    from calibration.audit.page import audit_page
    from calibration.audit.words import audit_in_words
    from calibration.goods import PART_PATTERN
    from calibration.page.render import write_page
    from calibration.progress import steps
    from edge.inspect.encoder import DEFAULT_ENCODER

    request = Request(good_dir, held_out, encoder or DEFAULT_ENCODER, part_pattern or PART_PATTERN, seed)
    with steps() as shown:
        found = look(request, shown)
    written = page_path(page, "audit", good_dir)
    write_page(audit_page(found, good_dir), written)
    if exclude_list:
        write_list(exclude_list, found.exclusions, found.everything)
    listed = f"\nexclude list: {exclude_list}" if exclude_list else ""
    click.echo(_as_json(found) if as_json else f"{audit_in_words(found)}{listed}\npage: {written}")


def _as_json(found: "Audit") -> str:
    paths = [str(one.good.path) for one in found.seen]
    drift = found.drift
    return json.dumps(
        {
            "pictures": len(found.everything),
            "suspicious": [
                {"path": paths[s.number], "score": s.score, "nearest": paths[s.like]} for s in found.suspicion.suspects
            ],
            "limit": found.suspicion.limit,
            "scores": {paths[i]: float(s) for i, s in zip(found.compared, found.suspicion.scores, strict=True)},
            "unfit": [{"path": str(m.good.path), "kind": m.kind, "detail": m.detail} for m in found.misfits],
            "same": [
                {"paths": [paths[p.one], paths[p.other]], "sameness": p.sameness, "agreement": p.agreement}
                for p in found.pairs
            ],
            "leaks": [{"bank": paths[k.bank], "held_out": paths[k.held_out], "why": k.why} for k in found.leaks],
            "drift": {
                "clock": drift.clock,
                "trends": [
                    {"look": t.look, "tau": t.tau, "p": t.p, "change": t.change, "spread": t.spread, "clear": t.clear}
                    for t in drift.trends
                ],
            },
            "groups": [[paths[i] for i in group.numbers] for group in found.grouping.groups],
            "groups_by": found.grouping.by,
            "silhouette": found.grouping.silhouette,
            "exclude": [{"path": str(e.good.path), "reasons": e.reasons} for e in found.exclusions],
        }
    )
