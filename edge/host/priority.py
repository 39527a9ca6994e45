"""Threads and processes that must not take the processor, or the memory, from the one that judges parts."""

import contextlib
import os
import threading
from pathlib import Path

_OOM_SCORE = Path("/proc/self/oom_score_adj")

_NICEST = 10
"""Two threads ten steps of niceness apart share a core about 9 to 1: each step is a factor of 1.25 (sched(7))."""


def step_back() -> None:
    """Let other threads go before this one from now on: without privileges a thread never gets its niceness back.

    Of one thread alone niceness is Linux's own (setpriority(2)); elsewhere, or where it is forbidden, nothing changes.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICEST)


def die_first() -> None:
    """Where memory runs out, let the kernel end this process and no other; without privileges it never gets that back.

    Linux's own (proc_pid_oom_score_adj(5)); elsewhere, or where it is forbidden, nothing changes.
    """
    with contextlib.suppress(OSError):
        _OOM_SCORE.write_text("1000")
