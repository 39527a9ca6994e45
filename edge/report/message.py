"""The result message: its one model, and its bytes."""

import math
import uuid
from typing import Literal

from pydantic import AwareDatetime, ValidationError

from edge.host.clock import Boot
from edge.recipe.recipe import Recipe
from edge.report.wire import Message, Sha256, StationName, to_wire
from edge.shift.card import Purpose, SampleCard
from edge.types import Decision, Origin, Reason, Region, ScoreKind, Shot, Verdict


class Nearest(Message):
    """The good patch that is nearest to a region's strangest place."""

    picture: str
    """File name of the good picture; of a part that was taught on the device, path of its evidence."""

    row: int
    """Of the encoder's grid over that picture, from 0 at the top."""

    col: int
    """Of the encoder's grid over that picture, from 0 at the left."""


class Box(Message):
    """A region where the part is strange, in pixels of the picture."""

    x: int
    """Left edge, from 0."""

    y: int
    """Top edge, from 0."""

    width: int
    height: int
    peak: float
    """The highest z inside: how many standard deviations further from good than goods are there."""

    nearest: Nearest


class GrayBounds(Message):
    """Scores above `above` and not above `up_to` are NOT_DECIDABLE: a person decides."""

    above: float
    up_to: float
    """The threshold."""


class EvidenceRef(Message):
    """Files that were on the disk of the device before this message was sent; the ring may have dropped them since."""

    path: str
    """The picture as it was judged, PNG, relative to the station's evidence folder, with forward slashes."""

    sha256: Sha256
    """Of that file."""

    overlay: str | None
    """The same with the verdict drawn in, JPEG, for people; null where none is kept."""


class Result(Message):
    """One part's verdict as everybody outside sees it.

    A result that comes twice has the same `result_id`. One with a `purpose` shows a master part of the shift check and must
    not be counted as production.
    """

    format: Literal["goodpart.result/1"] = "goodpart.result/1"
    """The version of this message: keys may be added within a version, none changes its meaning."""

    result_id: str
    """Unique for ever."""

    boot_id: str
    """One start of the program on the device."""

    seq: int
    """Counts the results of a boot from 1 without a gap."""

    station: StationName
    origin: Origin
    """`live`: a camera or pictures handed over as they are taken; `replay`: pictures of before; `simulated`: no parts."""

    part_id: str
    """Name of the picture file, or the time at which the camera was asked."""

    job_id: str | None = None
    """The job that the part belongs to, as its `trigger` or the last `set_job` says; null where none did."""

    command_id: str | None = None
    """Of that `trigger`; null where the part came without one."""

    purpose: Purpose | None = None
    """What a master part is shown for; null for a part of production."""

    sample: str | None = None
    """Name of the master part; null for a part of production."""

    taken_utc: AwareDatetime
    """When the picture was taken, or read from its file: RFC 3339, UTC, by the clock of the device."""

    clock_synced: bool | None
    """Whether a time server disciplines that clock; null where the system does not say."""

    verdict: Decision
    reason: Reason
    """Why; for a NOT_DECIDABLE, what a person must look at."""

    detail: str
    """The reason's particulars in words; may be empty."""

    score: float | None
    """How strange the part is; null when nothing was measured."""

    score_kind: ScoreKind
    """`top1`: mean of the highest 1 % of z; `max`: the highest."""

    threshold: float
    """Scores above it are NOK; one that equals it is not."""

    threshold_command_id: str | None = None
    """The command that replaced the recipe's threshold, whose promise then does not hold; else null."""

    taught: int = 0
    """How many rejected parts people have taught this station to accept, which lowers scores of parts like them."""

    margin: float | None
    """(score - threshold) / threshold: negative below the threshold, 0 at it, 1 at twice the threshold.

    Null when nothing was measured, or where the threshold is not above zero.
    """

    gray_zone: GrayBounds | None
    """Null where the recipe has none."""

    regions: tuple[Box, ...]
    """Highest peak first; empty for OK."""

    patches_verified: int
    """How many patches were measured exactly for the score."""

    inspect_ms: float
    """Time that judging took."""

    latency_ms: float
    """Time from `taken_utc` to the verdict, by a clock that never steps."""

    evidence: EvidenceRef | None = None
    """Null where none is kept of such a verdict, or it could not be written."""

    recipe_name: str
    """As the line engineer called it."""

    recipe_id: Sha256
    """Of the recipe's manifest, which holds the sha256 of each of its files."""

    encoder_sha256: Sha256
    """Of the encoder's ONNX file."""

    historical: bool = False
    """Sent late, after another boot or well after it was taken: nobody should act as if the part still stood there."""


def make_result(
    shot: Shot,
    verdict: Verdict,
    station: StationName,
    recipe: Recipe,
    boot: Boot,
    inspect_s: float,
    sample: SampleCard | None = None,
    *,
    origin: Origin,
    clock_synced: bool | None,
    latency_s: float,
) -> Result:
    """Put together what is told about one part; takes the next number of this boot. sample: the master part it shows."""
    score, card = verdict.score, recipe.manifest
    return Result(
        result_id=shot.result_id or uuid.uuid4().hex,
        boot_id=boot.id,
        seq=next(boot.seq),
        station=station,
        origin=origin,
        part_id=shot.part_id,
        job_id=shot.order.job_id if shot.order else None,
        command_id=shot.order.command_id if shot.order else None,
        purpose=sample.purpose if sample else None,
        sample=sample.name if sample else None,
        taken_utc=shot.taken_utc,
        clock_synced=clock_synced,
        verdict=verdict.decision,
        reason=verdict.reason,
        detail=verdict.detail,
        score=score.value if score else None,
        score_kind=card.judgement.score,
        threshold=card.threshold,
        threshold_command_id=recipe.threshold_command_id,
        taught=len(recipe.taught),
        margin=margin(score.value, card.threshold) if score else None,
        gray_zone=GrayBounds(above=card.gray_zone.above, up_to=card.threshold) if card.gray_zone else None,
        regions=tuple(_box(region, recipe) for region in verdict.regions),
        patches_verified=score.verified if score else 0,
        inspect_ms=round(inspect_s * 1000, 3),
        latency_ms=round(latency_s * 1000, 3),
        recipe_name=card.name,
        recipe_id=recipe.id,
        encoder_sha256=recipe.eye.encoder.card.onnx_sha256,
    )


def margin(score: float, threshold: float) -> float | None:
    """(score - threshold) / threshold, so negative for a score below; None unless the threshold is above zero.

    A z may be negative, and so may a threshold that was set by hand; a share of it would have the wrong sign.
    """
    if threshold <= 0:
        return None
    share = (score - threshold) / threshold
    # Beyond a threshold next to nothing a share has no number.
    return share if math.isfinite(share) else None


def _box(region: Region, recipe: Recipe) -> Box:
    good = recipe.good_patch(region.nearest)
    nearest = Nearest(picture=good.picture, row=good.row, col=good.col)
    return Box(x=region.x, y=region.y, width=region.width, height=region.height, peak=region.peak, nearest=nearest)


def as_historical(payload: bytes) -> bytes:
    """The same result, marked as sent late; one that another version wrote and this one cannot read stays as it is."""
    try:
        result = Result.model_validate_json(payload)
    except ValidationError:
        return payload
    return to_wire(result.model_copy(update={"historical": True}))
