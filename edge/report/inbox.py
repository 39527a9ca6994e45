"""What the line has judged and the delivery thread has not fetched yet."""

import time
from collections import deque

from edge.report.message import Result
from edge.report.outbox.memory import first_to_go
from edge.report.outbox.outbox import Entry
from edge.report.wire import to_wire

MOST_QUEUED = 10_000
"""Results that wait for the delivery thread at most: it fetches at once, unless the disk hangs."""


class Inbox:
    """A bounded queue; whoever uses it holds the publisher's lock."""

    def __init__(self, most: int = MOST_QUEUED) -> None:
        self._most = most
        self._results: deque[tuple[Result, float]] = deque()
        self._overflowed = 0

    def __len__(self) -> int:
        return len(self._results)

    @property
    def overflowed(self) -> int:
        """How many results had to go since the last `fetch`."""
        return self._overflowed

    def put(self, result: Result) -> bool:
        """Queue one result. False: one had to go for it, in the outbox's order."""
        self._results.append((result, time.monotonic()))
        if len(self._results) <= self._most:
            return True
        victim = first_to_go((place, queued.verdict) for place, (queued, _) in enumerate(self._results))
        assert victim is not None  # noqa: S101 - one was appended just now
        del self._results[victim]
        self._overflowed += 1
        return False

    def fetch(self, most: int) -> tuple[list[tuple[Result, float]], int]:
        """The oldest results, at most so many, and how many had to go since the last time."""
        fetched = [self._results.popleft() for _ in range(min(most, len(self._results)))]
        overflowed, self._overflowed = self._overflowed, 0
        return fetched, overflowed


def to_entry(result: Result, queued_mono_s: float) -> Entry:
    """A result as the outbox keeps it."""
    return Entry(result.verdict, result.boot_id, result.seq, to_wire(result), queued_mono_s)
