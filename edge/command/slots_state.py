"""What a station says of the recipes in its store, on the wire."""

from pydantic import AwareDatetime

from edge.report.wire import Message


class RecipeRef(Message):
    """A recipe in the store."""

    name: str
    """As the line engineer called it."""

    id: str
    """Of the recipe's manifest."""


class TrialState(Message):
    """What the recipe on trial has shown."""

    recipe: RecipeRef
    """Which one."""

    since_utc: AwareDatetime
    """When it was activated."""

    parts: int
    """Judged with it since the last process that died."""

    of_parts: int
    """After so many it is good."""

    deaths: int
    """Processes that died with it."""

    doubt: str
    """What speaks against it; empty while nothing does."""


class SlotsState(Message):
    """The station's recipes: the good one, the one on trial, and the one that was good before."""

    good: RecipeRef
    """Judges while none is on trial."""

    trial: TrialState | None
    """Judges while it is there."""

    previous: RecipeRef | None
    """Was good before; null where nothing was, or it was gone back to."""
