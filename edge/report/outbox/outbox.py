"""What every outbox does, and the books it keeps.

Rows go in by `put`, are handed out by `take`, and end by an answer: delivered, dead, or waiting again. At every moment::

    inspected = committed + overflowed
    committed = delivered + waiting + evicted + dead
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Protocol, TypeVar

from edge.report.books import Account, Loss
from edge.types import Decision

_LOSSES = (Loss.OVERFLOWED, Loss.DEAD, Loss.EVICTED_OK, Loss.EVICTED_NOT_DECIDABLE, Loss.EVICTED_NOK)

EVICTED_FIRST = (Decision.OK, Decision.NOT_DECIDABLE, Decision.NOK)
"""When there is no room: the oldest good parts go first, and proof of a defect last."""


Some = TypeVar("Some")


@dataclass(frozen=True, slots=True)
class Entry:
    """A result on its way in. payload: the message as bytes; queued_mono_s: the monotonic clock of its own boot."""

    verdict: Decision
    boot_id: str
    seq: int
    payload: bytes
    queued_mono_s: float


@dataclass(frozen=True, slots=True)
class Row:
    """An entry that waits. Ids ascend in the order of arrival and are never used twice."""

    id: int
    entry: Entry


_PART_BYTES = 256 * 1024
_PART_ROWS = 256


def in_parts(rows: Sequence[Some], payload: Callable[[Some], bytes]) -> Iterator[list[Some]]:
    """Rows in portions for one transaction each: the log grows by no more than that between two emptyings."""
    part: list[Some] = []
    size = 0
    for row in rows:
        part.append(row)
        size += len(payload(row))
        if size >= _PART_BYTES or len(part) >= _PART_ROWS:
            yield part
            part, size = [], 0
    if part:
        yield part


class Fate(StrEnum):
    """How an attempt to deliver a row ended."""

    DELIVERED = "DELIVERED"  # the broker has it
    DEAD = "DEAD"  # no broker will ever take it
    LATER = "LATER"  # refused for now


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one row that was taken. reason: in words, for dead ones."""

    id: int
    fate: Fate
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A payload that cannot be delivered, and why."""

    payload: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The books. All but `waiting` only grow; files of a kind that keeps them carry them from boot to boot.

    overflowed: results that never reached the disk, because it could not be written and memory was full. moved_aside:
    damaged files that stood in this one's place.
    """

    inspected: int = 0
    committed: int = 0
    delivered: int = 0
    waiting: int = 0
    dead: int = 0
    overflowed: int = 0
    evicted_ok: int = 0
    evicted_not_decidable: int = 0
    evicted_nok: int = 0
    moved_aside: int = 0

    @property
    def evicted(self) -> int:
        """Rows that had to make room."""
        return self.evicted_ok + self.evicted_not_decidable + self.evicted_nok

    @property
    def gone(self) -> int:
        """Results that the plant will never hear."""
        return self.evicted + self.dead + self.overflowed

    @property
    def balanced(self) -> bool:
        """Whether the books add up."""
        ended = self.delivered + self.evicted + self.dead
        return self.inspected == self.committed + self.overflowed and self.committed == ended + self.waiting

    def plus(self, more: "Counts | Mapping[str, int]") -> "Counts":
        """These and `more`, key by key."""
        if isinstance(more, Counts):
            more = more.as_dict()
        return Counts(**{name: value + more.get(name, 0) for name, value in self.as_dict().items()})

    def as_dict(self) -> dict[str, int]:
        """Name to value."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def account_since(before: Counts, now: Counts) -> Account:
    """What became of results between two states of one outbox; what waited in the first was carried over."""
    losses = {loss: now.as_dict()[loss] - before.as_dict()[loss] for loss in _LOSSES}
    return Account("mqtt", now.delivered - before.delivered, now.waiting, losses, before.waiting)


def evicted_name(verdict: Decision) -> str:
    """The count in which an evicted row of this verdict stands."""
    return f"evicted_{verdict.lower()}"


class Outbox(Protocol):
    """Results that wait. One thread uses it, from its making to its `close`."""

    @property
    def counts(self) -> Counts:
        """The books as they stand."""

    @property
    def account(self) -> Account:
        """The books since this outbox was opened."""

    def put(self, entries: Sequence[Entry], overflowed: int = 0) -> None:
        """Keep these, all in one step; makes room where it must. overflowed: results that could not even be queued."""

    def take(self, most: int, but_not: Collection[int] = ()) -> list[Row]:
        """The oldest rows that are not taken yet, in order of id; they are not evicted until they are answered."""

    def oldest(self) -> Entry | None:
        """What has waited longest, taken or not; None: nothing waits, or the disk does not say."""

    def settle(self, answers: Sequence[Answer]) -> None:
        """Note what became of rows that were taken; answers for rows that are not there count nothing."""

    def close(self) -> None:
        """Bring to rest what can be; the books stay readable."""
