"""The result message: its one model, and its bytes."""

import uuid
from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from edge.host.clock import Boot
from edge.recipe.recipe import Recipe
from edge.shift.card import Purpose, SampleCard
from edge.strict import Strict
from edge.types import Decision, Reason, Region, ScoreKind, Shot, Verdict

Level = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
"""One level of an MQTT topic: no separator, no wildcard."""


class StationName(Strict):
    """Where the camera is, from the outside in (levels of ISA-95)."""

    site: Level
    area: Level
    line: Level
    station: Level


class Nearest(Strict):
    """The good patch that is nearest to a region's strangest place: which picture, and which place of its grid."""

    picture: str
    row: int
    col: int


class Box(Strict):
    """A region in pixels of the picture, the highest z inside, and what good parts have that is nearest to it."""

    x: int
    y: int
    width: int
    height: int
    peak: float
    nearest: Nearest


class Result(Strict):
    """One part's verdict as everybody outside sees it.

    `result_id` is unique for ever; (`boot_id`, `seq`) counts from 1 without a gap. `score` is null when nothing was
    measured. `purpose` and `sample` are null for a part of production; a master part of the shift check has both and must
    not be counted. `job_id` and `command_id` are those of the `trigger` that asked for the part, null where none did.
    `threshold_command_id`: the command that replaced the recipe's threshold, whose promise then does not hold; else null.
    Times are RFC 3339 in UTC; durations in milliseconds.
    """

    format: Literal["goodpart.result/1"] = "goodpart.result/1"
    result_id: str
    boot_id: str
    seq: int
    station: StationName
    part_id: str
    job_id: str | None = None
    command_id: str | None = None
    purpose: Purpose | None = None
    sample: str | None = None
    taken_utc: AwareDatetime
    verdict: Decision
    reason: Reason
    detail: str
    score: float | None
    score_kind: ScoreKind
    threshold: float
    threshold_command_id: str | None = None
    regions: tuple[Box, ...]
    patches_verified: int
    inspect_ms: float
    recipe_name: str
    recipe_id: str
    encoder_sha256: str


def make_result(
    shot: Shot,
    verdict: Verdict,
    station: StationName,
    recipe: Recipe,
    boot: Boot,
    inspect_s: float,
    sample: SampleCard | None = None,
) -> Result:
    """Put together what is told about one part; takes the next number of this boot. sample: the master part it shows."""
    score = verdict.score
    return Result(
        result_id=uuid.uuid4().hex,
        boot_id=boot.id,
        seq=next(boot.seq),
        station=station,
        part_id=shot.part_id,
        job_id=shot.order.job_id if shot.order else None,
        command_id=shot.order.command_id if shot.order else None,
        purpose=sample.purpose if sample else None,
        sample=sample.name if sample else None,
        taken_utc=shot.taken_utc,
        verdict=verdict.decision,
        reason=verdict.reason,
        detail=verdict.detail,
        score=score.value if score else None,
        score_kind=recipe.manifest.judgement.score,
        threshold=recipe.manifest.threshold,
        threshold_command_id=recipe.threshold_command_id,
        regions=tuple(_box(region, recipe) for region in verdict.regions),
        patches_verified=score.verified if score else 0,
        inspect_ms=round(inspect_s * 1000, 3),
        recipe_name=recipe.manifest.name,
        recipe_id=recipe.id,
        encoder_sha256=recipe.eye.encoder.card.onnx_sha256,
    )


def _box(region: Region, recipe: Recipe) -> Box:
    good = recipe.good_patch(region.nearest)
    nearest = Nearest(picture=good.picture, row=good.row, col=good.col)
    return Box(x=region.x, y=region.y, width=region.width, height=region.height, peak=region.peak, nearest=nearest)


def to_wire(result: Result) -> bytes:
    """UTF-8 JSON on one line."""
    return result.model_dump_json().encode()
