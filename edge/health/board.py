"""Counters beside the line: a few additions per part on the camera's thread, read by others without holding it up."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from edge.health.window import Window
from edge.types import Decision, Reason, Verdict

Kind = tuple[Decision, Reason]
Seen = TypeVar("Seen")

_TRIES, _PAUSE_S = 50, 0.001


@dataclass(frozen=True, slots=True)
class Tally:
    """How many results had each verdict and reason: parts of production, and samples of the shift check."""

    parts: Mapping[Kind, int]
    samples: Mapping[Kind, int]

    @property
    def results(self) -> int:
        """All of them."""
        return sum(self.parts.values()) + sum(self.samples.values())


@dataclass(slots=True)
class Board:
    """What one line has done since its start. One thread writes, the one that puts into the sinks; there is no lock.

    inspect_s: judging one picture; capture_s: from the picture's arrival to the verdict, in seconds. Shots without a picture
    are in neither.
    """

    began_s: float = field(default_factory=time.monotonic)
    inspect_s: Window = field(default_factory=Window)
    capture_s: Window = field(default_factory=Window)
    _parts: dict[Kind, int] = field(default_factory=dict)
    _samples: dict[Kind, int] = field(default_factory=dict)
    _begun: int = 0
    _told: int = 0

    def begin(self) -> None:
        """A result is about to be put into the sinks."""
        self._begun += 1

    def told(self, verdict: Verdict, inspect_s: float, capture_s: float, *, pictured: bool, sample: bool) -> None:
        """The result is in every sink. Durations as of `Board`."""
        counts = self._samples if sample else self._parts
        kind = verdict.decision, verdict.reason
        counts[kind] = counts.get(kind, 0) + 1
        if pictured:
            self.inspect_s.add(inspect_s)
            self.capture_s.add(capture_s)
        self._told += 1

    def tally(self) -> Tally:
        """The counts as they stand."""
        # dict.copy is one step for other threads; a loop over the dict would not be.
        return Tally(self._parts.copy(), self._samples.copy())

    def at_rest(self, look: Callable[[], Seen]) -> tuple[Seen, int]:
        """What `look` sees while no result is being put into the sinks, so that their books and ours are of one moment.

        The writer is never held up; the look is repeated instead. Returns what was seen, and by how many results the books
        may differ: 0, or more when the line was in a sink at each of many tries.
        """
        for _ in range(_TRIES):
            told = self._told
            seen = look()
            # Equal means that none was begun and not told when the look began, and none began since.
            in_hand = self._begun - told
            if not in_hand:
                break
            time.sleep(_PAUSE_S)
        return seen, in_hand
