"""What a trial has shown so far, part by part; no I/O, used by the line's thread alone."""

from dataclasses import dataclass

from edge.recipe.doubt import ERROR, too_many
from edge.recipe.promise import percent
from edge.types import Decision, Reason, Verdict


@dataclass(frozen=True, slots=True)
class Proved:
    """Enough parts were judged with the recipe."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """Something speaks against it, in a sentence."""

    why: str


class Proving:
    """Counts one trial's parts.

    recipe_id: whose; most: parts that prove it; promised: the share of goods that its recipe rejects at most, None where it
    promises none; parts, scored, rejects, doubt: from before this process, as in `edge.recipe.slots.Trial`.
    """

    def __init__(
        self,
        recipe_id: str,
        most: int,
        promised: float | None,
        parts: int = 0,
        scored: int = 0,
        rejects: int = 0,
        doubt: str = "",
    ) -> None:
        self.recipe_id, self.doubt = recipe_id, doubt
        self.parts, self.scored, self.rejects = parts, scored, rejects
        self._most, self._promised = most, promised
        self._over = False

    def judged(self, recipe_id: str, verdict: Verdict) -> Proved | Doubted | None:
        """One part of production; what follows from it, said once. A part not measured, or too late, proves nothing."""
        measured = verdict.score is not None or verdict.reason is Reason.NOT_FINITE
        if recipe_id != self.recipe_id or not measured or verdict.reason is Reason.LATE:
            return None
        self.parts += 1
        self.scored += 1
        self.rejects += verdict.decision is Decision.NOK
        if not self.doubt and (why := self._against(verdict)):
            self.doubt = why
            return Doubted(why)
        if self.parts >= self._most and not self._over:
            self._over = True
            return Proved()
        return None

    def _against(self, verdict: Verdict) -> str:
        if verdict.reason is Reason.NOT_FINITE:
            return f"part {self.parts} of its trial gave no finite score"
        if self._promised is None or verdict.decision is not Decision.NOK:
            return ""
        if not too_many(self.scored, self.rejects, self._promised):
            return ""
        return (
            f"it rejected {self.rejects} of {self.scored} parts and promised at most {percent(self._promised)} of good "
            f"ones; by chance that happens in at most {ERROR:g} of trials with good parts"
        )
