"""goodpart recipe: what a station's store holds, and which of it judges, while the station does not run."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.errors import BadConfig, BadRecipe

if TYPE_CHECKING:
    from edge.recipe.config import RecipeStoreConfig
    from edge.recipe.opener import Opener
    from edge.recipe.slots import Held, Slots
    from edge.recipe.store import RecipeStore

_STATION = click.argument("station", type=click.Path(path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a station file says of its store. first: the folder of `recipe:`."""

    config: "RecipeStoreConfig"
    store: "RecipeStore"
    opener: "Opener"
    first: Path


@click.group()
def recipe() -> None:
    """List, add and change the recipes of a station that has a recipe_store.

    While the station runs, list and add work; what changes who judges is sent to it as a command: activate_recipe,
    rollback_recipe.

    \b
    goodpart recipe add station.yaml recipes/cell-2     # copied, every hash and the signature verified
    goodpart recipe activate station.yaml cell-2        # on trial from the next start on
    goodpart recipe rollback station.yaml               # without the trial, or what was good before
    """  # noqa: D301 - click wants the backspace character itself


@recipe.command(name="list")
@_STATION
@_JSON
def list_all(station: Path, as_json: bool) -> None:
    """Show what the store of STATION holds, the newest first, and which of it is good, on trial, or was good before.

    The parts of a trial are as at the last stop; a station that runs tells them in its answer to the command status.
    """
    from edge.recipe.slot_file import read_slots
    from edge.recipe.words import as_json as to_json
    from edge.recipe.words import as_table, in_words

    opened = _open(station)
    kept, slots = opened.store.all(), read_slots(opened.store.folder)
    if as_json:
        click.echo(to_json(kept, slots))
        return
    click.echo(in_words(slots, opened.config.trial_parts) if slots else f"begins with recipe: {opened.first}")
    if kept:
        click.echo(as_table(kept, slots))


@recipe.command()
@_STATION
@click.argument("folder", type=click.Path(path_type=Path))
@_JSON
def add(station: Path, folder: Path, as_json: bool) -> None:
    """Copy the recipe in FOLDER into the store of STATION; nothing judges with it before it is activated."""
    opened = _open(station)
    opened.store.make()
    held = opened.store.add(folder, opened.opener.signed)
    _say(held, f"{held} is in the store; activate it with goodpart recipe activate, or by command", as_json=as_json)


@recipe.command()
@_STATION
@click.argument("name")
@_JSON
def activate(station: Path, name: str, as_json: bool) -> None:
    """Let the recipe NAME of the store of STATION (its name, or the first digits of its id) judge from the next start on.

    It is opened first in a process of its own, and its golden pictures are reproduced. Then it is on trial: it becomes good
    after recipe_store.trial_parts parts, and the good one comes back if recipe_store.trial_deaths processes die with it.
    """
    from edge.host.clock import utc_now

    opened = _open(station)
    held = opened.store.find(name)

    def activated(slots: "Slots") -> "Slots":
        opened.opener.open_new(opened.store.path_of(held))
        return slots.activated(held, utc_now(), running=False)

    slots = _change(opened, activated)
    on_trial = "on trial" if slots.trial else "the good one, without a trial"
    _say(held, f"{held} judges from the next start on, {on_trial}", as_json=as_json)


@recipe.command()
@_STATION
@_JSON
def rollback(station: Path, as_json: bool) -> None:
    """Let STATION judge without the recipe on trial from the next start on; where none is, with what was good before."""
    slots = _change(_open(station), lambda slots: slots.rolled_back())
    _say(slots.good, f"{slots.good} judges from the next start on", as_json=as_json)


@recipe.command()
@_STATION
@click.argument("name")
@_JSON
def remove(station: Path, name: str, as_json: bool) -> None:
    """Take the recipe NAME (its name, or the first digits of its id) out of the store of STATION.

    What is good, on trial or was good before stays.
    """
    from edge.recipe.slot_file import owning, read_slots

    opened = _open(station)
    opened.store.make()
    with owning(opened.store.folder):
        held, slots = opened.store.find(name), read_slots(opened.store.folder)
        if slots and held.id in {each.id for each in slots.all}:
            raise BadRecipe(f"{held}: is needed: {_roles(held, slots)}; activate another recipe first.")
        opened.store.remove(held)
    _say(held, f"{held} is removed", as_json=as_json)


def _open(station: Path) -> _Opened:
    from edge.app.recipes import make_opener
    from edge.config import load_config
    from edge.recipe.store import RecipeStore

    config = load_config(station)
    if config.recipe_store is None:
        raise BadConfig(f"{station}: has no recipe store; add recipe_store: {{path: …}}.")
    return _Opened(
        config.recipe_store, RecipeStore(Path(config.recipe_store.path)), make_opener(config), Path(config.recipe)
    )


def _change(opened: _Opened, change: Callable[["Slots"], "Slots"]) -> "Slots":
    """Change who judges, as the one process that may; a store that has not begun yet begins with `recipe:`."""
    from edge.recipe.slot_file import write_slots

    with _begun(opened) as before:
        after = change(before)
        write_slots(opened.store.folder, after)
        opened.store.prune(opened.config.keep, after.all)
    return after


@contextmanager
def _begun(opened: _Opened) -> Iterator["Slots"]:
    from edge.recipe.slot_file import owning, read_slots
    from edge.recipe.slots import Slots

    opened.store.make()
    with owning(opened.store.folder):
        slots = read_slots(opened.store.folder)
        yield slots or Slots(good=opened.store.add(opened.first, opened.opener.signed))


def _roles(held: "Held", slots: "Slots") -> str:
    if held.id == slots.good.id:
        return "it is the good one"
    return "it is on trial" if held.id == slots.in_use.id else "it was good before"


def _say(held: "Held", words: str, *, as_json: bool) -> None:
    click.echo(json.dumps({"id": held.id, "name": held.name, "detail": words}) if as_json else words)
