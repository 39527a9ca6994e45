"""Which row makes a broker hang up, where the broker does not say that its packets must be smaller."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

SUSPICIOUS = 3
"""Connections that end right after they began, with the same message unanswered."""

GUILTY = 2
"""Connections that end while one row is on its way and nothing else."""


@dataclass(slots=True)
class Hangups:
    """Watches messages through connections that end early.

    A row is condemned for its size, and on proof alone: nothing else was on its way each time, and a smaller row has been
    accepted since. So a network that is bad, or a broker that lets nobody publish, condemns nothing.

    alone: whether rows are to be sent one at a time, and nothing with them. set_aside: size in bytes of rows that ended
    connections alone.
    """

    alone: bool = False
    set_aside: dict[int, int] = field(default_factory=dict)
    _ends: Counter[int | str] = field(default_factory=Counter)  # by id of the row, or topic of what is no row
    _alone_ends: Counter[int] = field(default_factory=Counter)  # by id of the row

    def ended(self, unanswered: Collection[int | str]) -> bool:
        """A connection ended early, with these rows (by id) and others (by topic) unanswered; whether that is suspicious."""
        self._ends = Counter({message: self._ends[message] + 1 for message in unanswered})
        return bool(unanswered) and (self.alone or max(self._ends.values()) >= SUSPICIOUS)

    def took_back(self, sizes: Mapping[int, int], others: int) -> None:
        """What was on its way waits again. sizes: of its rows, by their id; others: how many messages are no rows."""
        if self.alone and len(sizes) == 1 and not others:
            self._alone_ends.update(sizes.keys())
            self.set_aside |= {row_id: size for row_id, size in sizes.items() if self._alone_ends[row_id] >= GUILTY}
        self._ends.clear()
        self.alone = True

    def accepted(self, size: int) -> list[int]:
        """A row of this size was accepted: rows that the broker hangs up on. Others that were set aside may try again."""
        condemned = [row_id for row_id, larger in self.set_aside.items() if larger > size]
        self.forgive()
        self.alone = False
        return condemned

    def forgive(self) -> None:
        """Those that were set aside try again, where nothing else waits."""
        self.set_aside.clear()
        self._alone_ends.clear()
