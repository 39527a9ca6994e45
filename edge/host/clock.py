"""Who is speaking: one boot of the program, with a gap-free running number for its results."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The wall clock, for people; it may step. Durations are measured with time.monotonic."""
    return datetime.now(UTC)


def on_the_wall(utc: datetime) -> datetime:
    """What a clock on the wall here shows at that time: local, without a zone, and with the jumps of summer time."""
    return utc.astimezone().replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Boot:
    """One start of the process. `seq` counts its results from 1 without a gap."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    seq: Iterator[int] = field(default_factory=lambda: itertools.count(1))
