"""Whether the endpoint for Prometheus can be opened, tried before the shift."""

import errno
import socket

from edge.errors import BadConfig
from edge.health.ask import ask_endpoint
from edge.health.config import PrometheusConfig
from edge.health.endpoint import find_application
from edge.report.wire import StationName


def try_endpoint(config: PrometheusConfig, station: StationName) -> str:
    """Listen there for a moment; one that is taken is well when this station runs and answers at it.

    Raises:
        BadConfig: the package is missing, or somebody else has the port, or this user may not have it.
    """
    find_application()
    where = f"{config.host}:{config.port}"
    try:
        socket.create_server((config.host, config.port), family=_family(config)).close()
    except OSError as err:
        if err.errno == errno.EADDRINUSE and ask_endpoint(config, station):
            return f"{where} is answered by this station, which runs now"
        raise BadConfig(
            f"prometheus: {where} cannot be listened at: {err.strerror}; choose another prometheus.port."
        ) from None
    return f"{where} can be listened at"


def _family(config: PrometheusConfig) -> socket.AddressFamily:
    return socket.AF_INET6 if config.address.version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
