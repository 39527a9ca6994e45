"""Whether a time server disciplines the clock of this computer."""

import ctypes
import time
from collections.abc import Callable

_ASK_AGAIN_S = 10.0
"""Between questions to the kernel. It gives up a clock only after many minutes without a server."""

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
"""Both from adjtimex(2)."""


class _Timex(ctypes.Structure):
    """`struct timex` of <sys/timex.h> up to `status`; the rest is room for what the kernel writes behind it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def ask_kernel() -> bool | None:
    """Whether the clock is synchronised by adjtimex(2); None where the kernel does not say.

    Containers and systemd's ProtectClock= forbid the call, though it only reads.
    """
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except AttributeError:
        return None
    timex = _Timex()  # modes 0: look, change nothing
    state = adjtimex(ctypes.byref(timex))
    if state < 0:
        return None
    return state != _TIME_ERROR and not timex.status & _STA_UNSYNC


class ClockSync:
    """`ask_kernel`, remembered for some seconds so that asking costs a part nothing. Used by one thread."""

    def __init__(self, ask: Callable[[], bool | None] = ask_kernel, mono_s: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._mono_s = ask, mono_s
        self._answer: bool | None = None
        self._next_s = -float("inf")

    def __call__(self) -> bool | None:
        """The answer, at most ten seconds old."""
        if (now_s := self._mono_s()) >= self._next_s:
            self._answer, self._next_s = self._ask(), now_s + _ASK_AGAIN_S
        return self._answer
