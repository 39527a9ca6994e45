"""The challenger's own thread: it takes the newest picture when it is free, and whatever happens to it, the line goes on."""

import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge.events import EventCode, Events
from edge.health.window import Quantiles, Window
from edge.host.ending import abandon
from edge.host.priority import step_back
from edge.loop import inspect
from edge.recipe.recipe import Recipe
from edge.report.message import Result
from edge.shadow.counts import Agreement, in_words
from edge.shadow.message import ShadowReport, make_report
from edge.types import Frame, Shot, Verdict

log = logging.getLogger(__name__)

_MOST_TOLD = 64
"""Results remembered until the challenger has judged their part; pictures on their way to the disk are far fewer."""

_PATIENCE_S = 10.0
"""For a result that waits until its evidence is on the disk; longer, and the comparison goes without."""

_GOODBYE_S = 2.0


class State(StrEnum):
    """What the challenger does."""

    JUDGING = "JUDGING"
    RESTING = "RESTING"  # it is the recipe in use itself
    ENDED = "ENDED"


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands since the recipe in use came into use. skipped: parts that came while the challenger was busy."""

    recipe_name: str
    recipe_id: str
    state: State
    counts: Mapping[Agreement, int]
    skipped: int
    inspect_s: Quantiles | None


class Shadow:
    """Judges one of `every` parts of production with a challenger. One picture waits at most, the newest.

    It is a sink as well, which hears of each result when its evidence is on the disk.

    Args:
        challenger: opened for one thread, and used by nobody else.
        every: see above.
        tell: called with each comparison, in the challenger's thread.
        events: who is told that it has dropped out.
    """

    waiting = lost = 0

    def __init__(self, challenger: Recipe, every: int, tell: Callable[[ShadowReport], None], events: Events) -> None:
        self._challenger, self._every, self._tell, self._events = challenger, every, tell, events
        # With the lock of `_changed`.
        self._changed = threading.Condition()
        self._next: tuple[Frame, Result] | None = None
        self._told: OrderedDict[str, Result] = OrderedDict()
        self._champion_id = ""
        self._counts: Counter[Agreement] = Counter()
        self._seen = self._skipped = 0
        self._state = State.JUDGING
        self._closing = False
        self._inspect_s = Window()
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    @property
    def standing(self) -> Standing:
        """How it stands. Any thread may ask."""
        with self._changed:
            card, counts = self._challenger.manifest, dict(self._counts)
            skipped, state = self._skipped, self._state
        return Standing(card.name, self._challenger.id, state, counts, skipped, self._inspect_s.quantiles())

    def saw(self, shot: Shot, verdict: Verdict, result: Result) -> None:  # noqa: ARG002 - the result says the verdict, too
        """Take a part that the line has judged, if it is one to compare; never waits."""
        # A sample shows nothing that is to be judged, and of a part without a score the recipe has said nothing.
        if not isinstance(shot, Frame) or result.purpose is not None or result.score is None:
            return
        with self._changed:
            if self._state is State.ENDED:
                return
            self._begin_anew_with(result.recipe_id)
            if self._state is State.RESTING:
                return
            self._seen += 1
            if (self._seen - 1) % self._every:
                return
            self._skipped += self._next is not None
            self._next = shot, result
            self._changed.notify_all()

    def put(self, result: Result) -> None:
        """Hear of a result as it is told to everybody."""
        with self._changed:
            self._told[result.result_id] = result
            if len(self._told) > _MOST_TOLD:
                self._told.popitem(last=False)
            self._changed.notify_all()

    def close(self) -> None:
        """Say how it ended, once what is in work is done, for a bounded time; what waits is skipped."""
        with self._changed:
            self._closing = True
            self._skipped += self._next is not None
            self._next = None
            self._changed.notify_all()
        self._thread.join(_GOODBYE_S)
        abandon(self._thread)
        standing = self.standing
        log.warning(
            "shadow: challenger %s: %s, %d skipped", standing.recipe_name, in_words(standing.counts), standing.skipped
        )

    def _begin_anew_with(self, champion_id: str) -> None:
        """Counts are of two recipes; when the line gets another one, theirs are over."""
        if champion_id == self._champion_id:
            return
        if self._counts:
            log.warning("shadow: another recipe is in use; until then %s, %d skipped", in_words(self._counts), self._skipped)
        self._champion_id, self._counts, self._seen, self._skipped = champion_id, Counter(), 0, 0
        self._state = State.RESTING if champion_id == self._challenger.id else State.JUDGING

    def _run(self) -> None:
        step_back()
        try:
            while taken := self._take():
                self._compare(*taken)
        except Exception as err:
            # Whatever an encoder or the memory does to the challenger must not reach the line.
            log.exception("shadow: the challenger failed")
            with self._changed:
                self._state, self._next = State.ENDED, None
            self._events.say(
                EventCode.SHADOW_ENDED,
                f"shadow: challenger {self._challenger.manifest.name} drops out: {type(err).__name__}; the line goes on",
            )

    def _take(self) -> tuple[Frame, Result] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._next or self._closing)
            taken, self._next = self._next, None
            return taken

    def _compare(self, frame: Frame, result: Result) -> None:
        began_s = time.monotonic()
        verdict = inspect(frame, self._challenger)
        self._inspect_s.add(time.monotonic() - began_s)
        del frame  # while the disk is waited for, nobody needs the picture
        with self._changed:
            self._changed.wait_for(lambda: result.result_id in self._told or self._closing, _PATIENCE_S)
            result = self._told.get(result.result_id, result)
        report = make_report(result, verdict, self._challenger)
        with self._changed:
            if result.recipe_id == self._champion_id:
                self._counts[report.agreement] += 1
        self._tell(report)
