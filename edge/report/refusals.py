"""Rows a broker refuses for now: when each is tried again, and when anything is."""

import random

_FIRST_S, _LONGEST_S = 1.0, 60.0


class Refusals:
    """Pauses that double to a minute, with jitter so that a plant's devices do not come back in step.

    All rows pause together, since a refusal is most often about the topic or the broker's quota. A refused row pauses twice
    as long as all: if it is the only one that is refused, the others pass it.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._pause_s = 0.0
        self._until_s = float("-inf")
        self._rows: dict[int, tuple[float, float]] = {}  # id to its pause and the end of it

    @property
    def standing(self) -> bool:
        """Whether the last answer was a refusal: then one row at a time is tried."""
        return self._pause_s > 0

    def pausing(self, now_s: float) -> bool:
        """Whether nothing may be sent at this moment."""
        return now_s < self._until_s

    def not_due(self, now_s: float) -> list[int]:
        """Rows whose own pause has not passed."""
        return [row_id for row_id, (_, until_s) in self._rows.items() if now_s < until_s]

    def refuse(self, row_id: int, now_s: float) -> None:
        """This row was refused. Further ones that were on their way with it make no longer pause."""
        if not self.pausing(now_s):
            self._pause_s = min(max(_FIRST_S, 2 * self._pause_s), _LONGEST_S)
            self._until_s = now_s + self._jittered(self._pause_s)
        before_s, _ = self._rows.get(row_id, (0.0, 0.0))
        own_s = min(max(2 * self._pause_s, 2 * before_s), 2 * _LONGEST_S)
        self._rows[row_id] = (own_s, now_s + self._jittered(own_s))

    def accept(self, row_id: int) -> None:
        """This row was accepted: the broker takes results."""
        self._pause_s, self._until_s = 0.0, float("-inf")
        self._rows.pop(row_id, None)

    def forget(self, row_id: int) -> None:
        """This row is not tried again."""
        self._rows.pop(row_id, None)

    def _jittered(self, pause_s: float) -> float:
        return pause_s * self._chance.uniform(0.75, 1.25)
