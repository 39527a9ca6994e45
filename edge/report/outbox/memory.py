"""Results that wait in memory: where no disk is wanted, and while the disk refuses."""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence

from edge.report.books import Account
from edge.report.outbox.outbox import EVICTED_FIRST, Answer, Counts, DeadLetter, Entry, Fate, Row, account_since
from edge.types import Decision

MOST_IN_MEMORY = 10_000
"""Results kept in memory at most: about 10 MB."""

MOST_DEAD = 100
"""Dead letters kept for a person to look at; all are counted."""


def first_to_go(verdicts: Iterable[tuple[int, Decision]]) -> int | None:
    """The key of the row that makes room: the oldest of the least important verdict there is.

    verdicts: key and verdict, the oldest first.
    """
    best: tuple[int, int] | None = None
    for key, verdict in verdicts:
        rank = EVICTED_FIRST.index(verdict)
        if rank == 0:
            return key
        if best is None or rank < best[0]:
            best = (rank, key)
    return best[1] if best else None


class MemoryOutbox:
    """An outbox that ends with its process. What it has no room for, or still has at its end, is counted as overflowed."""

    def __init__(self, most: int = MOST_IN_MEMORY, first_id: int = 1) -> None:
        self._most = most
        self._next_id = first_id
        self._rows: dict[int, Row] = {}
        self._held: set[int] = set()
        self._counter: Counter[str] = Counter()
        self.dead: deque[DeadLetter] = deque(maxlen=MOST_DEAD)

    @property
    def counts(self) -> Counts:
        """The books; what overflowed was never committed."""
        counted = Counts(**self._counter)
        return counted.plus({"committed": counted.inspected - counted.overflowed, "waiting": len(self._rows)})

    @property
    def account(self) -> Account:
        """The books; nothing is carried over."""
        return account_since(Counts(), self.counts)

    @property
    def held(self) -> frozenset[int]:
        """Ids of rows that were taken and not answered."""
        return frozenset(self._held)

    @property
    def rows(self) -> list[Row]:
        """All rows, taken or not, the oldest first."""
        return list(self._rows.values())

    @property
    def next_id(self) -> int:
        """The id of the next new row."""
        return self._next_id

    def has(self, row_id: int) -> bool:
        """Whether this row waits here."""
        return row_id in self._rows

    def put(self, entries: Sequence[Entry], overflowed: int = 0) -> None:
        """Keep these; beyond the limit the first to go make room."""
        self._counter["inspected"] += len(entries) + overflowed
        self._counter["overflowed"] += overflowed
        for entry in entries:
            self._rows[self._next_id] = Row(self._next_id, entry)
            self._next_id += 1
            if len(self._rows) > self._most:
                self._make_room()

    def take(self, most: int, but_not: Collection[int] = ()) -> list[Row]:
        """The oldest rows that are not taken yet."""
        free = (row for row in self._rows.values() if row.id not in self._held and row.id not in but_not)
        taken = [row for row, _ in zip(free, range(most), strict=False)]
        self._held |= {row.id for row in taken}
        return taken

    def oldest(self) -> Entry | None:
        """The first row."""
        return next((row.entry for row in self._rows.values()), None)

    def settle(self, answers: Sequence[Answer]) -> None:
        """Forget what was delivered, keep the last dead letters."""
        for answer in answers:
            self._held.discard(answer.id)
            if answer.fate is Fate.LATER or (row := self._rows.pop(answer.id, None)) is None:
                continue
            if answer.fate is Fate.DEAD:
                self.dead.append(DeadLetter(row.entry.payload, answer.reason))
            self._counter[answer.fate.lower()] += 1

    def close(self) -> None:
        """What still waits ends with the process."""
        self._counter["overflowed"] += len(self._rows)
        self._rows.clear()

    def forget(self, rows: Sequence[Row]) -> None:
        """These stand in other books now, as inspected and waiting."""
        for row in rows:
            del self._rows[row.id]
            self._held.discard(row.id)
        self._counter["inspected"] -= len(rows)

    def _make_room(self) -> None:
        victim = first_to_go((row.id, row.entry.verdict) for row in self._rows.values() if row.id not in self._held)
        if victim is not None:
            del self._rows[victim]
            self._counter["overflowed"] += 1
