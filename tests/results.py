"""Results nobody had to judge a picture for."""

from datetime import UTC, datetime

from edge.report.message import Result
from edge.report.status import StatusMessage
from edge.report.wire import StationName
from edge.types import Decision, Origin, Reason

STATION = StationName(site="test", area="lab", line="line-1", station="camera-1")


BIRTH = StatusMessage(
    state="online",
    reason="",
    boot_id="boot",
    since_utc=datetime.now(UTC),
    version="1.2.3",
    recipe_name="plate",
    recipe_id="0" * 64,
    encoder_sha256="0" * 64,
    station=STATION,
)


def result(seq: int, detail: str = "", boot_id: str = "boot") -> Result:
    return Result(
        result_id=f"{seq:032x}",
        boot_id=boot_id,
        seq=seq,
        station=STATION,
        origin=Origin.REPLAY,
        part_id=f"part-{seq}",
        taken_utc=datetime.now(UTC),
        clock_synced=None,
        verdict=Decision.OK,
        reason=Reason.WITHIN_THRESHOLD,
        detail=detail,
        score=1.0,
        score_kind="top1",
        threshold=2.0,
        margin=-0.5,
        gray_zone=None,
        regions=(),
        patches_verified=16,
        inspect_ms=10.0,
        latency_ms=12.0,
        recipe_name="plate",
        recipe_id="0" * 64,
        encoder_sha256="0" * 64,
    )
