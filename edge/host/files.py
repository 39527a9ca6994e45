"""Files that must be there after the power went."""

import contextlib
import os
from pathlib import Path

DRAFT = ".draft"
"""Ends the name of a file that is not whole yet."""


def write_through(path: Path, raw: bytes) -> None:
    """Write a whole file and wait until the disk has it.

    Raises:
        OSError: the disk refuses.
    """
    with path.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def put_in_place(path: Path, raw: bytes) -> None:
    """A file that is whole under its name or not there, and there when this returns, even if the power goes then.

    Raises:
        OSError: the disk refuses; no draft is left behind where that can be helped.
    """
    draft = path.with_name(path.name + DRAFT)
    try:
        write_through(draft, raw)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder: a file's own bytes do not bring its name along (fsync(2)).

    Raises:
        OSError: the disk refuses.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def give_to_owner_of(folder: Path, path: Path) -> None:
    """What root makes in somebody's folder becomes theirs, so that a service without root may replace and remove it.

    Raises:
        OSError: the system refuses.
    """
    if os.geteuid() == 0:
        owner = folder.stat()
        # The owner of the folder may have put a link there meanwhile.
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
