"""How many commands a minute are looked at."""

import logging
from enum import Enum, auto

log = logging.getLogger(__name__)

_BURST_S = 10.0
"""So many seconds' worth may come at once after a quiet time."""


class Room(Enum):
    """What becomes of a command."""

    YES = auto()
    TOLD = auto()  # no; the sender is told
    COUNTED = auto()  # no; only counted


class RateLimit:
    """A token bucket. The first command that finds it empty is answered; until it has been full again, others are counted.

    max_per_minute: how fast it fills; times are monotonic seconds.
    """

    def __init__(self, max_per_minute: int, mono_s: float) -> None:
        self._per_s = max_per_minute / 60
        self._most = max(1.0, self._per_s * _BURST_S)
        self._tokens, self._at_s = self._most, mono_s
        self._max_per_minute = max_per_minute
        self._refused = 0

    def ask(self, mono_s: float) -> Room:
        """Take a token if there is one."""
        self._tokens = min(self._most, self._tokens + max(0.0, mono_s - self._at_s) * self._per_s)
        self._at_s = max(self._at_s, mono_s)
        if self._tokens >= self._most:
            self.end()
        if self._tokens >= 1:
            self._tokens -= 1
            return Room.YES
        self._refused += 1
        if self._refused > 1:
            return Room.COUNTED
        log.warning("commands: more than commands.max_per_minute, %d; refusing until there is room", self._max_per_minute)
        return Room.TOLD

    def end(self) -> None:
        """It is quiet again, or nobody will come any more."""
        if self._refused:
            log.warning("commands: %d were refused for coming too fast", self._refused)
        self._refused = 0
