"""Told to end: the part in work is finished first."""

import signal
import threading
from queue import SimpleQueue


def stop_on_signals(stop: threading.Event) -> None:
    """SIGINT and SIGTERM set `stop`; the second one ends the process at once. Call it in the main thread."""
    asked: SimpleQueue[int] = SimpleQueue()

    def ask(number: int, _frame: object) -> None:
        # Not stop.set(): the main thread may hold the event's lock at this very moment, and would wait for itself.
        asked.put(number)
        # The first signal ends after the part in work; a second one ends at once.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def pass_on() -> None:
        asked.get()
        stop.set()

    threading.Thread(target=pass_on, name="signals", daemon=True).start()
    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
