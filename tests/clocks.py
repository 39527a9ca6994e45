"""A process whose wall clock a test may step, by Debian's libfaketime. No other clock changes."""

import subprocess
from pathlib import Path

_SLEEPS = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left)
{
    return syscall(SYS_clock_nanosleep, clock, flags, until, left) ? errno : 0;
}
"""
"""libfaketime 0.9.10 moves the end of a sleep by the monotonic clock, too, though it was told to leave that clock alone:
with an offset of a day Python's time.sleep fails with EINVAL. This one goes before it."""

_SEEN_WITHIN_S = 1
"""Without a cache each look at the clock reads a file, and a device spends its time on that."""


class WallClock:
    """What processes see that are started with `env`. folder: made for its files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._file = folder / "offset"
        sleeps = folder / "sleeps.so"
        command = ["c++", "-x", "c", "-shared", "-fPIC", "-o", sleeps, "-"]
        subprocess.run(command, input=_SLEEPS, text=True, check=True)
        self.step(0)
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        assert found, "the clock is stepped by libfaketime: apt-get install faketime"
        self.env = {
            "LD_PRELOAD": f"{sleeps}:{found[0]}",
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(_SEEN_WITHIN_S),
            "FAKETIME_DONT_RESET": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def step(self, seconds: int) -> None:
        """By how much it goes ahead of the computer's, a second from now at the latest."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self._file)
