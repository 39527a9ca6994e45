"""Files and links directly in a folder: what they take, and how the oldest is removed and nothing else."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A file or a link as it was seen. changed_ns: of the file's own time, since 1970."""

    folder: Path
    name: str
    size_bytes: int
    changed_ns: int
    inode: int

    @property
    def key(self) -> tuple[str, str]:
        """Name of its folder and its own."""
        return self.folder.name, self.name


def files_in(place: Path) -> Iterator[PlainFile]:
    """Files and links, one after the other, however many there are; none where the place is somebody else's, or gone.

    Raises:
        OSError: they are not to be seen.
    """
    try:
        fd = _open(place)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        with os.scandir(fd) as entries:
            for entry in entries:
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # one that goes meanwhile needs no room
                if _may_go(found):
                    yield PlainFile(place, entry.name, found.st_size, found.st_mtime_ns, found.st_ino)
    finally:
        os.close(fd)


def remove(file: PlainFile) -> bool:
    """Nothing but that very file in that very folder, whatever somebody puts in their place meanwhile.

    Returns:
        Whether it takes no more room; another one under its name stays.

    Raises:
        OSError: it stays.
    """
    try:
        fd = _open(file.folder)
    except (FileNotFoundError, NotADirectoryError):
        return True
    try:
        found = os.stat(file.name, dir_fd=fd, follow_symlinks=False)
        if not _may_go(found) or (found.st_mtime_ns, found.st_ino) != (file.changed_ns, file.inode):
            return False
        os.unlink(file.name, dir_fd=fd)
    except FileNotFoundError:
        return True  # somebody has tidied up
    finally:
        os.close(fd)
    return True


def _may_go(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)


def _open(place: Path) -> int:
    """A folder's descriptor. A link is none, whatever it leads to.

    Raises:
        OSError: it cannot be opened.
    """
    return os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
