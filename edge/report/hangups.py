"""Which row makes a broker hang up, where the broker does not say that its packets must be smaller."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

SUSPICIOUS = 3
"""Connections that end right after they began, with the same message unanswered."""

GUILTY = 2
"""Connections that end the same way with one row alone on its way."""


@dataclass(slots=True)
class Hangups:
    """Watches messages through connections that end early.

    A row is condemned for its size, and on proof alone: nothing else was on its way each time, and a smaller row has been
    accepted since. So a network that is bad, or a broker that lets nobody publish, condemns nothing.

    alone: whether rows are to be sent one at a time. set_aside: size in bytes of rows that ended connections alone.
    """

    alone: bool = False
    set_aside: dict[int, int] = field(default_factory=dict)
    _ends: dict[int, int] = field(default_factory=dict)  # by number of the message

    def ended(self, unanswered: Collection[int]) -> bool:
        """A connection ended early; whether it is time to take back what the client holds, and to send alone."""
        self._ends = {mid: self._ends.get(mid, 0) + 1 for mid in unanswered}
        return max(self._ends.values(), default=0) >= (GUILTY if self.alone else SUSPICIOUS)

    def took_back(self, sizes: Mapping[int, int], others: int) -> None:
        """What was on its way waits again. sizes: of its rows, by their id; others: how many messages are no rows."""
        self._ends.clear()
        if self.alone and len(sizes) == 1 and not others:
            self.set_aside |= sizes
        self.alone = True

    def accepted(self, size: int) -> list[int]:
        """A row of this size was accepted: rows that the broker hangs up on. Others that were set aside may try again."""
        condemned = [row_id for row_id, larger in self.set_aside.items() if larger > size]
        self.set_aside.clear()
        self.alone = False
        return condemned

    def forgive(self) -> None:
        """Nothing else waits, so those that were set aside try again."""
        self.set_aside.clear()
