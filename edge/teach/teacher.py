"""A part that was rejected and that a person accepts becomes part of what is good, without torch and without a restart."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from edge.capture.pictures import MAX_FILE_BYTES, decode_picture
from edge.command.controls import Controls
from edge.errors import BadPicture, GoodpartError, NotTaught
from edge.events import EventCode, Events
from edge.host.clock import utc_now
from edge.host.priority import step_back
from edge.recipe.recipe import Recipe
from edge.report.message import Result
from edge.strict import read_limited
from edge.teach.config import TeachConfig
from edge.teach.entry import TaughtEntry, UndoneEntry, packed
from edge.teach.guard import Guard
from edge.teach.ledger import Ledger, in_force, taught_lately
from edge.teach.lesson import is_reject, make_lesson
from edge.teach.rejects import Reject, Rejects


class Teacher:
    """Teaches and takes back, one at a time. Any thread may call any of it; who calls waits, and the line does not.

    A part is tried in a thread of its own with an eye of its own, and the line gets a recipe with its patches between two
    parts. What was taught for a recipe is in force from the moment that this is made, and whenever that recipe is in use.

    Args:
        controls: where the line's recipe is.
        ledger: what was taught before, and will be.
        limits: what may be taught.
        rejects: which parts were rejected lately.
        evidence: folder of their pictures.
        guard: what must stay rejected.
        events: who is told.
        clock: the time.
    """

    def __init__(
        self,
        controls: Controls,
        ledger: Ledger,
        limits: TeachConfig,
        rejects: Rejects,
        evidence: Path,
        guard: Guard,
        events: Events,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._controls, self._ledger, self._limits = controls, ledger, limits
        self._rejects, self._evidence, self._guard = rejects, evidence, guard
        self._events, self._clock = events, clock
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="teach", initializer=step_back)
        controls.dress_with(self._dressed)

    def taught(self) -> tuple[TaughtEntry, ...]:
        """Parts that count as good for the recipe in use, in the order in which they were taught."""
        return _taught_for(self._controls.recipe, self._ledger)

    def accept(self, part: str, who: str, reason: str) -> str:
        """Teach a part, named by its result's id or the name of its picture in the evidence; returns a sentence.

        who: accepted it, and why.

        Raises:
            NotTaught: why not; nothing has changed.
        """
        return self._alone(lambda: self._teach(part, who, reason), f"{part}, accepted by {who}")

    def undo(self, who: str, reason: str, part: str | None = None) -> str:
        """Take a part back, the last one of the recipe in use where none is named; returns a sentence.

        Raises:
            NotTaught: there is no such part; nothing has changed.
        """
        return self._alone(lambda: self._take_back(who, reason, part), f"{part or 'the last part'}, taken back by {who}")

    def _alone(self, work: Callable[[], str], what: str) -> str:
        try:
            return self._worker.submit(work).result()
        except GoodpartError as err:
            self._events.say(EventCode.TEACHING_REFUSED, f"teach: {what}: refused: {err}")
            raise NotTaught(str(err)) from None

    def close(self) -> None:
        """Let what is being taught end; then another process may have the ledger."""
        self._worker.shutdown(wait=True)
        self._ledger.close()

    def _dressed(self, recipe: Recipe) -> Recipe:
        parts = _taught_for(recipe, self._ledger)
        if tuple(part.evidence for part in parts) == tuple(part.picture for part in recipe.taught):
            return recipe
        return recipe.with_taught(tuple(entry.part() for entry in parts), self._limits.reach)

    def _teach(self, key: str, who: str, reason: str) -> str:
        recipe, now = self._controls.recipe, self._clock()
        _refuse_other_threshold(recipe)
        self._refuse_too_many(recipe, now)
        reject = self._rejects.find(key)
        if reject is None:
            raise NotTaught(
                "no rejected part with a picture here has this id; give that of a result, or the picture's name."
            )
        if any(entry.evidence == reject.picture for entry in _taught_for(recipe, self._ledger)):
            raise NotTaught("is taught already.")
        if reject.result:
            _refuse_other_results(reject.result, recipe)
        raw = _read(self._evidence, reject)
        try:
            pixels = decode_picture(raw, reject.picture)
        except BadPicture as err:
            raise NotTaught(str(err)) from None
        lesson = make_lesson(recipe, pixels, reject.picture, reject.result, self._limits, self._guard)
        entry = TaughtEntry(
            time_utc=now,
            recipe_id=recipe.id,
            recipe_name=recipe.manifest.name,
            result_id=reject.result.result_id if reject.result else None,
            part_id=reject.result.part_id if reject.result else Path(reject.picture).stem,
            evidence=reject.picture,
            evidence_sha256=hashlib.sha256(raw).hexdigest(),
            who=who,
            reason=reason,
            threshold=recipe.manifest.doubtful_above,
            score_before=lesson.score_before,
            score_after=lesson.score_after,
            places=tuple(int(place) for place in lesson.part.places),
            patches=packed(lesson.part.patches),
        )
        self._write(entry)
        return self._say_taught(entry)

    def _refuse_too_many(self, recipe: Recipe, now: datetime) -> None:
        limits, lately = self._limits, taught_lately(self._ledger.entries, now)
        if lately >= limits.most_per_day:
            raise NotTaught(f"{lately} parts were taught in 24 hours, and teach.most_per_day is {limits.most_per_day}.")
        if (parts := len(_taught_for(recipe, self._ledger))) >= limits.most_parts:
            raise NotTaught(
                f"{parts} parts are taught, and teach.most_parts is {limits.most_parts}; build a recipe with such parts, or "
                f"take some back."
            )

    def _take_back(self, who: str, reason: str, key: str | None) -> str:
        gone = self._named(key) if key else self._last()
        self._write(
            UndoneEntry(time_utc=self._clock(), recipe_id=gone.recipe_id, evidence=gone.evidence, who=who, reason=reason)
        )
        left = f"{len(in_force(self._ledger.entries, gone.recipe_id))} parts are taught for recipe {gone.recipe_name}"
        self._events.say(
            EventCode.TEACHING_UNDONE,
            f"part {gone.part_id} counts as good no longer, taken back by {who} ({reason}); {left}",
        )
        return f"part {gone.part_id} counts as good no longer; {left}"

    def _last(self) -> TaughtEntry:
        if not (parts := self.taught()):
            raise NotTaught(f"nothing is taught for recipe {self._controls.recipe.manifest.name}.")
        return parts[-1]

    def _named(self, key: str) -> TaughtEntry:
        """A part by its name, of another recipe, too: a mistake must not come back with the recipe that learned it."""
        entries = self._ledger.entries
        recipes = dict.fromkeys(entry.recipe_id for entry in entries if entry.recipe_id != self._controls.recipe.id)
        for recipe_id in (self._controls.recipe.id, *reversed(recipes)):
            if meant := [entry for entry in in_force(entries, recipe_id) if entry.called(key)]:
                return meant[-1]
        raise NotTaught(f"{key} is not taught.")

    def _write(self, entry: TaughtEntry | UndoneEntry) -> None:
        """On the disk first, then in force."""
        try:
            self._ledger.append(entry)
        except OSError as err:
            raise NotTaught(f"teach.file cannot be written: {err.strerror}; make room, nothing has changed.") from None
        self._controls.change_recipe(lambda recipe: recipe)

    def _say_taught(self, entry: TaughtEntry) -> str:
        parts = len(in_force(self._ledger.entries, entry.recipe_id))
        how = (
            f"{len(entry.places)} patches, score {entry.score_before:.4g} becomes {entry.score_after:.4g}, threshold "
            f"{entry.threshold:.4g}; {parts} parts are taught for recipe {entry.recipe_name}"
        )
        self._events.say(
            EventCode.PART_TAUGHT,
            f"part {entry.part_id} counts as good from now on, accepted by {entry.who} ({entry.reason}): {how}",
        )
        return (
            f"part {entry.part_id} counts as good from now on: {how}; no more good parts are rejected than was promised, "
            f"but more defects may escape"
        )


def _taught_for(recipe: Recipe, ledger: Ledger) -> tuple[TaughtEntry, ...]:
    return in_force(ledger.entries, recipe.id)


def _refuse_other_threshold(recipe: Recipe) -> None:
    """How far above the threshold a part lies, and what stays rejected, is tried against the one in force.

    Taking back needs no such care: it only makes more parts strange.
    """
    if recipe.threshold_command_id is not None:
        raise NotTaught(
            f"threshold {recipe.manifest.threshold:.4g} was set by command {recipe.threshold_command_id}, and parts are "
            f"taught against the sealed one; activate recipe {recipe.manifest.name} again or restart the station first."
        )


def _refuse_other_results(result: Result, recipe: Recipe) -> None:
    if result.recipe_id != recipe.id:
        raise NotTaught(f"was judged by recipe {result.recipe_name} {result.recipe_id[:12]}, which is not in use.")
    if result.purpose is not None:
        raise NotTaught(f"is {result.sample}, a sample of the shift check, and no part.")
    if not is_reject(result.reason):
        raise NotTaught(f"was {result.verdict} {result.reason}; only parts above the threshold can be taught.")


def _read(folder: Path, reject: Reject) -> bytes:
    """The picture's bytes, those that were judged."""
    path = (folder / reject.picture).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise NotTaught(f"{reject.picture} is not in the evidence folder.")
    raw = read_limited(path, MAX_FILE_BYTES, NotTaught)
    if reject.sha256 is not None and hashlib.sha256(raw).hexdigest() != reject.sha256:
        raise NotTaught(f"{reject.picture} is not the file that was judged; somebody has changed it.")
    return raw
