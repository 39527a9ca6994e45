"""One key at a time from a terminal."""

import os
import re
import select
import sys
import termios
import time
import tty
from collections import deque
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

_CHUNK = 64
_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|O.|.)?")
"""What arrows, function keys and Alt send (ECMA-48, 5.4): letters among it that nobody has typed."""

QUIT = "q"


@dataclass(frozen=True, slots=True)
class Press:
    """A key and when it was read, by the monotonic clock."""

    key: str
    mono_s: float


class Keys(Protocol):
    """Where keys come from."""

    def next(self, timeout_s: float) -> Press | None:
        """The next key; None when none comes in time."""


class TerminalKeys(AbstractContextManager["TerminalKeys"]):
    """Reads standard input key by key, without echo; the terminal is put back whatever happens.

    Ctrl-C stays a signal. Ctrl-Z does nothing, because a shell would leave the terminal without echo when it comes back.
    """

    def __init__(self) -> None:
        self._input = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._input)
        self._waiting: deque[Press] = deque()

    def __enter__(self) -> Self:
        tty.setcbreak(self._input)
        mode = termios.tcgetattr(self._input)
        mode[6][termios.VSUSP] = os.fpathconf(self._input, "PC_VDISABLE").to_bytes()
        termios.tcsetattr(self._input, termios.TCSANOW, mode)
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)

    def next(self, timeout_s: float) -> Press | None:
        """The next key, letters small; a terminal that was closed says q."""
        if not self._waiting and select.select([self._input], [], [], timeout_s)[0]:
            self._waiting.extend(self._read())
        return self._waiting.popleft() if self._waiting else None

    def _read(self) -> list[Press]:
        raw, now_s = os.read(self._input, _CHUNK), time.monotonic()
        if not raw:
            return [Press(QUIT, now_s)]
        typed = _SEQUENCE.sub("", raw.decode(errors="ignore")).lower()
        return [Press(key, now_s) for key in typed]
