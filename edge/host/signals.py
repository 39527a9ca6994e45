"""What the process is told from outside: to end, after the part in work, or to check again."""

import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue


def stop_on_signals(stop: threading.Event) -> None:
    """SIGINT, SIGTERM and SIGHUP set `stop`; the second one ends the process at once. Call it in the main thread.

    SIGHUP is a terminal that closes; a process that was started to outlive it (nohup(1)) does. Nothing is read anew while
    parts are judged: under systemd the service begins again after it, with the configuration as it is then.
    """
    asked: SimpleQueue[int] = SimpleQueue()
    ends = {signal.SIGINT, signal.SIGTERM}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ends.add(signal.SIGHUP)

    def ask(number: int, _frame: object) -> None:
        # Not stop.set(): the main thread may hold the event's lock at this very moment, and would wait for itself.
        asked.put(number)
        # The first signal ends after the part in work; a second one ends at once.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for one in ends - {signal.SIGINT}:
            signal.signal(one, signal.SIG_DFL)

    def pass_on() -> None:
        asked.get()
        stop.set()

    threading.Thread(target=pass_on, name="signals", daemon=True).start()
    for one in ends:
        signal.signal(one, ask)


def asked_by_signal() -> Callable[[], bool]:
    """Whether SIGUSR1 has come since the last call."""
    # A signal may interrupt anything, and a SimpleQueue may be put into from anywhere.
    asked: SimpleQueue[int] = SimpleQueue()
    signal.signal(signal.SIGUSR1, lambda number, _frame: asked.put(number))

    def since_last() -> bool:
        waiting = asked.qsize()
        for _ in range(waiting):
            asked.get()
        return waiting > 0

    return since_last
