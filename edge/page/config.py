"""The station file's part about the operator's page."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints

from edge.host.listening import Guarded
from edge.strict import Place

HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)]


class PageConfig(Guarded):
    """A page for browsers. Beyond this computer it wants a token.

    names: by which browsers may call this computer, besides its addresses and its own name. silent_s: without a verdict for
    so long, the lamp is grey. decisions: the journal of what operators confirmed and accepted, JSON lines.
    """

    others_may: ClassVar[str] = "look and accept rejected parts"

    names: tuple[HostName, ...] = Field(default=(), max_length=20)
    silent_s: float = Field(default=15.0, ge=1, le=86_400)
    viewers: int = Field(default=10, ge=1, le=100)
    decisions: Place | None = None

    def with_decisions(self, usual: Path) -> Self:
        """The same, with a journal in any case."""
        return self if self.decisions else self.model_copy(update={"decisions": str(usual)})
