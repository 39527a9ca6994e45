"""The station file's part about evidence."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from edge.errors import BadConfig
from edge.strict import Place, Strict
from edge.types import Decision


class EvidenceConfig(Strict):
    """Pictures of parts kept on the device: of these verdicts, and of every master part of the shift check.

    path: under systemd, a folder in its state directory where none is named; quota_mb: in millions of bytes.
    keep_free_mb: what the disk must have left for others, such as the outbox; while it has less, the oldest pictures go.
    """

    path: Place | None = None
    keep: tuple[Decision, ...] = Field(default=(Decision.NOK, Decision.NOT_DECIDABLE), min_length=1)
    overlay: bool = True
    quota_mb: int = Field(default=2000, ge=1, le=1_000_000)
    keep_free_mb: int = Field(default=100, ge=0, le=1_000_000)

    @model_validator(mode="after")
    def _each_verdict_once(self) -> "EvidenceConfig":
        if len(set(self.keep)) < len(self.keep):
            raise ValueError("keep: a verdict is given twice; remove one")
        return self

    @property
    def folder(self) -> str:
        """Where they are kept.

        Raises:
            BadConfig: nobody says.
        """
        if self.path is None:
            raise BadConfig("evidence.path: missing, and there is no $STATE_DIRECTORY of systemd's; add it.")
        return self.path

    def with_folder(self, usual: Path) -> Self:
        """The same, with a folder in any case."""
        return self if self.path else self.model_copy(update={"path": str(usual)})
