"""The journal, with fields to search by: the native protocol of systemd-journald.

https://systemd.io/JOURNAL_NATIVE_PROTOCOL/. Own code, because systemd-python has no wheels and wants libsystemd's headers,
and the protocol is one datagram for each line.
"""

import logging
import os
import socket
import sys
from collections.abc import Mapping

import click

_SOCKET = "/run/systemd/journal/socket"
_PATIENCE_S = 1.0
"""A journal that does not read must not hold up the line."""

_ERROR = 3
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, _ERROR), (logging.WARNING, 4), (logging.INFO, 6))
"""By Python's level, those of syslog(3); what lies below is 7."""


def journal_listens(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether standard error is the journal's: systemd says which file that is in $JOURNAL_STREAM (systemd.exec(5))."""
    try:
        error = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{error.st_dev}:{error.st_ino}"


def start_logging(level: int, station: str) -> None:
    """Log to the journal with fields if it listens, else to standard error. station: SITE/AREA/LINE/STATION."""
    if journal_listens():
        logging.basicConfig(level=level, format="%(message)s", handlers=[JournalHandler({"GOODPART_STATION": station})])
    else:
        logging.basicConfig(level=level, format="%(levelname)s %(message)s")


def say_error(sentence: str) -> None:
    """One line on standard error, with the priority of an error where that is the journal (sd-daemon(3))."""
    click.echo(f"{f'<{_ERROR}>' if journal_listens() else ''}error: {sentence}", err=True)


def priority_of(level: int) -> int:
    """The syslog priority of a level of Python's."""
    return next((priority for least, priority in _PRIORITIES if level >= least), 7)


def to_datagram(fields: Mapping[str, str]) -> bytes:
    """One journal entry; a value with more than one line is given with its length."""
    parts: list[bytes] = []
    for key, value in fields.items():
        name, raw = key.encode(), value.encode(errors="backslashreplace")
        if b"\n" in raw:
            parts.append(name + b"\n" + len(raw).to_bytes(8, "little") + raw + b"\n")
        else:
            parts.append(name + b"=" + raw + b"\n")
    return b"".join(parts)


class JournalHandler(logging.Handler):
    """One entry for each record: message, priority, place in the code, `fields`, and the record's own as `journal`.

    What the journal does not take goes to standard error, with its priority in front.
    """

    def __init__(self, fields: Mapping[str, str], address: str = _SOCKET) -> None:
        super().__init__()
        self._fields, self._address = dict(fields), address
        self._to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._to.settimeout(_PATIENCE_S)

    def emit(self, record: logging.LogRecord) -> None:
        """Send it."""
        message, priority = self.format(record), str(priority_of(record.levelno))
        entry = {
            "MESSAGE": message,
            "PRIORITY": priority,
            "SYSLOG_IDENTIFIER": "goodpart",
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName or "",
            **self._fields,
            **getattr(record, "journal", {}),
        }
        try:
            self._to.sendto(to_datagram(entry), self._address)
        except OSError:
            click.echo("\n".join(f"<{priority}>{line}" for line in message.splitlines()), err=True)

    def close(self) -> None:
        """Hang up."""
        self._to.close()
        super().close()
