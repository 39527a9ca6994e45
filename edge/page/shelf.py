"""What the loop leaves behind for the page: references, in constant time, whether or not anybody looks."""

import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from edge.report.message import Result
from edge.types import Decision, Frame, Reason, Shot, Verdict

TREND = 120
"""Results kept for the trend, about 2 kB each."""

REJECTS = 12
"""Rejected and undecided parts in the gallery."""

HELD_BYTES = 64 * 2**20
"""Pixels held for the gallery at most, where evidence does not keep the pictures: 4 of 5 megapixels, or all of 640×480.

With the newest part's and the one that the loop is busy with, that is the page's whole share of memory in frames.
"""

_NO_PART = frozenset(
    {
        Reason.CAMERA_LOST,
        Reason.FROZEN,
        Reason.WRONG_SETTINGS,
        Reason.SHIFT_CHECK_DUE,
        Reason.SHIFT_CHECK_FAILED,
    }
)
"""Nobody saw a part, so there is nothing to confirm, and a camera in trouble does not push the rejects out."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One judged shot, and when it was put here (monotonic seconds). Pixels and map are the loop's own, never written to."""

    shot: Shot
    verdict: Verdict
    result: Result
    at_mono_s: float


class Shelf:
    """The newest shot, the last results, the last rejects. The loop's thread puts, the page's takes; there is no lock.

    Each step is one operation of the interpreter on a deque or an attribute, so a reader sees the state before or after it.

    Args:
        on_disk: verdicts whose pictures evidence keeps ready to be shown; no frame is held for them.
    """

    def __init__(self, on_disk: Collection[Decision] = ()) -> None:
        self._on_disk = frozenset(on_disk)
        self._newest: Seen | None = None
        self._trend: deque[Result] = deque(maxlen=TREND)
        self._rejects: deque[Result] = deque(maxlen=REJECTS)
        self._held: deque[Seen] = deque()
        self._held_bytes = 0

    def saw(self, shot: Shot, verdict: Verdict, result: Result) -> None:
        """Called by the loop after each shot."""
        seen = Seen(shot, verdict, result, time.monotonic())
        if not result.purpose:
            self._trend.append(result)
            if result.verdict is not Decision.OK and result.reason not in _NO_PART:
                self._hold(seen)
                self._rejects.append(result)
        # Last, so that who sees it finds the rest.
        self._newest = seen

    @property
    def newest(self) -> Seen | None:
        """The last shot, a master part's too."""
        return self._newest

    def trend(self) -> list[Result]:
        """The last results of production, oldest first."""
        return list(self._trend.copy())

    def rejects(self) -> list[Result]:
        """The last rejected and undecided parts of production, newest first."""
        return list(reversed(self._rejects.copy()))

    def held(self, result_id: str) -> Seen | None:
        """A reject with its frame; None where none is held."""
        newest = self._newest
        if newest and newest.result.result_id == result_id:
            return newest
        return next((seen for seen in self._held.copy() if seen.result.result_id == result_id), None)

    def _hold(self, seen: Seen) -> None:
        if seen.result.verdict in self._on_disk or not isinstance(seen.shot, Frame):
            return
        self._held.append(seen)
        self._held_bytes += seen.shot.pixels.nbytes
        while len(self._held) > REJECTS or (self._held_bytes > HELD_BYTES and len(self._held) > 1):
            oldest = self._held.popleft().shot
            assert isinstance(oldest, Frame)  # noqa: S101 - nothing else is held
            self._held_bytes -= oldest.pixels.nbytes
