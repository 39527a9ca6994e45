"""The page's server: a thread with an event loop of its own, which gives way to the line and ends with it."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge.errors import BadConfig

_MOST_HEAD_BYTES = 16 * 1024
_SPARE = 50
"""Connections beside one for each viewer: a browser opens up to six."""

_IDLE_S = 5
_GOODBYE_S = 2
_NICE = 10
"""Where a core is short, the line's thread gets about ten times the page's share (sched(7): nice is a thread's own)."""

_WAITING_FOR_CALLER = (h11.IDLE, h11.SEND_BODY)


class Impatient(H11Protocol):
    """Uvicorn's protocol, which by itself waits for ever for a request's end and for a reader that does not read."""

    patience_s: ClassVar[float] = 10.0
    """A caller that does not finish a request, or does not take what it is sent, for so long is hung up on."""

    _unfinished: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn does
        """Somebody is there."""
        super().connection_made(transport)
        self._unfinished = self.loop.call_later(self.patience_s, transport.abort)

    def data_received(self, data: bytes) -> None:
        """A piece of a request."""
        if self._unfinished is None:
            self._unfinished = self.loop.call_later(self.patience_s, self.transport.abort)
        super().data_received(data)
        if self._unfinished and self.conn.their_state not in _WAITING_FOR_CALLER:
            self._unfinished.cancel()
            self._unfinished = None

    def pause_writing(self) -> None:
        """The reader is slow."""
        super().pause_writing()
        self._untaken = self.loop.call_later(self.patience_s, self.transport.abort)

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        if self._untaken:
            self._untaken.cancel()
            self._untaken = None

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        for timer in (self._unfinished, self._untaken):
            if timer:
                timer.cancel()
        super().connection_lost(exc)


def listen(host: str, port: int, *, ipv6: bool) -> socket.socket:
    """Take the port.

    Raises:
        BadConfig: it cannot be had.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ipv6 else socket.AF_INET)
    except OSError as err:
        raise BadConfig(f"page: {host}:{port} cannot be listened at: {err.strerror}; choose another page.port.") from None


@contextmanager
def serving(
    application: ASGIApp,
    listener: socket.socket,
    viewers: int,
    end: Callable[[], None],
    protocol: type[Impatient] = Impatient,
) -> Iterator[None]:
    """Answer until the end. end: called then, so that streams that never end by themselves do."""
    settings: dict[str, Any] = {
        "http": protocol,
        "ws": "none",
        "loop": "asyncio",
        "lifespan": "off",
        "interface": "asgi3",
        # Whoever calls is the browser itself or a proxy; what it says of others is not believed.
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "log_level": "error",
        "limit_concurrency": viewers + _SPARE,
        "timeout_keep_alive": _IDLE_S,
        "timeout_graceful_shutdown": _GOODBYE_S,
        "h11_max_incomplete_event_size": _MOST_HEAD_BYTES,
    }
    server = uvicorn.Server(uvicorn.Config(application, **settings))

    def serve() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        # In another thread than the main one, uvicorn leaves the signals alone.
        asyncio.run(server.serve(sockets=[listener]))

    thread = threading.Thread(target=serve, name="page", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end()
        server.should_exit = True
        thread.join(_GOODBYE_S * 2)
        listener.close()
