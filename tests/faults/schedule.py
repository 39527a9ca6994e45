"""A seed makes a list of faults, always the same: what goes wrong, when, for how long, and what at once."""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can go wrong."""

    DEVICE_KILLED = "device killed"
    BROKER_KILLED = "broker killed"
    BROKER_STOPPED = "broker stopped in order"
    BROKER_HANGS = "broker hangs"
    LINK_CUT = "link cut"
    LINK_RESET = "link reset"
    LINK_STALLS = "link stalls"
    LINK_SLOW = "link slow"
    CLOCK_AHEAD = "clock steps ahead"
    CLOCK_BACK = "clock steps back"
    DISK_FULL = "disk full"
    ACL_DENIES = "ACL denies"

    @property
    def victim(self) -> str:
        """Who suffers it: device, broker, link, clock, disk or ACL; one suffers one fault at a time."""
        return self.split()[0]


CLOCK_HOURS = (1.0, 20.0)
SLOW_BYTES_PER_S = (2_000.0, 20_000.0)
"""A result has about 1,100 bytes."""

_JOINED = 0.4
"""By this chance a fault does not come alone."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of an episode. begins_s: after the episode's beginning. amount: hours of a clock, bytes per s of a link."""

    kind: Kind
    begins_s: float
    lasts_s: float
    amount: float = 0.0

    @property
    def ends_s(self) -> float:
        """After the episode's beginning."""
        return self.begins_s + self.lasts_s

    def __str__(self) -> str:
        unit = "B/s" if self.kind is Kind.LINK_SLOW else "h"
        how_much = f" {self.amount:+.0f} {unit}" if self.amount else ""
        return f"{self.kind}{how_much}, {self.begins_s:.1f} to {self.ends_s:.1f} s"


@dataclass(frozen=True, slots=True)
class Episode:
    """After `rest_s` in which all is well: one fault, or two of which the second begins while the first lasts."""

    rest_s: float
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return " + ".join(map(str, self.faults))


def episodes(seed: int, longest_s: float, kinds: Collection[Kind] = tuple(Kind)) -> Iterator[Episode]:
    """Round after round without end: each round has every kind once, in another order, and some of them at once.

    Args:
        seed: of the chance by which everything is drawn.
        longest_s: how long a fault may last.
        kinds: those that can be done here.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    while True:
        yield from _round(chance, longest_s, sorted(kinds))


def one_round(seed: int, longest_s: float, kinds: Collection[Kind] = tuple(Kind)) -> list[Episode]:
    """The first round of `episodes`."""
    return list(_round(random.Random(seed), longest_s, sorted(kinds)))  # noqa: S311 - nothing secret


def _round(chance: random.Random, longest_s: float, kinds: list[Kind]) -> Iterator[Episode]:
    chance.shuffle(kinds)
    any_joined = False
    while kinds:
        first = _draw(chance, kinds.pop(0), longest_s, 0.0)
        others = [kind for kind in kinds if kind.victim != first.kind.victim]
        # The last chance for two at once is taken.
        last = not any_joined and len({kind.victim for kind in kinds[1:]}) < 2
        if others and (last or chance.random() < _JOINED):
            kinds.remove(others[0])
            any_joined = True
            second = _draw(chance, others[0], longest_s, chance.uniform(0.1, 0.9) * first.lasts_s)
            yield Episode(chance.uniform(0.2, 1.0), (first, second))
        else:
            yield Episode(chance.uniform(0.2, 1.0), (first,))


def _draw(chance: random.Random, kind: Kind, longest_s: float, begins_s: float) -> Fault:
    match kind:
        case Kind.CLOCK_AHEAD:
            amount = chance.uniform(*CLOCK_HOURS)
        case Kind.CLOCK_BACK:
            amount = -chance.uniform(*CLOCK_HOURS)
        case Kind.LINK_SLOW:
            amount = chance.uniform(*SLOW_BYTES_PER_S)
        case _:
            amount = 0.0
    return Fault(kind, begins_s, chance.uniform(0.5, 1.0) * longest_s, amount)
