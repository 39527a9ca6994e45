"""Another recipe by command: opened in a thread, one at a time, while the line goes on with the one it has."""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from edge.command.controls import Controls
from edge.command.slots_state import RecipeRef, SlotsState, TrialState
from edge.errors import GoodpartError
from edge.events import EventCode, Events
from edge.host.ending import abandon
from edge.host.memory import give_back_memory
from edge.recipe.keeper import SlotKeeper
from edge.recipe.opener import Opener
from edge.recipe.recipe import Recipe
from edge.recipe.slots import Held, Trial

log = logging.getLogger(__name__)

Ended = Callable[[bool, str], None]
"""How it ended: whether another recipe judges, and a sentence."""


class RecipeChanges:
    """named: folders by their names in the station file; keeper: of the store, None: a recipe lasts as the process does."""

    def __init__(
        self, controls: Controls, named: Mapping[str, Path], opener: Opener, keeper: SlotKeeper | None, events: Events
    ) -> None:
        self._controls, self._named, self._opener = controls, named, opener
        self._keeper, self._events = keeper, events
        self._thread: threading.Thread | None = None
        self.opening: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the station file."""
        return tuple(sorted(self._named))

    def knows(self, name: str) -> bool:
        """Whether a recipe of this name can be there; one of the store is looked for when it is opened."""
        return name in self._named or self._keeper is not None

    def activate(self, name: str, ended: Ended) -> None:
        """Open a recipe and judge with it."""
        self._start(name, lambda: self._activate(name), ended)

    def roll_back(self, ended: Ended) -> None:
        """Judge with the good one again."""
        self._start("before", self._roll_back, ended)

    def slots(self) -> SlotsState | None:
        """What the store says; None without one."""
        if self._keeper is None:
            return None
        slots, most = self._keeper.slots, self._keeper.trial_parts
        return SlotsState(
            good=_ref(slots.good),
            trial=_trial(slots.trial, most) if slots.trial else None,
            previous=_ref(slots.previous) if slots.previous else None,
        )

    def close(self, timeout_s: float) -> None:
        """Wait for a recipe that is being opened, but not for ever."""
        if self._thread:
            self._thread.join(timeout_s)
            abandon(self._thread)

    def _start(self, name: str, change: Callable[[], str], ended: Ended) -> None:
        self.opening = name

        def work() -> None:
            done, words = self._changed(name, change)
            give_back_memory()
            self.opening = None
            ended(done, words)

        self._thread = threading.Thread(target=work, name="recipe", daemon=True)
        self._thread.start()

    def _changed(self, name: str, change: Callable[[], str]) -> tuple[bool, str]:
        try:
            return True, change()
        except GoodpartError as err:
            fault = str(err)
        except Exception as err:
            # Whatever a parser or the memory does: the line has a recipe, and goes on with it.
            log.exception("recipe %s cannot be opened", name)
            fault = f"{type(err).__name__}; the journal says more"
        return False, f"recipe {self._controls.recipe.manifest.name} is in use: {fault}"

    def _activate(self, name: str) -> str:
        if self._keeper:
            recipe = self._keeper.activate(self._named.get(name, name), self._swap)
        else:
            recipe = self._opener.open_new(self._named[name])
            self._swap(recipe)
            words = f"recipe {recipe.manifest.name} {recipe.id[:12]} judges from now on"
            self._events.say(EventCode.RECIPE_ACTIVATED, words)
        return f"recipe {recipe.manifest.name} {recipe.id} is in use, golden pictures reproduced"

    def _roll_back(self) -> str:
        assert self._keeper  # noqa: S101 - the station file allows it only with a store
        recipe = self._keeper.roll_back("as a command asked", self._swap)
        return f"recipe {recipe.manifest.name} {recipe.id} is in use again"

    def _swap(self, recipe: Recipe) -> None:
        self._controls.change_recipe(lambda _: recipe)


def _trial(trial: Trial, most: int) -> TrialState:
    return TrialState(
        recipe=_ref(trial.recipe),
        since_utc=trial.since_utc,
        parts=trial.parts,
        of_parts=most,
        deaths=trial.deaths,
        doubt=trial.doubt,
    )


def _ref(held: Held) -> RecipeRef:
    return RecipeRef(name=held.name, id=held.id)
