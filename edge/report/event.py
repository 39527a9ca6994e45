"""The event message: what happened at a station besides results."""

import uuid
from typing import Literal

from pydantic import AwareDatetime

from edge.events import EventCode, Happening, Severity
from edge.report.wire import Message, StationName


class Event(Message):
    """Something began or ended; said once, not as long as it lasts. An event that comes twice has the same `event_id`."""

    format: Literal["goodpart.event/1"] = "goodpart.event/1"
    event_id: str
    """Unique for ever."""

    boot_id: str
    """As in the results of the program that says it."""

    station: StationName
    time_utc: AwareDatetime
    """RFC 3339, UTC, by the clock of the device."""

    code: EventCode
    severity: Severity
    """`error`: parts are not judged, or results or proof are lost; `warning`: somebody is wanted; `info`: nothing to do."""

    detail: str
    """One sentence for people."""

    since_utc: AwareDatetime | None
    """When that began which ends now; null for what begins, or has no end."""


def make_event(happening: Happening, station: StationName, boot_id: str) -> Event:
    """Put together what is told about it."""
    return Event(
        event_id=uuid.uuid4().hex,
        boot_id=boot_id,
        station=station,
        time_utc=happening.time_utc,
        code=happening.code,
        severity=happening.severity,
        detail=happening.detail,
        since_utc=happening.since_utc,
    )
