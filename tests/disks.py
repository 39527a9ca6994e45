"""Disks that take nothing more."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk(*, full: bool = True) -> Iterator[None]:
    """The kernel refuses every write to a file that would make it longer than nothing: like a disk that fails in each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if full:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
