"""The station file's part about health."""

from typing import ClassVar

from pydantic import Field

from edge.host.listening import Listening
from edge.strict import Strict


class HealthConfig(Strict):
    """How often the station says how it is."""

    interval_s: float = Field(default=60.0, ge=0.1, le=3600)


class PrometheusConfig(Listening):
    """An HTTP endpoint for Prometheus. It knows no password."""

    others_may: ClassVar[str] = "read"
