"""`shift.json`: the physical master parts kept at a station, in the order in which they are presented."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from edge.errors import BadConfig
from edge.inspect.card import SHA256_PATTERN
from edge.recipe.manifest import Name
from edge.strict import Strict, Time, load_json
from edge.types import Decision

MOST_SAMPLES = 30
"""Somebody presents them by hand, every shift."""

Purpose = Literal["golden_sample", "red_rabbit"]
"""A known good part, and a known defective one sent through to see that it is caught."""


class SampleCard(Strict):
    """One master part, its kind (`good` or that of its defect), what it must come out as, and its score when sealed."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    kind: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    expected: Literal[Decision.OK, Decision.NOK]
    score: float

    @property
    def purpose(self) -> Purpose:
        """What the part is shown for."""
        return "golden_sample" if self.expected is Decision.OK else "red_rabbit"

    def __str__(self) -> str:
        return f"{self.purpose.replace('_', ' ')} {self.name}"


class ShiftCard(Strict):
    """The samples of one station and the recipe that they were sealed with."""

    format: Literal["goodpart.shift/1"] = "goodpart.shift/1"
    made_utc: Time
    recipe_name: Name
    recipe_id: str = Field(pattern=SHA256_PATTERN)
    samples: tuple[SampleCard, ...] = Field(min_length=2, max_length=MOST_SAMPLES)

    @model_validator(mode="after")
    def _proves_both_answers(self) -> "ShiftCard":
        if {sample.expected for sample in self.samples} != {Decision.OK, Decision.NOK}:
            raise ValueError("samples: a golden sample and a red rabbit are needed")
        if len({sample.name for sample in self.samples}) < len(self.samples):
            raise ValueError("samples: a name is given twice")
        return self


def open_shift_card(path: Path, recipe_name: str, recipe_id: str) -> ShiftCard:
    """Read the samples that belong to a recipe.

    Raises:
        BadConfig: the file cannot be used, or was sealed with another recipe.
    """
    card = load_json(path, ShiftCard, BadConfig)
    if (card.recipe_name, card.recipe_id) != (recipe_name, recipe_id):
        raise BadConfig(
            f"shift_check.samples: {path} was sealed with recipe {card.recipe_name} {card.recipe_id[:12]} and this station "
            f"runs {recipe_name} {recipe_id[:12]}; seal the samples again with goodpart calibrate study samples."
        )
    return card
