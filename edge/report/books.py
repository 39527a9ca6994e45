"""What a sink can say of itself: what became of the results it was given, and how its connection is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol, runtime_checkable


class Loss(StrEnum):
    """Why a result will never arrive."""

    OVERFLOWED = "overflowed"  # no room to wait in
    EVICTED_OK = "evicted_ok"  # made room for others, by its verdict
    EVICTED_NOT_DECIDABLE = "evicted_not_decidable"
    EVICTED_NOK = "evicted_nok"
    DEAD = "dead"  # the receiver refuses it
    UNWRITTEN = "unwritten"  # the disk did not take it
    DAMAGED = "damaged"  # waited in a file that was found damaged


@dataclass(frozen=True, slots=True)
class Account:
    """The books of one sink since the start of the process, read at one moment.

    to: where the results go. carried: results of earlier boots that waited at the start. delivered, waiting and losses count
    those, too, so that at every moment::

        results put + carried = delivered + waiting + lost

    losses: each cause that the sink knows, 0 where there was none. oldest_waiting_s: for how long the oldest result waits,
    in seconds, where that is known; as of at most a second ago.
    """

    to: str
    delivered: int = 0
    waiting: int = 0
    losses: Mapping[Loss, int] = field(default_factory=dict)
    carried: int = 0
    oldest_waiting_s: float | None = None

    def plus(self, more: "Account") -> "Account":
        """The books of both, told under this one's name."""
        causes = {**self.losses, **more.losses}
        return replace(
            self,
            delivered=self.delivered + more.delivered,
            waiting=self.waiting + more.waiting,
            losses={cause: self.losses.get(cause, 0) + more.losses.get(cause, 0) for cause in causes},
            carried=self.carried + more.carried,
        )

    @property
    def lost(self) -> int:
        """All losses together."""
        return sum(self.losses.values())

    @property
    def put(self) -> int:
        """How many results were put into the sink, if its books are right."""
        return self.delivered + self.waiting + self.lost - self.carried


@runtime_checkable
class Accountable(Protocol):
    """A sink that keeps books. Any thread may ask."""

    def counts(self) -> Account:
        """The books; must not wait for a network or a disk."""


@dataclass(frozen=True, slots=True)
class Link:
    """A connection. since_s: monotonic, when it last changed, or the start; connects: how often it was made."""

    connected: bool
    since_s: float
    connects: int


@runtime_checkable
class Linked(Protocol):
    """A sink that has a connection over which more than results can be told. Any thread may ask."""

    def link(self) -> Link:
        """How the connection is."""

    def tell(self, leaf: str, payload: bytes, *, retain: bool) -> None:
        """Publish this beside the results as soon as that is possible; never blocks.

        Of what is retained only the newest of each leaf is kept until then, of other messages the newest hundred.
        """
