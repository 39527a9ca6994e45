"""A station file's parts about ports: on this computer unless the file says that others may come."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar, Self

from pydantic import Field, model_validator

from edge.strict import Place, Strict, Text


class Listening(Strict):
    """A port of this computer's. Beyond it, it must be wanted: `expose: true`.

    others_may: what others could do if it is; each kind of port says that of itself.
    """

    others_may: ClassVar[str]

    port: int = Field(ge=1, le=65535)
    host: Text = "127.0.0.1"
    expose: bool = False

    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The address of one of this computer's networks, or of all of them."""
        return ip_address(self.host)

    @property
    def is_near(self) -> bool:
        """Whether only this computer comes."""
        return self.address.is_loopback

    @property
    def near_host(self) -> str:
        """Where somebody on this computer finds it."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to
        return everywhere.get(self.host, self.host)

    @model_validator(mode="after")
    def _on_this_computer_unless_exposed(self) -> Self:
        try:
            near = self.is_near
        except ValueError:
            raise ValueError(f"host: {self.host!r} is not an address; give one, such as 127.0.0.1 or 0.0.0.0") from None
        if not near and not self.expose:
            raise ValueError(
                f"host: others could {self.others_may} at {self.host}; add expose: true if they may, or remove host"
            )
        return self


class Guarded(Listening):
    """A port that asks for a token; on this computer it may be left out.

    token_file, token_credential: where the token stands, at least 16 characters.
    """

    token_file: Place | None = None
    token_credential: Text | None = None

    @property
    def wants_token(self) -> bool:
        """Whether a token is named."""
        return self.token_file is not None or self.token_credential is not None

    @model_validator(mode="after")
    def _others_know_a_secret(self) -> Self:
        if self.token_file and self.token_credential:
            raise ValueError("token_file: token_credential is given, too; remove one")
        if not self.is_near and not self.wants_token:
            raise ValueError(f"expose: others could {self.others_may}; add token_file or token_credential")
        return self
