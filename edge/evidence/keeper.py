"""Which parts' pictures are kept, and that they are on the disk before anybody hears of the result."""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields, replace

from edge.events import EventCode, Events, Trouble
from edge.evidence.names import Name, name_of
from edge.evidence.pictures import overlay_file, raw_file
from edge.evidence.ring import Ring
from edge.host.pulse import Pulse
from edge.report.message import EvidenceRef, Result
from edge.types import Decision, Frame, Shot, Verdict

MOST_WAITING = 8
"""Pictures that wait for the disk; more come and go without being kept. Eight of 5 megapixels take 120 MB."""

HandOn = Callable[[Shot, Verdict, Result], None]
"""Called in order, once for each part, with the result that names its evidence."""


class Keeper:
    """Stands between judgement and sinks. Where nothing can be kept the result says null, and the line goes on.

    aside: encode and write in a thread of its own, so that a camera's next part is judged meanwhile. Results keep their
    order: those that need no evidence wait behind those that do.

    Args:
        ring: where the pictures go.
        keep: verdicts of which they are kept; master parts of the shift check are kept in any case.
        events: who is told when pictures cannot be kept, and when they can again.
        overlay: whether the verdict is drawn in a second picture.
        aside: see above.
    """

    def __init__(self, ring: Ring, keep: Collection[Decision], events: Events, *, overlay: bool, aside: bool) -> None:
        self._ring, self._keep, self._overlay = ring, frozenset(keep), overlay
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="evidence") if aside else None
        self._under_way: deque[Future[None]] = deque()
        self.pulse = Pulse()
        # Touched by both threads, with the lock.
        self._lock = threading.Lock()
        self._waiting = self._missing = 0
        self._trouble = Trouble(events, EventCode.EVIDENCE_LOST, EventCode.EVIDENCE_BACK)

    def put(self, shot: Shot, verdict: Verdict, result: Result, hand_on: HandOn) -> None:
        """Keep the picture if it is to be kept, then hand the result on; with `aside`, soon."""
        frame = shot if isinstance(shot, Frame) and (result.purpose or result.verdict in self._keep) else None
        if frame and not self._may_wait():
            frame = None
        if self._thread is None:
            self._write_and_hand_on(shot, frame, verdict, result, hand_on)
            return
        self._settle_finished()
        if frame is None:
            # Whoever only waits in line must not hold pixels and map in memory.
            shot = Shot(**{key.name: getattr(shot, key.name) for key in fields(Shot)})
            verdict = replace(verdict, heat=None)
        self._under_way.append(self._thread.submit(self._write_and_hand_on, shot, frame, verdict, result, hand_on))

    def close(self) -> None:
        """Bring to the disk and hand on what waits."""
        if self._thread:
            self._thread.shutdown(wait=True)
            self._settle_finished()

    def _settle_finished(self) -> None:
        """What went wrong in the other thread goes wrong here, too: it is no fault of the disk's."""
        while self._under_way and self._under_way[0].done():
            self._under_way.popleft().result()

    def _may_wait(self) -> bool:
        """Whether there is room for one more picture; then it is taken."""
        with self._lock:
            if self._waiting == MOST_WAITING:
                self._miss(f"{MOST_WAITING} wait for the disk already")
                return False
            self._waiting += 1
            return True

    def _write_and_hand_on(self, shot: Shot, frame: Frame | None, verdict: Verdict, result: Result, hand_on: HandOn) -> None:
        self.pulse.beat("evidence")
        hand_on(shot, verdict, self._with_evidence(frame, verdict, result) if frame else result)
        self.pulse.rest()

    def _with_evidence(self, frame: Frame, verdict: Verdict, result: Result) -> Result:
        name = name_of(frame.taken_utc, result.seq, frame.part_id)
        raw = raw_file(frame.pixels)
        drawn = overlay_file(frame.pixels, verdict, result.threshold) if self._overlay else None
        fault = self._write(name, raw, drawn)
        with self._lock:
            self._waiting -= 1
            if fault:
                self._miss(fault)
                return result
            # A disk that is a little too slow misses every other picture; that is one trouble until it has caught up.
            if self._waiting == 0:
                self._trouble.end(f"evidence.path: pictures are kept again; {self._missing} are missing")
                self._missing = 0
        found = EvidenceRef(path=name.raw, sha256=hashlib.sha256(raw).hexdigest(), overlay=name.overlay if drawn else None)
        return result.model_copy(update={"evidence": found})

    def _write(self, name: Name, raw: bytes, drawn: bytes | None) -> str:
        """Why it could not be written; empty if it is there."""
        try:
            self._ring.add(name, raw, drawn)
        except OSError as err:
            return err.strerror or str(err)
        return ""

    def _miss(self, why: str) -> None:
        """With the lock held."""
        self._missing += 1
        self._trouble.begin(f"evidence.path: pictures cannot be kept: {why}; going on without them")
