"""The station file's part about commands."""

from typing import Literal

from pydantic import Field, model_validator

from edge.command.models import MUST_BE_SIGNED, CommandName
from edge.strict import Place, Strict


class ThresholdConfig(Strict):
    """Between which a command may set the threshold."""

    min: float
    max: float

    @model_validator(mode="after")
    def _in_order(self) -> "ThresholdConfig":
        if self.min >= self.max:
            raise ValueError("min is not below max")
        return self


class CommandsConfig(Strict):
    """What is not in `allow` is refused.

    public_key_file: whose signature the dangerous commands need; memory_file: which of them were done, through restarts.
    clock: whether signed commands are refused while the kernel holds its clock for not synchronised.
    """

    allow: tuple[CommandName, ...] = Field(min_length=1)
    public_key_file: Place | None = None
    memory_file: Place | None = None
    max_per_minute: int = Field(default=120, ge=1, le=6000)
    max_bytes: int = Field(default=4096, ge=512, le=65536)
    threshold: ThresholdConfig | None = None
    clock: Literal["synchronised", "any"] = "synchronised"

    @model_validator(mode="after")
    def _each_command_has_what_it_needs(self) -> "CommandsConfig":
        signed = ", ".join(name for name in self.allow if name in MUST_BE_SIGNED)
        for key in ("public_key_file", "memory_file"):
            if signed and getattr(self, key) is None:
                raise ValueError(f"allow: {signed} must be signed and done once; add {key}")
        if "set_threshold" in self.allow and self.threshold is None:
            raise ValueError("allow: set_threshold needs limits; add threshold: {min: …, max: …}")
        return self
