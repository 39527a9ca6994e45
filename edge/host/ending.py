"""How a process ends that leaves a thread behind in native code."""

import logging
import os
import sys
import threading

_abandoned: list[threading.Thread] = []


def abandon(thread: threading.Thread) -> None:
    """Nobody waits for this daemon thread any more."""
    _abandoned.append(thread)


def end_if_abandoned(code: object) -> None:
    """End the process here with the code of a SystemExit if an abandoned thread still runs; all files must be closed.

    The interpreter would wind up around that thread, and end it when its native call comes back meanwhile. C++ on its stack
    does not survive that: OpenCV aborts the process, and a stop that lost nothing looks like a crash.
    """
    if any(thread.is_alive() for thread in _abandoned):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))
