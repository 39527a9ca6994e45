"""Files on a disk that others need too: when the quota is used up, the oldest go first."""

import contextlib
import errno
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadConfig
from edge.evidence.names import Name, is_day, is_draft, stem_of
from edge.host.files import make_folder, put_in_place, sync_folder


@dataclass(frozen=True, slots=True)
class _Entry:
    name: Name
    size_bytes: int


class Ring:
    """The evidence folder: what stands in it is counted at the start, and only files called like ours are ever removed.

    After a restart old means by name, so by the device's clock; while it runs, by the order in which they came.

    Args:
        root: made if it is not there.
        quota_bytes: of all files together.
        keep_free_bytes: left to others on the disk; while there is less, the oldest go and none come.

    Raises:
        BadConfig: the folder cannot be made, read or written.
    """

    def __init__(self, root: Path, quota_bytes: int, keep_free_bytes: int = 0) -> None:
        self._root, self._quota_bytes, self._keep_free_bytes = root, quota_bytes, keep_free_bytes
        make_usable(root)
        try:
            self._entries = deque(sorted(_found_in(root), key=lambda entry: entry.name))
        except OSError as err:
            raise BadConfig(f"evidence.path: {err.filename}: {err.strerror}; give this user access to {root}.") from None
        self._used_bytes = sum(entry.size_bytes for entry in self._entries)

    @property
    def used_bytes(self) -> int:
        """What all of it takes."""
        return self._used_bytes

    def add(self, name: Name, raw: bytes, overlay: bytes | None) -> None:
        """Put a part's files on the disk, and drop as many of the oldest before as they need room.

        Raises:
            OSError: they are not there, or not for sure; nothing half written has their names.
        """
        size_bytes = len(raw) + len(overlay or b"")
        if size_bytes > self._quota_bytes:
            raise OSError(errno.EDQUOT, f"a picture has {size_bytes} bytes and evidence.quota_mb allows {self._quota_bytes}")
        while self._used_bytes + size_bytes > self._quota_bytes:
            self._drop_oldest()
        self.give_way(size_bytes)
        if self._wanted_bytes(size_bytes) > 0:
            raise OSError(errno.ENOSPC, "the disk has less left than evidence.keep_free_mb says")
        day = self._root / name.day
        if not day.is_dir():
            make_folder(day, parents=True)
            sync_folder(self._root)
        try:
            if overlay is not None:
                put_in_place(self._root / name.overlay, overlay)
            put_in_place(self._root / name.raw, raw)
        except OSError:
            with contextlib.suppress(OSError):
                self._remove(name)
            raise
        self._entries.append(_Entry(name, size_bytes))
        self._used_bytes += size_bytes

    def give_way(self, size_bytes: int = 0) -> None:
        """Drop the oldest until the disk has room again for others, beside so many bytes of ours.

        Raises:
            OSError: the disk does not take it.
        """
        # Measured once: a file system may give room back later, and that must not cost all pictures.
        wanted_bytes, used_bytes = self._wanted_bytes(size_bytes), self._used_bytes
        while self._entries and used_bytes - self._used_bytes < wanted_bytes:
            self._drop_oldest()

    def _wanted_bytes(self, size_bytes: int) -> int:
        if not self._keep_free_bytes:
            return 0
        disk = os.statvfs(self._root)
        return self._keep_free_bytes + size_bytes - disk.f_bavail * disk.f_frsize

    def _drop_oldest(self) -> None:
        oldest = self._entries[0]
        self._remove(oldest.name)
        self._entries.popleft()
        self._used_bytes -= oldest.size_bytes
        if not self._entries or self._entries[0].name.day != oldest.name.day:
            with contextlib.suppress(OSError):  # somebody keeps something there
                (self._root / oldest.name.day).rmdir()

    def _remove(self, name: Name) -> None:
        for file in (name.raw, name.overlay):
            (self._root / file).unlink(missing_ok=True)


def make_usable(root: Path) -> None:
    """Make the folder if it is not there.

    Raises:
        BadConfig: it cannot be made, or files cannot be put into it.
    """
    try:
        make_folder(root, parents=True)
    except OSError as err:
        raise BadConfig(f"evidence.path: {root} cannot be made: {err.strerror}; choose another folder.") from None
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise BadConfig(f"evidence.path: {root} cannot be written; give this user access or choose another folder.")


def _found_in(root: Path) -> Iterator[_Entry]:
    """What is there already; drafts of before are removed."""
    for day in root.iterdir():
        if not (is_day(day.name) and day.is_dir()):
            continue
        sizes: dict[str, int] = {}
        for file in os.scandir(day):
            stem = stem_of(file.name)
            if stem is None:
                continue
            if is_draft(file.name):
                Path(file.path).unlink(missing_ok=True)
            else:
                sizes[stem] = sizes.get(stem, 0) + file.stat(follow_symlinks=False).st_size
        yield from (_Entry(Name(day.name, stem), size) for stem, size in sizes.items())
