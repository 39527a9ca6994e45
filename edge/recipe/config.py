"""The station file's part about recipes on the device."""

from typing import Literal

from pydantic import Field

from edge.strict import Place, Strict


class RecipeStoreConfig(Strict):
    """Recipes kept on the device, and what a new one must prove there.

    trial_parts: judged until it counts as good; trial_deaths: of the process, until the good one is taken instead; on_doubt:
    whether somebody is told, or the good one is taken, too; keep: recipes in all, but never fewer than are needed.
    """

    path: Place
    trial_parts: int = Field(default=200, ge=1, le=1_000_000)
    trial_deaths: int = Field(default=2, ge=1, le=10)
    on_doubt: Literal["tell", "rollback"] = "tell"
    keep: int = Field(default=5, ge=4, le=100)
