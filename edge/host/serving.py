"""A small HTTP server of the standard library in a thread of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer

_POLL_S = 0.1
"""How soon it ends when it is told to."""


@contextmanager
def served(server: BaseServer, name: str) -> Iterator[None]:
    """Answer until the end; the server is closed then. name: of the thread."""
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
