"""When a check falls due by the clock on the wall, whatever that clock does."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

_DAY = timedelta(days=1)


class ShiftTimes:
    """Listed times of the day, each due at most once a day.

    Only the newest time that has passed counts, so one check covers all that were slept through. A time is remembered by
    its date and what the clock showed, not by how long ago it was: where summer time skips it, it falls due after the gap,
    and where it comes twice, the first one counts. A clock that is set back does not repeat what was due already, unless by
    more than a day; then it was wrong before, and waiting for its old date would leave the line unchecked.
    """

    def __init__(self, at: Sequence[time], now: datetime) -> None:
        self._at = sorted(at)
        self._covered = now

    def due(self, now: datetime) -> bool:
        """Whether a listed time has come since the last one that was due. now: local wall-clock time without a zone."""
        newest = self._newest(now)
        if newest is None or (newest <= self._covered and self._covered - now <= _DAY):
            return False
        self._covered = newest
        return True

    def _newest(self, now: datetime) -> datetime | None:
        """The last listed time at or before `now`, today's or yesterday's."""
        days = (now.date(), now.date() - _DAY)
        passed = (datetime.combine(day, at) for day in days for at in self._at)
        return max((moment for moment in passed if moment <= now), default=None)
