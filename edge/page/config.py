"""The station file's part about the operator's page."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from edge.host.listening import Listening
from edge.strict import Place, Text

HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)]


class PageConfig(Listening):
    """A page for browsers. Beyond this computer it wants a token.

    token_file, token_credential: where the token stands, at least 16 characters; on this computer it may be left out.
    names: by which browsers may call this computer, besides its addresses and its own name. silent_s: without a verdict for
    so long, the lamp is grey. decisions: the journal of what operators confirmed and accepted, JSON lines.
    """

    others_may: ClassVar[str] = "look"

    token_file: Place | None = None
    token_credential: Text | None = None
    names: tuple[HostName, ...] = Field(default=(), max_length=20)
    silent_s: float = Field(default=15.0, ge=1, le=86_400)
    viewers: int = Field(default=10, ge=1, le=100)
    decisions: Place | None = None

    @property
    def wants_token(self) -> bool:
        """Whether a token is named."""
        return self.token_file is not None or self.token_credential is not None

    def with_decisions(self, usual: Path) -> Self:
        """The same, with a journal in any case."""
        return self if self.decisions else self.model_copy(update={"decisions": str(usual)})

    @model_validator(mode="after")
    def _others_know_a_secret(self) -> Self:
        if self.token_file and self.token_credential:
            raise ValueError("token_file: token_credential is given, too; remove one")
        if not self.is_near and not self.wants_token:
            raise ValueError("expose: others could accept rejected parts; add token_file or token_credential")
        return self
