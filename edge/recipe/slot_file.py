"""`slots.json`: the old state or the new one, whatever happens while it is written; changed by one process at a time."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from edge.errors import BadConfig, BadRecipe, InUse
from edge.host.files import may_be_there, put_in_place
from edge.host.locks import locked
from edge.recipe.slots import Slots
from edge.strict import load_json

SLOTS_FILE = "slots.json"


def read_slots(store: Path) -> Slots | None:
    """Who judges; None before a station has begun with this store. Only looks, and so may be called by anybody.

    Raises:
        BadRecipe: the file cannot be read.
    """
    path = store / SLOTS_FILE
    if not may_be_there(path):
        return None
    try:
        return load_json(path, Slots, BadRecipe)
    except BadRecipe as err:
        raise BadRecipe(f"{err} Without the file the station begins with recipe: of its station file.") from None


def write_slots(store: Path, slots: Slots) -> None:
    """Put another state in place, there when this returns.

    Raises:
        BadRecipe: the disk refuses; the old state is there.
    """
    path = store / SLOTS_FILE
    try:
        put_in_place(path, slots.model_dump_json(indent=1).encode())
    except OSError as err:
        raise BadRecipe(f"recipe_store: {path} cannot be written: {err.strerror}; make room or mend it.") from None


@contextmanager
def owning(store: Path) -> Iterator[None]:
    """Be the one process that judges with the store, or changes which recipe does.

    Raises:
        InUse: another one is.
        BadConfig: the store cannot be written.
    """
    with ExitStack() as stack:
        try:
            mine = stack.enter_context(locked(store / "lock", wait=False))
        except OSError as err:
            raise BadConfig(f"recipe_store.path: {store} cannot be locked: {err.strerror}; choose another folder.") from None
        if not mine:
            raise InUse(
                f"recipe_store.path: {store} is in use by a station that runs or by another goodpart recipe; stop it, or "
                "send it the command activate_recipe or rollback_recipe."
            )
        yield
