"""Disks that take nothing more."""

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILLER = "filler"
"""The file that takes all room; without it there is some again."""


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


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[bool]:
    """Make `folder` and mount a file system of its own there; False: this user may not mount, and it stays a folder."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> bool:
    """Take all room; False where it is no disk of our own."""
    if not folder.is_mount():
        return False
    with (folder / FILLER).open("wb", buffering=0) as filler:
        for size in (65536, 1024):
            try:
                while filler.write(b"x" * size):
                    pass
            except OSError:
                continue
    return True
