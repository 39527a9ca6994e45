"""Parts that are both in the bank and among the goods for the threshold, which then promises what it cannot keep."""

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.audit.duplicates import Pair
from calibration.audit.seen import Seen


@dataclass(frozen=True, slots=True)
class Leak:
    """Numbers of a picture for the bank and of one for the threshold; why: how they are known to be of one part."""

    bank: int
    held_out: int
    why: str


_WHY = {"bytes": "the same file", "pixels": "the same pixels", "near": "the same picture or part by its looks"}


def leaks(seen: Sequence[Seen], pairs: Sequence[Pair]) -> tuple[Leak, ...]:
    """One for each picture of the bank that shows a part of the other side, the surest first.

    pairs: of all pictures, as `duplicates` finds them.
    """
    found: dict[int, Leak] = {}
    for pair in pairs:
        if seen[pair.one].held_out != seen[pair.other].held_out:
            bank, held_out = (pair.other, pair.one) if seen[pair.one].held_out else (pair.one, pair.other)
            found.setdefault(bank, Leak(bank, held_out, _WHY[pair.sameness]))
    of_part = {one.good.part_id: i for i, one in enumerate(seen) if one.held_out}
    for i, one in enumerate(seen):
        if not one.held_out and one.good.part_id in of_part:
            found.setdefault(i, Leak(i, of_part[one.good.part_id], f"the part id {one.good.part_id}"))
    return tuple(found.values())
