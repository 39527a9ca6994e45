"""The station file's part about which job is judged with which recipe."""

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field, StringConstraints

from edge.recipe.manifest import Name
from edge.strict import Strict


class RuleConfig(Strict):
    """match: what the plant calls the kind of part, else the job: exactly, or with `*`, `?` and `[…]`."""

    match: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    recipe: Name


class ChangeoverConfig(Strict):
    """The first rule that matches names the recipe; a part that none matches is not judged.

    preload: whether every recipe is opened at the start and held in memory; else the first part of a job waits for its own.
    """

    rules: tuple[RuleConfig, ...] = Field(min_length=1, max_length=1000)
    preload: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Every recipe that a rule names, once."""
        return tuple(dict.fromkeys(rule.recipe for rule in self.rules))

    def recipe_for(self, what: str) -> str | None:
        """The name of the recipe; None where no rule matches. `*` matches a part of which nothing is known, too."""
        return next((rule.recipe for rule in self.rules if fnmatchcase(what, rule.match)), None)
