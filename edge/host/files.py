"""Files that must be there after the power went, and belong to whom their folder belongs."""

import contextlib
import errno
import functools
import logging
import os
import stat
from pathlib import Path

log = logging.getLogger(__name__)

DRAFT = ".draft"
"""Ends the name of a file that is not whole yet."""


def write_through(path: Path, raw: bytes, *, sync: bool = True) -> None:
    """Write a whole file, in place of what has the name, and wait until the disk has it; without `sync`, do not wait.

    Raises:
        OSError: the disk refuses.
    """
    # Never through a link that the folder's owner may have put there, where root writes.
    path.unlink(missing_ok=True)
    with os.fdopen(open_kept(path, os.O_WRONLY | os.O_EXCL, 0o666), "wb") as file:
        file.write(raw)
        if sync:
            file.flush()
            os.fsync(file.fileno())


def put_in_place(path: Path, raw: bytes, *, sync: bool = True) -> None:
    """A file that is whole under its name or not there, and there when this returns, even if the power goes then.

    Without `sync` it outlives the process, and not the power.

    Raises:
        OSError: the disk refuses; no draft is left behind where that can be helped.
    """
    draft = path.with_name(path.name + DRAFT)
    try:
        write_through(draft, raw, sync=sync)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    if sync:
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


def open_kept(path: Path, flags: int, mode: int) -> int:
    """A file's descriptor; where there is no file it is made, and belongs to the owner of its folder.

    Raises:
        OSError: it cannot be opened or made; with O_EXCL, it is there already.
    """
    try:
        fd = os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        if flags & os.O_EXCL:
            raise
        return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, mode)
    _give(path.parent, fd)
    return fd


def make_folder(path: Path, *, parents: bool = False) -> None:
    """A folder, and with `parents` those above it, where they are missing; each belongs to the owner of the one above.

    Raises:
        OSError: it cannot be made.
    """
    if path.is_dir():
        return
    if parents and not path.parent.is_dir():
        make_folder(path.parent, parents=True)
    path.mkdir(exist_ok=True)
    give_folder_to_owner_of(path.parent, path)


def give_folder_to_owner_of(above: Path, folder: Path) -> None:
    """A folder that was made just now, to whom the one above it belongs.

    Raises:
        OSError: it has gone, or something else has its name now.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _give(above, fd)
    finally:
        os.close(fd)


def may_be_there(path: Path) -> bool:
    """Whether something has this name, or this user may not look: who then opens it learns why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _give(folder: Path, fd: int) -> None:
    """What root makes in somebody's folder becomes theirs, so that a service without root may write and remove it.

    Where even root may not give things away, on a share or in a container, that is said once: what was made is there.
    """
    if os.geteuid() != 0:
        return
    owner, now = folder.stat(), os.fstat(fd)
    if (now.st_uid, now.st_gid) != (owner.st_uid, owner.st_gid):
        try:
            os.fchown(fd, owner.st_uid, owner.st_gid)
        except OSError as err:
            _say_kept(folder, err.strerror or type(err).__name__)


@functools.cache
def _say_kept(folder: Path, why: str) -> None:
    log.warning(
        "%s: what root makes there cannot be given to its owner (%s); a service without root may not write it", folder, why
    )


def hindrance(path: Path, *, folder: bool = False, parents: bool = False) -> str:
    """What would hinder this user from writing a file, or into a folder, which is made where it is missing; empty: nothing.

    Only looks. parents: folders above it are made, too.
    """
    there, is_folder = path, folder
    try:
        if not path.exists():
            there, is_folder = next(above for above in path.parents if not parents or above.exists()), True
        mode = there.stat().st_mode
    except OSError as err:
        return err.strerror or type(err).__name__
    if stat.S_ISDIR(mode) is not is_folder:
        return os.strerror(errno.ENOTDIR if is_folder else errno.EISDIR)
    return "" if os.access(there, os.W_OK | (os.X_OK if is_folder else 0)) else os.strerror(errno.EACCES)


def append_whole(fd: int, line: bytes, *, sync: bool = False) -> None:
    """All of `line` at the end of an open file, or, where the file can be shortened again, nothing. sync: and on the disk.

    Raises:
        OSError: the disk refuses.
    """
    before = os.fstat(fd)
    left = memoryview(line)
    try:
        while left:
            left = left[os.write(fd, left) :]
        if sync:
            os.fsync(fd)
    except OSError:
        if stat.S_ISREG(before.st_mode) and len(left) < len(line):
            # A disk takes as much as it has room for; the next line must not be glued to half of this one.
            with contextlib.suppress(OSError):
                os.ftruncate(fd, before.st_size)
        raise
