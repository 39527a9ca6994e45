"""The station file's part about a recipe that judges alongside."""

from pydantic import Field

from edge.strict import Place, Strict


class ShadowConfig(Strict):
    """A challenger's recipe.

    every: it judges the first part of so many; results: a file of JSON lines, one for each part that both have judged.
    """

    recipe: Place
    every: int = Field(default=1, ge=1, le=1_000_000)
    results: Place | None = None
