"""The station file's part about health."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from pydantic import Field, model_validator

from edge.strict import Strict, Text


class HealthConfig(Strict):
    """How often the station says how it is."""

    interval_s: float = Field(default=60.0, ge=0.1, le=3600)


class PrometheusConfig(Strict):
    """An HTTP endpoint for Prometheus. It knows no password, so beyond this computer it must be wanted: `expose: true`."""

    port: int = Field(ge=1, le=65535)
    host: Text = "127.0.0.1"
    expose: bool = False

    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The address of one of this computer's networks, or of all of them."""
        return ip_address(self.host)

    @property
    def near_host(self) -> str:
        """Where somebody on this computer finds it."""
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound to
        return everywhere.get(self.host, self.host)

    @model_validator(mode="after")
    def _on_this_computer_unless_exposed(self) -> "PrometheusConfig":
        try:
            near = self.address.is_loopback
        except ValueError:
            raise ValueError(f"host: {self.host!r} is not an address; give one, such as 127.0.0.1 or 0.0.0.0") from None
        if not near and not self.expose:
            raise ValueError(f"host: others could read at {self.host}; add expose: true if they may, or remove host")
        return self
