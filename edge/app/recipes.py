"""The recipes that a station file asks for: the first, those of a store, those of jobs."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from edge.app.keys import make_key_verifier
from edge.changeover.changeover import Changeover
from edge.command.controls import Controls
from edge.command.recipes import RecipeChanges
from edge.config import StationConfig
from edge.events import Events
from edge.recipe.keeper import SlotKeeper
from edge.recipe.opener import Opener
from edge.recipe.recipe import Recipe
from edge.recipe.slot_file import read_slots
from edge.types import Verdict


def make_opener(config: StationConfig) -> Opener:
    """How every recipe of the station is opened.

    Raises:
        BadConfig: the public key cannot be used.
    """
    return Opener(config.threads, make_key_verifier("recipe_public_key_file", config.recipe_public_key_file))


def recipe_in_use(config: StationConfig) -> Path:
    """The folder of what the line would begin with; only looks.

    Raises:
        BadRecipe: the state of the store cannot be read.
    """
    if config.recipe_store is None:
        return Path(config.recipe)
    store = Path(config.recipe_store.path)
    slots = read_slots(store)
    return store / slots.in_use.id if slots else Path(config.recipe)


def open_first(config: StationConfig, opener: Opener, events: Events, stack: ExitStack) -> tuple[Recipe, SlotKeeper | None]:
    """What the line begins with: the store's recipe where there is one, which is kept with `stack`; else the file's.

    Raises:
        Refuse: it cannot be used, a golden picture is not reproduced, or another process has the store.
    """
    if config.recipe_store is None:
        return opener.open(Path(config.recipe)), None
    keeper = stack.enter_context(SlotKeeper(config.recipe_store, opener, events))
    return keeper.begin(Path(config.recipe)), keeper


def make_changes(
    config: StationConfig, opener: Opener, keeper: SlotKeeper | None, controls: Controls, events: Events
) -> RecipeChanges:
    """What commands may change."""
    return RecipeChanges(controls, _named(config), opener, keeper, events)


def make_changeover(config: StationConfig, opener: Opener, controls: Controls, events: Events) -> Changeover | None:
    """Which recipe each job has.

    Raises:
        BadRecipe, BadEncoder: one that is to be preloaded cannot be used.
    """
    return Changeover(config.changeover, _named(config), opener, controls, events) if config.changeover else None


def make_proving(keeper: SlotKeeper | None, controls: Controls) -> Callable[[Recipe, Verdict], None] | None:
    """Who counts the parts of a trial."""
    return partial(keeper.judged, swap=lambda recipe: controls.change_recipe(lambda _: recipe)) if keeper else None


def _named(config: StationConfig) -> dict[str, Path]:
    return {name: Path(path) for name, path in config.recipes.items()}
