"""What a threshold promises, by the method that chose it. Each says it in a sentence that an engineer can sign."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from edge.strict import Strict

Share = Annotated[float, Field(gt=0, lt=1)]


class Guarantee(Strict):
    """With `confidence`, at most `max_false_reject` of good parts are rejected (Wilks 1941).

    The threshold is the `rank`-th smallest score of `parts` held-out good parts.
    """

    method: Literal["guarantee"] = "guarantee"
    max_false_reject: Share
    confidence: Share
    parts: int = Field(ge=1)
    rank: int = Field(ge=1)

    def sentence(self) -> str:
        """The promise as an engineer would sign it."""
        return (
            f"We are {percent(self.confidence)} sure that at most {percent(self.max_false_reject)} of good parts like "
            f"these are rejected: the threshold is number {self.rank} of {self.parts} held-out good parts in ascending "
            f"order of score."
        )


class Conformal(Strict):
    """The next good part is rejected with a probability of at most `max_false_reject` (split conformal, Papadopoulos 2002).

    The threshold is the `rank`-th smallest score of `parts` held-out good parts.
    """

    method: Literal["conformal"] = "conformal"
    max_false_reject: Share
    parts: int = Field(ge=1)
    rank: int = Field(ge=1)

    def sentence(self) -> str:
        """The promise as an engineer would sign it."""
        return (
            f"The next good part like these is rejected with a probability of at most {percent(self.max_false_reject)}, "
            f"averaged over all draws of goods to calibrate with: the threshold is number {self.rank} of {self.parts} "
            f"held-out good parts in ascending order of score. How many are rejected with these very goods may be more."
        )


class Labelled(Strict):
    """With `confidence`, at most `max_escape` of defects like the labelled ones escape (Wilks 1941, from below).

    The threshold lies just below the `rank`-th smallest score of `defects` defective parts; `rejected` of `parts` held-out
    good parts lie above it.
    """

    method: Literal["labelled"] = "labelled"
    max_escape: Share
    confidence: Share
    defects: int = Field(ge=1)
    rank: int = Field(ge=1)
    parts: int = Field(ge=1)
    rejected: int = Field(ge=0)

    def sentence(self) -> str:
        """The promise as an engineer would sign it."""
        return (
            f"We are {percent(self.confidence)} sure that at most {percent(self.max_escape)} of defective parts like the "
            f"{self.defects} labelled ones escape: the threshold lies just below number {self.rank} of them in ascending "
            f"order of score. It rejects {self.rejected} of {self.parts} held-out good parts."
        )


class Cost(Strict):
    """The lowest expected cost of a part, by the labelled parts at hand.

    escape_cost, false_reject_cost: of one, in the same unit; defect_rate: share of parts that are defective; expected: cost
    of an average part at this threshold; `escaped` of `defects` and `rejected` of `parts` held-out good parts.
    """

    method: Literal["cost"] = "cost"
    escape_cost: float = Field(gt=0)
    false_reject_cost: float = Field(gt=0)
    defect_rate: Share
    expected: float = Field(ge=0)
    defects: int = Field(ge=1)
    escaped: int = Field(ge=0)
    parts: int = Field(ge=1)
    rejected: int = Field(ge=0)

    def sentence(self) -> str:
        """What was weighed, and no promise."""
        return (
            f"With {percent(self.defect_rate)} defective parts, {self.escape_cost:g} for an escape and "
            f"{self.false_reject_cost:g} for a false reject, this threshold costs least, {self.expected:.4g} a part: "
            f"{self.escaped} of {self.defects} labelled defects escape and {self.rejected} of {self.parts} held-out good "
            f"parts are rejected. That is an estimate from these parts, not a promise."
        )


class Manual(Strict):
    """A threshold set by a person, for a reason in words; `rejected` of `parts` held-out good parts lie above it."""

    method: Literal["manual"] = "manual"
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    parts: int = Field(ge=1)
    rejected: int = Field(ge=0)

    def sentence(self) -> str:
        """Whose decision it was, and what it does to the goods."""
        return (
            f"The threshold was set by hand ({self.reason}) and promises nothing: it rejects {self.rejected} of "
            f"{self.parts} held-out good parts."
        )


Promise = Annotated[Guarantee | Conformal | Labelled | Cost | Manual, Field(discriminator="method")]


class GrayZone(Strict):
    """Scores above `above` and up to the threshold go to a person; `promise` says how many goods do so or are rejected."""

    above: float
    promise: Guarantee

    def sentence(self) -> str:
        """The gray zone in words."""
        return (
            f"Scores above {self.above:.4f} and up to the threshold are NOT_DECIDABLE, a person looks at them; we are "
            f"{percent(self.promise.confidence)} sure that this or a reject happens to at most "
            f"{percent(self.promise.max_false_reject)} of good parts."
        )


def promised_share(promise: Promise) -> float | None:
    """The share of good parts that are rejected at most; None where nothing is promised of good parts."""
    return promise.max_false_reject if isinstance(promise, Guarantee | Conformal) else None


def percent(share: float) -> str:
    """A share as people write it, four digits at most."""
    return f"{100 * share:.4g} %"
