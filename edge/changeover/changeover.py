"""Each part is judged with the recipe of its job, or not at all."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from edge.changeover.config import ChangeoverConfig
from edge.command.controls import Controls
from edge.errors import GoodpartError
from edge.events import EventCode, Events
from edge.recipe.opener import Opener
from edge.recipe.recipe import Recipe
from edge.types import Order, Reason, Shot, Verdict

log = logging.getLogger(__name__)

_RETRY_S = 30.0
"""From one try to open a recipe to the next: a folder that is copied or a disk that is mounted takes that long, and each try
costs parts their takt."""


class Changeover:
    """Puts the recipe of a part's job in use before the part is judged. `prepare` belongs to the line's thread.

    folders: where the recipes are that the rules name; clock: monotonic seconds. A recipe that comes into use again has its
    sealed threshold. One that cannot be opened is said once, and tried again after a pause while parts of its job come.

    Raises:
        BadRecipe, BadEncoder: a recipe that is to be preloaded cannot be used.
    """

    def __init__(
        self,
        config: ChangeoverConfig,
        folders: Mapping[str, Path],
        opener: Opener,
        controls: Controls,
        events: Events,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._folders, self._opener = config, folders, opener
        self._controls, self._events, self._clock = controls, events, clock
        self._preloaded = {name: opener.open(folders[name]) for name in config.names} if config.preload else {}
        self._tried: set[str] = set()
        self._begun = False
        self._asked: Order | None = None
        self._in_use: str | None = None
        self._fault: str | None = None
        self._retry_at_s: float | None = None

    def recipe_for(self, order: Order | None) -> str | None:
        """The name of the recipe that parts of an order are judged with; None where there is no rule for it."""
        return self._config.recipe_for((order.part_type or order.job_id) if order else "")

    def prepare(self, shot: Shot) -> Verdict | None:
        """Put the shot's recipe in use; a verdict where there is none, and then nothing has changed."""
        asked = shot.order and Order(shot.order.job_id, None, shot.order.part_type)
        if not self._begun or asked != self._asked:
            self._begun, self._asked = True, asked
            self._fault = self._change(asked, again=False)
            if self._fault:
                retry = f" It is tried again every {_RETRY_S:.0f} s" if self._retry_at_s is not None else ""
                self._events.say(EventCode.RECIPE_MISSING, f"parts are not judged: {self._fault}{retry}")
        elif self._retry_at_s is not None and self._clock() >= self._retry_at_s:
            self._fault = self._change(asked, again=True)
        return Verdict.not_decidable(Reason.NO_RECIPE, self._fault) if self._fault else None

    def _change(self, order: Order | None, *, again: bool) -> str | None:
        """Why the order's recipe is not in use now; None: it is. again: the last try has failed and was said."""
        self._retry_at_s = None
        name = self.recipe_for(order)
        if name is None:
            return _no_rule(order)
        if name == self._in_use:
            return None
        if (fault := self._take(name, order, again=again)) is None:
            return None
        self._retry_at_s = self._clock() + _RETRY_S
        return f"recipe {name} of {_words(order)} cannot be used: {fault}"

    def _take(self, name: str, order: Order | None, *, again: bool) -> str | None:
        """Put a recipe in use; why that cannot be, else None."""
        try:
            recipe = self._preloaded.get(name) or self._opened(name)
            self._controls.change_recipe(lambda _: recipe)
        except GoodpartError as err:
            return str(err)
        except Exception as err:
            # Whatever a parser, the memory or what was taught does: other jobs have their recipes, and the line goes on.
            if not again:
                log.exception("recipe %s cannot be used", name)
            return f"{type(err).__name__}; the journal says more."
        self._in_use = name
        self._events.say(
            EventCode.RECIPE_ACTIVATED, f"recipe {recipe.manifest.name} {recipe.id[:12]} judges {_words(order)} from now on"
        )
        return None

    def _opened(self, name: str) -> Recipe:
        folder = self._folders[name]
        if name in self._tried:
            return self._opener.open(folder)
        recipe = self._opener.open_new(folder)
        self._tried.add(name)
        return recipe


def _no_rule(order: Order | None) -> str:
    if order is None:
        return 'no job is set; send set_job, or add a rule with match: "*" to changeover.rules'
    return f"no rule of changeover.rules matches {_words(order)}; add one"


def _words(order: Order | None) -> str:
    if order is None:
        return "parts without a job"
    return f"job {order.job_id}" + (f", part type {order.part_type}" if order.part_type else "")
