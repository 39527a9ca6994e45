"""Eviction is said at its beginning and at its end, however many rows go in between."""

import logging
from pathlib import Path

from edge.events import EventCode, Events
from edge.report.outbox.outbox import Counts
from edge.report.outbox.schema import Room

log = logging.getLogger(__name__)

_ENOUGH = 0.9
"""Below this share of the room eviction is over; between here and full it may go on with the next result."""


class RoomWatch:
    """Watches one file's room."""

    def __init__(self, path: Path, room: Room, evicted: int, events: Events) -> None:
        self._path = path
        self._room = room
        self._evicted = evicted
        self._events = events
        self._began_at: int | None = None

    def look(self, used_pages: int, counts: Counts) -> None:
        """After each change of the file."""
        before, self._evicted = self._evicted, counts.evicted
        if self._began_at is None and counts.evicted > before:
            self._began_at = before
            full = f"mqtt.outbox.quota_mb: {self._path} is full, {counts.waiting} results wait for the broker"
            self._events.say(EventCode.OUTBOX_EVICTING, f"{full}; OK are dropped first, NOK last")
        elif self._began_at is not None and used_pages < _ENOUGH * self._room.soft:
            log.warning(
                "mqtt.outbox.quota_mb: %s has room again; %d results were dropped",
                self._path,
                counts.evicted - self._began_at,
            )
            self._began_at = None
