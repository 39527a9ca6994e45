"""The shadow message: one part that champion and challenger both judged."""

from typing import Literal

from pydantic import AwareDatetime

from edge.host.clock import utc_now
from edge.recipe.recipe import Recipe
from edge.report.message import EvidenceRef, Result
from edge.report.wire import Message, Sha256, StationName
from edge.shadow.counts import Agreement, compare
from edge.types import Decision, Origin, Reason, Verdict


class Side(Message):
    """What one recipe says of the part."""

    recipe_name: str
    """As the line engineer called it."""

    recipe_id: Sha256
    """Of the recipe's manifest."""

    verdict: Decision
    reason: Reason
    """Why."""

    score: float | None
    """How strange the part is; null when nothing was measured."""

    threshold: float
    """Scores above it are NOK."""


class ShadowReport(Message):
    """A part whose verdict a challenger would have given otherwise; the champion's is the one that counts."""

    format: Literal["goodpart.shadow/1"] = "goodpart.shadow/1"
    result_id: str
    """Of the champion's result, and so unique for ever."""

    boot_id: str
    """As in the result."""

    station: StationName
    part_id: str
    """As in the result."""

    taken_utc: AwareDatetime
    """As in the result."""

    compared_utc: AwareDatetime
    """When both verdicts were there: RFC 3339, UTC, by the clock of the device."""

    agreement: Agreement
    """`only_champion` and `only_challenger`: it alone rejects the part; `undecided`: one or both are NOT_DECIDABLE."""

    champion: Side
    """The recipe in use."""

    challenger: Side
    """The one that only watches."""

    evidence: EvidenceRef | None
    """As in the result."""

    origin: Origin = Origin.LIVE
    """As in the result."""

    taught: int = 0
    """As in the result: rejected parts that the champion had been taught to accept."""


def make_report(result: Result, verdict: Verdict, challenger: Recipe) -> ShadowReport:
    """Put the champion's result beside the challenger's verdict."""
    return ShadowReport(
        result_id=result.result_id,
        boot_id=result.boot_id,
        station=result.station,
        part_id=result.part_id,
        taken_utc=result.taken_utc,
        compared_utc=utc_now(),
        agreement=compare(result.verdict, verdict.decision),
        champion=Side(
            recipe_name=result.recipe_name,
            recipe_id=result.recipe_id,
            verdict=result.verdict,
            reason=result.reason,
            score=result.score,
            threshold=result.threshold,
        ),
        challenger=Side(
            recipe_name=challenger.manifest.name,
            recipe_id=challenger.id,
            verdict=verdict.decision,
            reason=verdict.reason,
            score=verdict.score.value if verdict.score else None,
            threshold=challenger.manifest.threshold,
        ),
        evidence=result.evidence,
        origin=result.origin,
        taught=result.taught,
    )
