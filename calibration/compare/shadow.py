"""What a champion and its challenger have said of the same parts on the line, from the files of `shadow.results`."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from calibration.compare.paired import Pair, Picture, Side, refuse_without_scale
from calibration.goods import Good
from calibration.jsonl import Lines
from calibration.progress import Steps
from edge.errors import BadConfig
from edge.recipe.recipe import Recipe
from edge.shadow.message import ShadowReport
from edge.shadow.message import Side as Told


@dataclass(frozen=True, slots=True)
class OnLine:
    """Where the comparisons of a line come from.

    first_utc, last_utc: when the first and the last part was taken; stations: who compared. others: comparisons of other
    recipes, by the names and identities of champion and challenger; by_command: those in which a threshold set by command
    has judged for the champion; repeated: those that were there before; all three are left out, as are the unfinished lines
    in cut_off. disagreements: by `result_id`.
    """

    first_utc: datetime
    last_utc: datetime
    stations: tuple[str, ...]
    others: Counter[tuple[str, str]]
    by_command: int
    repeated: int
    cut_off: int
    disagreements: dict[str, ShadowReport] = field(repr=False)


def read_shadow(paths: Sequence[Path], a: Recipe, b: Recipe, steps: Steps) -> tuple[tuple[Pair, ...], OnLine]:
    """Every part that `a` as champion and `b` as challenger have judged, each once, in the order of the files.

    Nobody has labelled these parts, and no time is known. Memory grows by a kilobyte a part.

    Raises:
        BadConfig: a file cannot be read, a line is damaged, or no comparison is of these two recipes.
        BadRecipe: a threshold is not above zero.
    """
    refuse_without_scale(a, b)
    lines, seen = Lines(ShadowReport), set[str]()
    others: Counter[tuple[str, str]] = Counter()
    stations: set[str] = set()
    reports: dict[str, ShadowReport] = {}
    pairs: list[Pair] = []
    times: list[datetime] = []
    by_command = repeated = 0
    for path in paths:
        for _, report in lines.read(path, steps):
            if report.result_id in seen:
                repeated += 1
                continue
            seen.add(report.result_id)
            if (report.champion.recipe_id, report.challenger.recipe_id) != (a.id, b.id):
                others[_named(report.champion), _named(report.challenger)] += 1
            elif report.champion.threshold != a.manifest.threshold:
                by_command += 1
            else:
                pairs.append(_pair(report))
                times.append(report.taken_utc)
                stations.add("/".join(report.station.model_dump().values()))
                if pairs[-1].flipped:
                    reports[report.result_id] = report
    if not pairs:
        raise BadConfig(f"{paths[0]}: {_nothing(a, b, others, by_command)}")
    return tuple(pairs), OnLine(
        min(times), max(times), tuple(sorted(stations)), others, by_command, repeated, lines.cut_off, reports
    )


def _nothing(a: Recipe, b: Recipe, others: Counter[tuple[str, str]], by_command: int) -> str:
    found = [f"{champion} with {challenger}" for champion, challenger in others]
    found += ["some that a threshold set by command has judged"] if by_command else []
    return (
        f"holds no comparison of champion {a.manifest.name} {a.id[:12]} with challenger {b.manifest.name} {b.id[:12]}, but "
        f"{', '.join(found) or 'none at all'}; give the recipe that was in use first, and the one that watched second."
    )


def _named(side: Told) -> str:
    return f"{side.recipe_name} {side.recipe_id[:12]}"


def _pair(report: ShadowReport) -> Pair:
    sha256 = report.evidence.sha256 if report.evidence else ""
    picture = Picture(Good(Path(report.part_id), report.result_id, sha256), None)
    return Pair(picture, _side(report.champion), _side(report.challenger))


def _side(told: Told) -> Side:
    ratio = math.nan if told.score is None else told.score / told.threshold
    return Side(told.verdict, told.reason, "", ratio, math.nan)
