"""One process at a time, by flock(2): the kernel gives a lock back when its process ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.host.files import open_kept


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock that stands behind a file, which is made where it is missing and stays. Yields whether it is held.

    wait: until whoever has it gives it back; else the answer may be no. Two threads exclude each other, too.

    Raises:
        OSError: the file cannot be made.
    """
    fd = open_kept(path, os.O_RDWR, 0o644)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)
