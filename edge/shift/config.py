"""The station file's part about the shift check."""

from datetime import time
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from edge.strict import Place, Strict

TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class ShiftCheckConfig(Strict):
    """Master parts that must come out as they are known before parts are judged: at the start, and at these local times.

    pause_s: how long it takes to lay down a sample; shots in between show none.
    """

    samples: Place
    at: tuple[TimeOfDay, ...] = Field(default=(), max_length=24)
    tries: int = Field(default=3, ge=1, le=20)
    pause_s: float = Field(default=0.0, ge=0, le=3600)

    @property
    def times(self) -> tuple[time, ...]:
        """The times of the day, local."""
        return tuple(time.fromisoformat(at) for at in self.at)

    @model_validator(mode="after")
    def _each_time_once(self) -> "ShiftCheckConfig":
        if len(set(self.at)) < len(self.at):
            raise ValueError("at: a time is given twice; remove one")
        return self
