"""For how long a row has waited."""

from datetime import datetime

from pydantic import ValidationError

from edge.report.message import Result
from edge.report.outbox.outbox import Entry


def age_s(entry: Entry | None, boot_id: str, now_mono_s: float, now_utc: datetime) -> float | None:
    """Seconds since this row was queued; of an earlier boot, whose clock is gone, since its part was taken.

    None: there is no row, or another version wrote it.
    """
    if entry is None:
        return None
    if entry.boot_id == boot_id:
        return max(0.0, now_mono_s - entry.queued_mono_s)
    try:
        result = Result.model_validate_json(entry.payload)
    except ValidationError:
        return None
    return max(0.0, (now_utc - result.taken_utc).total_seconds())
