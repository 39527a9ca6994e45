"""What a champion and its challenger have said of the same parts on the line, from the files of `shadow.results`."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from calibration.compare.paired import Pair, Picture, Side, refuse_without_scale
from calibration.goods import Good
from calibration.jsonl import Lines
from calibration.progress import Steps
from edge.errors import BadConfig
from edge.recipe.recipe import Recipe
from edge.shadow.message import ShadowReport
from edge.shadow.message import Side as Told
from edge.types import Origin, Reason


class LeftOut(StrEnum):
    """Why a comparison says nothing of the two recipes."""

    BY_COMMAND = "judged_by_command"  # with a threshold that a command has set
    LATE = "late"  # the champion's verdict came after the takt, whatever it was
    REPLAY = "replay"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class OnLine:
    """Where the comparisons of a line come from.

    first_utc, last_utc: when the first and the last part was taken; stations: who compared. others: comparisons of other
    recipes, by the names and identities of champion and challenger; left_out: those that say nothing of these two, by the
    reason; repeated: those that were there before; all three are left out, as are the unfinished lines in cut_off. taught:
    those that were kept although the champion had been taught parts. disagreements: by `result_id`.
    """

    first_utc: datetime
    last_utc: datetime
    stations: tuple[str, ...]
    others: Counter[tuple[str, str]]
    left_out: Counter[LeftOut]
    taught: int
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
    left_out: Counter[LeftOut] = Counter()
    taught = repeated = 0
    for path in paths:
        for _, report in lines.read(path, steps):
            if report.result_id in seen:
                repeated += 1
                continue
            seen.add(report.result_id)
            if (report.champion.recipe_id, report.challenger.recipe_id) != (a.id, b.id):
                others[_named(report.champion), _named(report.challenger)] += 1
            elif why := _why_left_out(report, a):
                left_out[why] += 1
            else:
                taught += report.taught > 0
                pairs.append(_pair(report))
                times.append(report.taken_utc)
                stations.add("/".join(report.station.model_dump().values()))
                if pairs[-1].flipped:
                    reports[report.result_id] = report
    if not pairs:
        raise BadConfig(f"{paths[0]}: {_nothing(a, b, others, left_out)}")
    return tuple(pairs), OnLine(
        min(times), max(times), tuple(sorted(stations)), others, left_out, taught, repeated, lines.cut_off, reports
    )


def _why_left_out(report: ShadowReport, a: Recipe) -> LeftOut | None:
    if report.origin is not Origin.LIVE:
        return LeftOut.REPLAY if report.origin is Origin.REPLAY else LeftOut.SIMULATED
    if report.champion.threshold != a.manifest.threshold:
        return LeftOut.BY_COMMAND
    return LeftOut.LATE if report.champion.reason is Reason.LATE else None


def _nothing(a: Recipe, b: Recipe, others: Counter[tuple[str, str]], left_out: Counter[LeftOut]) -> str:
    found = [f"{champion} with {challenger}" for champion, challenger in others]
    found += [f"some left out as {why}" for why in left_out]
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
