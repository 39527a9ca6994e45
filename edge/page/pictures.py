"""Pictures for the page: drawn and encoded when somebody asks, in the page's own thread, once for all who look."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import cv2

from edge.evidence.names import name_of
from edge.page.shelf import REJECTS, Seen, Shelf
from edge.report.message import Result
from edge.report.overlay import marked
from edge.types import Frame

LIVE_STEP_S = 0.25
"""At most four live pictures a second are drawn, however many look and however fast the line is."""

_LONGEST = 960
"""Of a picture on the page, in pixels: more than a tablet shows of it."""

_JPEG_QUALITY = 82
_WRITTEN_WITHIN_S, _LOOK_AGAIN_S = 3.0, 0.1
"""Evidence is written beside the line, so the page may hear of a reject before its picture is on the disk."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A JPEG and the result that it shows."""

    result: Result
    jpeg: bytes


class Painter:
    """Used by the page's thread alone, which draws one picture at a time.

    evidence: the folder where pictures of rejects are kept with their overlay; None where there is none.
    """

    def __init__(self, shelf: Shelf, evidence: Path | None) -> None:
        self._shelf, self._evidence = shelf, evidence
        self._live: Drawn | None = None
        self._next_s = 0.0
        self._rejects: OrderedDict[str, bytes] = OrderedDict()

    async def live(self) -> Drawn | None:
        """The newest picture, at the earliest a quarter of a second after the last; None where there is none."""
        while not self._is_live() and (wait_s := self._next_s - time.monotonic()) > 0:
            await asyncio.sleep(wait_s)
        if not self._is_live():
            seen = self._shelf.newest
            self._next_s = time.monotonic() + LIVE_STEP_S
            jpeg = _draw(seen) if seen else None
            self._live = Drawn(seen.result, jpeg) if seen and jpeg else None
        return self._live

    async def reject(self, result: Result) -> bytes | None:
        """A reject's picture: of what is held in memory, else from the evidence; None where nobody has it any more."""
        if jpeg := self._rejects.get(result.result_id):
            return jpeg
        seen = self._shelf.held(result.result_id)
        jpeg = (_draw(seen) if seen else None) or await self._from_evidence(result)
        if jpeg:
            self._rejects[result.result_id] = jpeg
            if len(self._rejects) > REJECTS:
                self._rejects.popitem(last=False)
        return jpeg

    def _is_live(self) -> bool:
        newest = self._shelf.newest
        return self._live is not None and newest is not None and newest.result is self._live.result

    async def _from_evidence(self, result: Result) -> bytes | None:
        if self._evidence is None:
            return None
        path = self._evidence / name_of(result.taken_utc, result.seq, result.part_id).overlay
        until_s = time.monotonic() + _WRITTEN_WITHIN_S
        while True:
            try:
                return await asyncio.to_thread(path.read_bytes)
            except OSError:
                if time.monotonic() > until_s:
                    return None
            await asyncio.sleep(_LOOK_AGAIN_S)


def _draw(seen: Seen) -> bytes | None:
    if not isinstance(seen.shot, Frame):
        return None
    drawn = marked(seen.shot.pixels, seen.verdict, seen.result.threshold, _LONGEST)
    return cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
