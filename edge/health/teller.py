"""Health at regular intervals, in a thread that ends with the line."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge.health.checkup import Checkup
from edge.health.message import Health

_GOODBYE_S = 2.0
"""A file system that hangs must not keep the process from ending."""


@contextmanager
def telling(checkup: Checkup, interval_s: float, tell: Callable[[Health], None]) -> Iterator[None]:
    """Tell the health at the start, every `interval_s`, and a last time at the end."""
    ended = threading.Event()

    def tell_until_ended() -> None:
        last = False
        while not last:
            tell(checkup.health())
            last = ended.wait(interval_s)
        tell(checkup.health())

    thread = threading.Thread(target=tell_until_ended, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_GOODBYE_S)
