"""A station file's parts about ports: on this computer unless the file says that others may come."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar, Self

from pydantic import Field, model_validator

from edge.strict import Strict, Text


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
