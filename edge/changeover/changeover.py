"""Each part is judged with the recipe of its job, or not at all."""

from collections.abc import Mapping
from pathlib import Path

from edge.changeover.config import ChangeoverConfig
from edge.command.controls import Controls
from edge.errors import GoodpartError
from edge.events import EventCode, Events
from edge.recipe.opener import Opener
from edge.recipe.recipe import Recipe
from edge.types import Order, Reason, Shot, Verdict


class Changeover:
    """Puts the recipe of a part's job in use before the part is judged. `prepare` belongs to the line's thread.

    folders: where the recipes are that the rules name. A recipe that comes into use again has its sealed threshold.

    Raises:
        BadRecipe, BadEncoder: a recipe that is to be preloaded cannot be used.
    """

    def __init__(
        self, config: ChangeoverConfig, folders: Mapping[str, Path], opener: Opener, controls: Controls, events: Events
    ) -> None:
        self._config, self._folders, self._opener = config, folders, opener
        self._controls, self._events = controls, events
        self._preloaded = {name: opener.open(folders[name]) for name in config.names} if config.preload else {}
        self._tried: set[str] = set()
        self._begun = False
        self._asked: Order | None = None
        self._in_use: str | None = None
        self._fault: str | None = None

    def recipe_for(self, order: Order | None) -> str | None:
        """The name of the recipe that parts of an order are judged with; None where there is no rule for it."""
        return self._config.recipe_for((order.part_type or order.job_id) if order else "")

    def prepare(self, shot: Shot) -> Verdict | None:
        """Put the shot's recipe in use; a verdict where there is none, and then nothing has changed."""
        asked = shot.order and Order(shot.order.job_id, None, shot.order.part_type)
        if not self._begun or asked != self._asked:
            self._begun, self._asked = True, asked
            self._fault = self._change(asked)
            if self._fault:
                self._events.say(EventCode.RECIPE_MISSING, f"parts are not judged: {self._fault}")
        return Verdict.not_decidable(Reason.NO_RECIPE, self._fault) if self._fault else None

    def _change(self, order: Order | None) -> str | None:
        name = self.recipe_for(order)
        if name is None:
            return _no_rule(order)
        if name == self._in_use:
            return None
        try:
            recipe = self._preloaded.get(name) or self._opened(name)
        except GoodpartError as err:
            return f"recipe {name} of {_words(order)} cannot be used: {err}"
        self._controls.change_recipe(lambda _: recipe)
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
