"""Health at regular intervals and when something changes, in a thread that ends with the line."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge.health.checkup import Checkup
from edge.health.message import Health

_LOOK_S = 1.0
"""How often is looked whether camera or broker are lost or back: that cannot wait for the next interval."""

_GOODBYE_S = 2.0
"""A file system that hangs must not keep the process from ending."""


@contextmanager
def telling(checkup: Checkup, interval_s: float, tell: Callable[[Health], None]) -> Iterator[None]:
    """Tell the health at the start, every `interval_s`, soon after a loss or a return, and a last time at the end."""
    ended = threading.Event()

    def tell_until_ended() -> None:
        while True:
            states, due_s = checkup.states(), time.monotonic() + interval_s
            tell(checkup.health())
            while checkup.states() == states and (left_s := due_s - time.monotonic()) > 0:
                if ended.wait(min(left_s, _LOOK_S)):
                    tell(checkup.health())
                    return

    thread = threading.Thread(target=tell_until_ended, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_GOODBYE_S)
