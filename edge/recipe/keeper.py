"""The recipes of a running station: which one judges, what its trial has shown, and all of it on the disk."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.errors import BadRecipe, GoodpartError
from edge.events import EventCode, Events
from edge.host.clock import utc_now
from edge.recipe.config import RecipeStoreConfig
from edge.recipe.manifest import MANIFEST_FILE, sha256
from edge.recipe.opener import Opener
from edge.recipe.promise import promised_share
from edge.recipe.proving import Doubted, Proved, Proving
from edge.recipe.recipe import Recipe
from edge.recipe.slot_file import owning, read_slots, write_slots
from edge.recipe.slots import Held, Slots, Trial
from edge.recipe.store import RecipeStore
from edge.strict import MAX_JSON_BYTES, read_limited
from edge.types import Verdict

log = logging.getLogger(__name__)

Swap = Callable[[Recipe], None]
"""Puts another recipe in the place of the one that judges, between two parts."""


class SlotKeeper:
    """Owns the store while a station runs; states and their changes are those of `edge.recipe.slots`.

    Entered before the line starts. `judged` belongs to the line's thread and never waits; the rest may be called by any
    thread. A change is on the disk before it is in force, but for the way back: that is taken even if the disk refuses.

    Raises, when it is entered:
        InUse: another process has the store.
        BadConfig: the store cannot be used.
    """

    def __init__(self, config: RecipeStoreConfig, opener: Opener, events: Events) -> None:
        self._config, self._opener, self._events = config, opener, events
        self.store = RecipeStore(Path(config.path))
        self._changing = threading.Lock()
        self._stack = ExitStack()
        self._slots: Slots  # from `begin` on
        self._begun = False
        self._proving: Proving | None = None
        self._settler: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.store.make()
        self._stack.enter_context(owning(self.store.folder))
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        with self._stack:
            if self._settler:
                self._settler.join()
            # Whatever was not meant may be the trial's doing, and counts as a death of it.
            begun, self._begun = self._begun, False
            if begun and (kind is None or issubclass(kind, GoodpartError | KeyboardInterrupt)):
                self._end()

    @property
    def trial_parts(self) -> int:
        """After how many a recipe is good."""
        return self._config.trial_parts

    @property
    def slots(self) -> Slots:
        """Who judges; the parts of a trial are counted up to now."""
        with self._changing:
            return self._counted()

    def begin(self, first: Path) -> Recipe:
        """What the line begins with; `first` is what the store begins with, once.

        Raises:
            BadRecipe, BadEncoder: the good recipe cannot be used.
        """
        slots = read_slots(self.store.folder)
        if slots is None:
            slots = Slots(good=self.store.add(first, self._opener.signed))
            write_slots(self.store.folder, slots)
        elif _id_of(first) != slots.in_use.id:
            log.warning("recipe: %s does not judge: the recipe store says that %s does", first, slots.in_use)
        self._slots = slots
        recipe = self._open_trial(slots) or self._open_good()
        self._begun = True
        self._tidy()
        return recipe

    def activate(self, wanted: Path | str, swap: Swap) -> Recipe:
        """Judge with a recipe on trial: one of a folder, which is copied into the store, or one of the store by name or id.

        Raises:
            BadRecipe, BadEncoder: it cannot be used; what judges goes on.
        """
        held = self.store.add(wanted, self._opener.signed) if isinstance(wanted, Path) else self.store.find(wanted)
        recipe = self._opener.open_new(self.store.path_of(held))
        self._is_that(recipe, held)
        with self._changing:
            self._must_run()
            slots = self._slots.activated(held, utc_now(), running=True)
            write_slots(self.store.folder, slots)
            self._take(slots, recipe)
            swap(recipe)
        trial = f", on trial for {self._config.trial_parts} parts" if slots.trial else ""
        self._events.say(EventCode.RECIPE_ACTIVATED, f"recipe {held} judges from now on{trial}")
        self._tidy()
        return recipe

    def roll_back(self, why: str, swap: Swap) -> Recipe:
        """Judge without the trial, or with what was good before. why: said in the event.

        Raises:
            BadRecipe, BadEncoder: there is nothing to go back to, or it cannot be used; or the disk cannot note it.
        """
        with self._changing:
            before = self._slots
        return self._go_back(before, why, swap)

    def _go_back(self, before: Slots, why: str, swap: Swap) -> Recipe:
        """before: what is left, and nothing that has come into use since."""
        recipe = self._open(before.rolled_back().in_use)
        with self._changing:
            self._must_run()
            if (self._slots.in_use, self._slots.all) != (before.in_use, before.all):
                raise BadRecipe(f"recipe {self._slots.in_use} has come into use meanwhile; ask again if it is to go, too.")
            # A doubt may have been noted meanwhile.
            after = self._slots.rolled_back()
            self._take(after, recipe)
            swap(recipe)
            fault = self._fault_of_noting(after)
        self._say_rolled_back(before.in_use, after.in_use, why)
        self._events.say(EventCode.RECIPE_ACTIVATED, f"recipe {after.in_use} judges from now on")
        if fault:
            raise BadRecipe(f"recipe {after.in_use} judges now, but perhaps not after a restart: {fault}")
        return recipe

    def judged(self, recipe: Recipe, verdict: Verdict, swap: Swap) -> None:
        """One part of production has been judged; with another threshold than the sealed one that proves nothing."""
        proving = self._proving
        if proving is None or recipe.threshold_command_id is not None:
            return
        if found := proving.judged(recipe.id, verdict):
            settle = (self._settler, recipe.id, found, swap)
            self._settler = threading.Thread(target=self._settle, args=settle, name="trial", daemon=True)
            self._settler.start()

    def _settle(self, before: threading.Thread | None, recipe_id: str, found: Proved | Doubted, swap: Swap) -> None:
        """Here alone parts decide what becomes of a trial: one finding after the other, as the line's thread had them."""
        if before:
            before.join()
        try:
            if isinstance(found, Proved):
                self._confirm(recipe_id)
            else:
                self._doubt(recipe_id, found.why, swap)
        except GoodpartError as err:
            log.error("the trial of recipe %s: %s", recipe_id[:12], err)

    def _confirm(self, recipe_id: str) -> None:
        """The trial is good, but never while it is in doubt and should have been rolled back: that has failed."""
        with self._changing:
            trial = self._on_trial(recipe_id)
            if trial is None:
                return
            if self._must_go(trial):
                raise BadRecipe(
                    "it is in doubt and so not good, whatever it has judged since; the next start rolls it back."
                )
            slots = self._slots.confirmed()
            write_slots(self.store.folder, slots)
            self._slots = slots
        self._events.say(EventCode.RECIPE_CONFIRMED, f"recipe {trial.recipe} is good after its trial")

    def _doubt(self, recipe_id: str, why: str, swap: Swap) -> None:
        """Told, noted, and acted on if the station file says so, even if the disk refuses the note."""
        with self._changing:
            trial = self._on_trial(recipe_id)
            if trial is None:
                return
            self._slots = doubted = self._slots.doubted(why)
            fault = self._fault_of_noting(doubted)
        self._events.say(EventCode.RECIPE_DOUBTED, f"recipe {trial.recipe} on trial: {why}")
        if fault:
            log.error("the doubt about recipe %s may be forgotten at the next start: %s", trial.recipe, fault)
        if self._config.on_doubt == "rollback":
            self._go_back(doubted, why, swap)

    def _on_trial(self, recipe_id: str) -> Trial | None:
        trial = self._slots.trial
        return trial if trial and trial.recipe.id == recipe_id else None

    def _must_go(self, trial: Trial) -> bool:
        return bool(trial.doubt) and self._config.on_doubt == "rollback"

    def _open_trial(self, slots: Slots) -> Recipe | None:
        """The recipe on trial; None where the good one must judge."""
        started = slots.started()
        if started.trial is None:
            return None
        held, deaths = started.trial.recipe, started.trial.deaths
        try:
            if deaths >= self._config.trial_deaths:
                raise BadRecipe(f"{deaths} processes died while it was on trial.")
            if self._must_go(started.trial):
                raise BadRecipe(f"it was in doubt before this start: {started.trial.doubt}.")
            write_slots(self.store.folder, started)
            recipe = self._open(held)
        except GoodpartError as err:
            self._slots = slots.rolled_back()
            self._say_rolled_back(held, self._slots.good, str(err))
            if fault := self._fault_of_noting(self._slots):
                log.error(fault)
            return None
        self._take(started, recipe)
        return recipe

    def _open_good(self) -> Recipe:
        good = self._slots.good
        try:
            return self._open(good)
        except GoodpartError as err:
            raise BadRecipe(
                f"the good recipe {good} of the recipe store cannot be used: {err} Or go back with goodpart recipe rollback."
            ) from None

    def _must_run(self) -> None:
        if not self._begun:
            raise BadRecipe("the line has ended; ask again when it runs.")

    def _take(self, slots: Slots, recipe: Recipe) -> None:
        self._slots, trial = slots, slots.trial
        promised, most = promised_share(recipe.manifest.promise), self._config.trial_parts
        self._proving = None
        if trial:
            before = (trial.parts, trial.scored, trial.rejects, trial.doubt)
            self._proving = Proving(trial.recipe.id, most, promised, *before)

    def _open(self, held: Held) -> Recipe:
        recipe = self._opener.open(self.store.path_of(held))
        self._is_that(recipe, held)
        return recipe

    def _is_that(self, recipe: Recipe, held: Held) -> None:
        if recipe.id != held.id:
            raise BadRecipe(f"{self.store.path_of(held)}: is another recipe, {recipe.id[:12]}; add the right one again.")

    def _say_rolled_back(self, gone: Held, stays: Held, why: str) -> None:
        self._events.say(EventCode.RECIPE_ROLLED_BACK, f"recipe {stays} judges again instead of {gone}: {why}")

    def _tidy(self) -> None:
        try:
            self.store.prune(self._config.keep, self._slots.all)
        except BadRecipe as err:
            log.error("old recipes stay: %s", err)

    def _counted(self) -> Slots:
        trial, proving = self._slots.trial, self._proving
        if trial is None or proving is None or proving.recipe_id != trial.recipe.id:
            return self._slots
        return self._slots.counted(proving.parts, proving.scored, proving.rejects)

    def _end(self) -> None:
        with self._changing:
            counted = self._counted()
            fault = counted.trial and self._fault_of_noting(counted.ended())
        if fault:
            log.error("the trial of a recipe counts this end as a death: %s", fault)

    def _fault_of_noting(self, slots: Slots) -> str:
        """Write a state that is in force already; why it could not be written, empty where it could."""
        try:
            write_slots(self.store.folder, slots)
        except BadRecipe as err:
            return str(err)
        return ""


def _id_of(folder: Path) -> str | None:
    try:
        return sha256(read_limited(folder / MANIFEST_FILE, MAX_JSON_BYTES, BadRecipe))
    except BadRecipe:
        return None
