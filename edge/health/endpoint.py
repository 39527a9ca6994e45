"""The HTTP endpoint that Prometheus scrapes; it ends with the line."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import AF_INET6
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import WSGIApplication

from edge.errors import BadConfig
from edge.health.checkup import Checkup
from edge.health.config import PrometheusConfig
from edge.host.serving import served

_PATIENCE_S = 5.0
"""A caller that says nothing for so long is hung up on."""

_IPV6 = 6


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name for it
        """Scrapes do not fill the journal."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the library's signature
        """A caller that goes away or stays silent is no fault of ours; anything else is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _ServerIPv6(_Server):
    address_family = AF_INET6


def find_application() -> Callable[[Checkup], WSGIApplication]:
    """What answers the scrapes.

    Raises:
        BadConfig: prometheus-client is not installed.
    """
    try:
        # Only a station that wants an endpoint needs the package.
        from edge.health.metrics import application  # noqa: PLC0415
    except ModuleNotFoundError as err:
        if err.name != "prometheus_client":
            raise
        raise BadConfig(
            "prometheus: the package prometheus-client is not there; pip install 'goodpart[metrics]', or remove the key."
        ) from None
    return application


@contextmanager
def serving(config: PrometheusConfig, checkup: Checkup) -> Iterator[None]:
    """Answer scrapes until the end.

    Raises:
        BadConfig: prometheus-client is not installed, or host and port cannot be listened at.
    """
    application = find_application()
    kind = _ServerIPv6 if config.address.version == _IPV6 else _Server
    try:
        server = make_server(config.host, config.port, application(checkup), kind, _Handler)
    except OSError as err:
        raise BadConfig(
            f"prometheus: {config.host}:{config.port} cannot be listened at: {err.strerror}; choose another prometheus.port."
        ) from None
    with served(server, "prometheus"):
        yield
