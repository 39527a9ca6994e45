"""From what the loop leaves behind and the line itself to what the page is told; asked for only while somebody looks."""

import math
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from edge.capture.sources import LiveSource
from edge.health.ask import Heard, troubles
from edge.health.checkup import Checkup
from edge.health.words import facts
from edge.host.clock import utc_now
from edge.loop import Line
from edge.page.rulings import Rulings
from edge.page.shelf import Seen, Shelf
from edge.page.state import Card, Fact, Gallery, HealthWords, Lamp, Now, Trend
from edge.page.words import plain
from edge.report.message import Result
from edge.shift.check import Phase
from edge.types import Decision, Frame, Origin

_LAMPS = {Decision.OK: Lamp.OK, Decision.NOK: Lamp.NOK, Decision.NOT_DECIDABLE: Lamp.NOT_DECIDABLE}
_WORDS = {
    Lamp.OK: "OK",
    Lamp.NOK: "NOK",
    Lamp.NOT_DECIDABLE: "NOT DECIDABLE",
    Lamp.SILENT: "NO NEWS",
    Lamp.PAUSED: "PAUSED",
    Lamp.SHIFT_CHECK: "SHIFT CHECK",
}
_ORIGINS = {
    Origin.REPLAY: "Replay: these are pictures of before, not the line",
    Origin.SIMULATED: "Simulated: no real parts are shown",
}
_RECENT = 20
"""Parts that takt and latency are the medians of."""


class News:
    """Puts together what the page shows of one line. silent_s: without a verdict for so long, the lamp is grey."""

    def __init__(self, line: Line, shelf: Shelf, checkup: Checkup, rulings: Rulings, silent_s: float) -> None:
        self._line, self._shelf, self._checkup = line, shelf, checkup
        self._rulings, self._silent_s = rulings, silent_s

    def now(self) -> Now:
        """The lamp and all that stands around it."""
        now_s, seen, trend = time.monotonic(), self._shelf.newest, self._shelf.trend()
        lamp, reason = self._lamp(seen, now_s)
        recipe, counts = self._line.controls.recipe, self._counts()
        result = seen.result if seen else None
        judged = lamp in {Lamp.OK, Lamp.NOK, Lamp.NOT_DECIDABLE}
        return Now(
            beat=math.floor(now_s),
            boot_id=self._line.boot.id,
            lamp=lamp,
            word=_WORDS[lamp],
            reason=reason,
            detail=result.detail if result and judged else "",
            notices=self._notices(now_s),
            seq=result.seq if result else None,
            part_id=result.part_id if result else "",
            job_id=result.job_id if result else None,
            score=result.score if result else None,
            threshold=result.threshold if result else recipe.manifest.threshold,
            age_s=math.floor(now_s - seen.at_mono_s) if seen else None,
            pictured=bool(seen and isinstance(seen.shot, Frame)),
            origin=self._line.origin.value,
            recipe=f"{recipe.manifest.name} {recipe.id[:12]}",
            counts=counts,
            first_pass=counts[Decision.OK] / total if (total := sum(counts.values())) else None,
            takt_s=_takt_s(trend[-_RECENT:]),
            latency_ms=median(r.latency_ms for r in trend[-_RECENT:]) if trend else None,
        )

    def trend(self) -> Trend:
        """Scores of the last parts."""
        results = self._shelf.trend()
        return Trend(
            last_seq=results[-1].seq if results else 0,
            scores=tuple(result.score for result in results),
            thresholds=tuple(result.threshold for result in results),
            verdicts=tuple(result.verdict for result in results),
        )

    def gallery(self) -> Gallery:
        """The last rejects with what was said of them."""
        now_s = time.monotonic()
        return Gallery(cards=tuple(self._card(result, now_s) for result in self._shelf.rejects()))

    def health(self) -> HealthWords:
        """How the station is; takes some milliseconds."""
        health, now_utc = self._checkup.health(), utc_now()
        found = troubles(Heard("itself", "online", health), now_utc)
        # "told" is for those who ask later; here it is always now.
        known = [Fact(what=what, words=words) for what, words in facts(health, now_utc) if what != "told"]
        return HealthWords(troubles=tuple(found), facts=tuple(known))

    def _lamp(self, seen: Seen | None, now_s: float) -> tuple[Lamp, str]:
        gate = self._line.gate
        if self._line.controls.paused:
            return Lamp.PAUSED, "No part is judged until the line is resumed"
        if gate and gate.awaits:
            return Lamp.SHIFT_CHECK, f"Lay down {gate.awaits}"
        if seen is None:
            return Lamp.SILENT, "No part has been judged yet"
        if now_s - seen.at_mono_s > self._silent_s:
            return Lamp.SILENT, f"No part was judged for more than {self._silent_s:g} s"
        if seen.result.purpose:
            return Lamp.SILENT, "The last picture showed a sample of the shift check"
        return _LAMPS[seen.result.verdict], plain(seen.result)

    def _notices(self, now_s: float) -> tuple[str, ...]:
        line, found = self._line, list[str]()
        if line.gate and line.gate.phase is Phase.BLOCKED:
            found.append("The shift check failed: no part is judged until a new round comes out right")
        feed = line.source.feed() if isinstance(line.source, LiveSource) else None
        if feed and not feed.up:
            found.append(f"No pictures have come for {now_s - feed.since_s:.0f} s")
        elif feed and feed.fault:
            found.append(f"No part is judged, {feed.fault.reason}: {feed.fault.detail}")
        if words := _ORIGINS.get(line.origin):
            found.append(words)
        return tuple(found)

    def _counts(self) -> Counter[Decision]:
        counts = Counter(dict.fromkeys(Decision, 0))
        for (verdict, _reason), count in self._line.board.tally().parts.items():
            counts[verdict] += count
        return counts

    def _card(self, result: Result, now_s: float) -> Card:
        ruled = self._rulings.of(result.result_id)
        return Card(
            result_id=result.result_id,
            part_id=result.part_id,
            job_id=result.job_id,
            verdict=result.verdict,
            reason=plain(result),
            detail=result.detail,
            score=result.score,
            threshold=result.threshold,
            taken_utc=result.taken_utc.isoformat(),
            ruling=ruled.ruling if ruled else None,
            who=ruled.who if ruled else "",
            undoable=bool(ruled and ruled.undoable(now_s)),
        )


def _takt_s(results: Sequence[Result]) -> float | None:
    """Median time between two parts. By the wall clock, so a step of it moves one of them."""
    steps = [(later.taken_utc - earlier.taken_utc).total_seconds() for earlier, later in pairwise(results)]
    return median(steps) if steps else None
