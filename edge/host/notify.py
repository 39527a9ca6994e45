"""What systemd is told of a service: sd_notify(3), datagrams to $NOTIFY_SOCKET.

Own code, because there is no small library that is kept: sdnotify had its last release in 2017 and hides every error, and
cysystemd and systemd-python bring libsystemd along for one datagram.
"""

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)

_PATIENCE_S = 1.0
"""A systemd that does not read must not hold up who tells it."""


class Notifier:
    """Tells systemd; without a socket, nobody. address: as in $NOTIFY_SOCKET."""

    def __init__(self, address: str | None) -> None:
        # A name that begins with @ is an abstract one, which no file stands for (unix(7)).
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        self._said = False

    @property
    def heard(self) -> bool:
        """Whether there is somebody to tell."""
        return self._address is not None

    def tell(self, *states: str) -> None:
        """Send some `KEY=value`, all at once. That systemd cannot be reached is said once, and the line goes on."""
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
                to.settimeout(_PATIENCE_S)
                to.sendto("\n".join(states).encode(), self._address)
        except OSError as err:
            if not self._said:
                log.warning("systemd cannot be told how the service is: %s; check NotifyAccess= of its unit", err)
            self._said = True


def make_notifier(environ: Mapping[str, str] = os.environ) -> Notifier:
    """For the process as it was started."""
    return Notifier(environ.get("NOTIFY_SOCKET") or None)


def watchdog_s(environ: Mapping[str, str] = os.environ) -> float | None:
    """WatchdogSec= of the unit, in seconds; None where nobody watches this process (sd_watchdog_enabled(3))."""
    try:
        period_s = int(environ["WATCHDOG_USEC"]) / 1e6
        watched = int(environ.get("WATCHDOG_PID", os.getpid()))
    except (KeyError, ValueError):
        return None
    return period_s if period_s > 0 and watched == os.getpid() else None
