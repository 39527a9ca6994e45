"""Which recipes a station may judge with, and which it does: pure, no file and no clock but the one it is told.

::

                 activate                      `trial_parts` parts judged
    good ─────────────────────► good + trial ────────────────────────────────────────► good (was trial),
     ▲                               │                                                  previous (was good)
     └───────────────────────────────┘
       rollback; cannot be opened at a start; `trial_deaths` processes died of it

    good + previous ── rollback ──► good (was previous)

There is always a good one. A trial judges parts in its place, through restarts. A process that ends otherwise than by being
told to, by its source or by a fault of something else counts as a death, a power cut too: nobody can tell them apart. Its
parts are then counted from 0. A doubt (a score that is no number, or more rejects than `edge.recipe.doubt` takes for chance)
is told and noted once; it is a reason to roll back, then or at the next start, only where the station file says so, because
the parts may be to blame.
"""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field, model_validator

from edge.errors import BadRecipe
from edge.inspect.card import SHA256_PATTERN
from edge.recipe.manifest import Name
from edge.strict import Strict


class Held(Strict):
    """A recipe in the store: the sha256 of its manifest, and what the line engineer called it."""

    id: str = Field(pattern=SHA256_PATTERN)
    name: Name

    def __str__(self) -> str:
        return f"{self.name} {self.id[:12]}"


class Trial(Strict):
    """A recipe that must prove itself.

    parts: judged with it by processes that ended as they should, since the last that died; deaths: processes that died with
    it; running: a process judges with it or is about to; doubt: what speaks against it, empty while nothing does.
    scored: parts that the doubt has looked at, rejects: NOK among them; through deaths, too, for a reject stays one.
    """

    recipe: Held
    since_utc: AwareDatetime
    parts: int = Field(default=0, ge=0)
    deaths: int = Field(default=0, ge=0)
    running: bool = False
    doubt: str = Field(default="", max_length=1000)
    scored: int = Field(default=0, ge=0)
    rejects: int = Field(default=0, ge=0)


class Slots(Strict):
    """Who judges. previous: what was good before; None: nothing was, or it was gone back to."""

    format: Literal["goodpart.slots/1"] = "goodpart.slots/1"
    good: Held
    trial: Trial | None = None
    previous: Held | None = None

    @model_validator(mode="after")
    def _each_once(self) -> "Slots":
        held = [recipe.id for recipe in self.all]
        if len(set(held)) < len(held):
            raise ValueError("good, trial and previous are not three recipes")
        return self

    @property
    def all(self) -> tuple[Held, ...]:
        """Every recipe that must stay in the store."""
        return tuple(each for each in (self.good, self.trial and self.trial.recipe, self.previous) if each)

    @property
    def in_use(self) -> Held:
        """What parts are judged with."""
        return self.trial.recipe if self.trial else self.good

    def activated(self, recipe: Held, now: datetime, *, running: bool) -> "Slots":
        """Another recipe goes on trial; the good one ends a trial, and needs none."""
        if recipe.id == self.good.id:
            return self._with(trial=None)
        previous = None if self.previous and self.previous.id == recipe.id else self.previous
        return self._with(trial=Trial(recipe=recipe, since_utc=now, running=running), previous=previous)

    def confirmed(self) -> "Slots":
        """The trial has become good."""
        assert self.trial  # noqa: S101 - only what is on trial is confirmed
        return self._with(good=self.trial.recipe, trial=None, previous=self.good)

    def rolled_back(self) -> "Slots":
        """Without the trial, or to what was good before.

        Raises:
            BadRecipe: there is nothing to go back to.
        """
        if self.trial:
            return self._with(trial=None)
        if self.previous is None:
            raise BadRecipe(f"there is no trial and nothing was good before {self.good}; activate another recipe instead.")
        return self._with(good=self.previous, previous=None)

    def started(self) -> "Slots":
        """A process is about to judge with what is in use; one that had it and did not end well has died."""
        if self.trial is None:
            return self
        died = {"deaths": self.trial.deaths + 1, "parts": 0} if self.trial.running else {}
        return self._with(trial=self.trial.model_copy(update={"running": True, **died}))

    def counted(self, parts: int, scored: int, rejects: int) -> "Slots":
        """What the trial has shown so far."""
        assert self.trial  # noqa: S101 - only a trial's parts are counted
        counts = {"parts": parts, "scored": scored, "rejects": rejects}
        return self._with(trial=self.trial.model_copy(update=counts))

    def ended(self) -> "Slots":
        """The process that judged ends well."""
        if self.trial is None:
            return self
        return self._with(trial=self.trial.model_copy(update={"running": False}))

    def doubted(self, why: str) -> "Slots":
        """Something speaks against the trial."""
        assert self.trial  # noqa: S101 - only what is on trial is doubted
        return self._with(trial=self.trial.model_copy(update={"doubt": why}))

    def _with(self, **changes: Held | Trial | None) -> "Slots":
        return Slots.model_validate(dict(self) | changes)
