"""What is told beside the results and waits for the broker: health, events."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

MOST_WAITING = 100
"""Messages that are not retained and wait at most; beyond it the oldest go."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message that is no result."""

    topic: str
    payload: bytes
    retain: bool


class Notices:
    """Of what is retained the newest of each topic, of the rest the newest; whoever uses it holds the publisher's lock."""

    def __init__(self) -> None:
        self._retained: dict[str, Notice] = {}
        self._others: deque[Notice] = deque(maxlen=MOST_WAITING)

    def __len__(self) -> int:
        return len(self._retained) + len(self._others)

    def put(self, notice: Notice) -> None:
        """Let it wait."""
        if notice.retain:
            self._retained[notice.topic] = notice
        else:
            self._others.append(notice)

    def put_back(self, notices: Sequence[Notice]) -> None:
        """Let these, fetched before, wait again, in front of what has come since; the newest go before them as in `put`."""
        for notice in reversed(notices):
            if notice.retain:
                self._retained.setdefault(notice.topic, notice)
            elif len(self._others) < MOST_WAITING:
                self._others.appendleft(notice)

    def fetch(self, most: int) -> list[Notice]:
        """At most so many, the oldest events first."""
        fetched = [self._others.popleft() for _ in range(min(most, len(self._others)))]
        while self._retained and len(fetched) < most:
            fetched.append(self._retained.pop(next(iter(self._retained))))
        return fetched
