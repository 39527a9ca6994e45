"""What the good parts so far could promise, and how many the default promise takes."""

import itertools
from dataclasses import dataclass

from calibration.threshold.order import best_promise, most_held_out, parts_needed

MAX_FALSE_REJECT, CONFIDENCE = 0.05, 0.95
"""The promise that `goodpart calibrate build` makes by itself."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """needed: parts for the default promise. could: the smallest share of false rejects these could promise, if any."""

    parts: int
    needed: int
    could: float | None

    @property
    def missing(self) -> int:
        """How many more parts the default promise takes."""
        return max(0, self.needed - self.parts)


def outlook(parts: int) -> Outlook:
    """For so many good parts, as `calibration.threshold.plan_held_out` would decide."""
    held_out = parts_needed(MAX_FALSE_REJECT, CONFIDENCE)
    needed = next(count for count in itertools.count(held_out) if most_held_out(count) >= held_out)
    spared = most_held_out(parts)
    return Outlook(parts, needed, best_promise(spared, CONFIDENCE) if spared > 0 else None)
