"""A folder of good pictures that only grows: whole files, names used once, nothing overwritten."""

import fcntl
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from calibration.collect.sidecar import Sidecar, read_sidecar, sidecar_of
from calibration.goods import find_goods
from edge.capture.pictures import SUFFIXES
from edge.errors import BadConfig
from edge.host.files import write_through

DISCARDED = "discarded"
"""Subfolder of pictures that were taken back; `calibrate` does not look into it."""

_NAME = re.compile(r"(?P<part>.+?)(?:__(?P<picture>\d+))?")


@dataclass(slots=True)
class Folder:
    """A folder that is being filled.

    parts: how many pictures each part has. digests: sha256 of a file to the name of its picture. used: the highest picture
    number that each part ever had, taken back or not. sidecars: of the pictures that have one, oldest first.
    """

    path: Path
    parts: Counter[str] = field(default_factory=Counter)
    digests: dict[str, str] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    sidecars: list[Sidecar] = field(default_factory=list)

    def put(self, sidecar: Sidecar, png: bytes) -> Path:
        """Store a picture and its sidecar: both whole, or neither.

        Raises:
            BadConfig: the disk refuses, or the name is taken.
        """
        path = self.path / f"{sidecar.part}__{sidecar.picture}.png"
        contents = {path: png, sidecar_of(path): sidecar.model_dump_json(indent=1).encode()}
        drafts = {target: target.with_name(f".{target.name}.draft") for target in contents}
        try:
            for target, raw in contents.items():
                write_through(drafts[target], raw)
            if taken := [target for target in contents if os.path.lexists(target)]:
                raise BadConfig(f"-o: {taken[0]} is there already; is somebody else writing into this folder?")
            for target, draft in drafts.items():
                draft.rename(target)
        except OSError as err:
            raise BadConfig(
                f"-o: {path} cannot be written: {err.strerror}; make room or choose another folder (what was stored stays)."
            ) from None
        finally:
            for draft in drafts.values():
                draft.unlink(missing_ok=True)
        self._count(sidecar.part, sidecar.picture, sidecar.sha256)
        self.parts[sidecar.part] += 1
        self.sidecars.append(sidecar)
        return path

    def discard(self, sidecar: Sidecar) -> Path:
        """Move a picture and its sidecar out of the way; returns where it is now.

        Raises:
            BadConfig: the disk refuses.
        """
        path = self.path / f"{sidecar.part}__{sidecar.picture}.png"
        away = self.path / DISCARDED
        try:
            away.mkdir(exist_ok=True)
            for each in (path, sidecar_of(path)):
                each.rename(away / each.name)
        except OSError as err:
            raise BadConfig(f"-o: {path} cannot be moved to {away}: {err.strerror}; move it by hand.") from None
        self.parts[sidecar.part] -= 1
        self.parts += Counter()  # parts without pictures are none
        del self.digests[sidecar.sha256]
        self.sidecars.remove(sidecar)
        return away / path.name

    def _count(self, part: str, picture: int, digest: str) -> None:
        self.used[part] = max(picture, self.used.get(part, 0))
        self.digests[digest] = f"{part}__{picture}.png"


@contextmanager
def filled(path: Path) -> Iterator[Folder]:
    """Open a folder of goods, made if need be, for this process alone.

    Raises:
        BadConfig: it cannot be made or read, or another process fills it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as err:
        raise BadConfig(f"-o: {path} cannot be opened: {err.strerror}; give a folder.") from None
    try:
        _claim(handle, path)
        yield _found(path)
    finally:
        os.close(handle)


def _claim(handle: int, path: Path) -> None:
    """Lock the folder; the system gives it back when the process ends, however it ends."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as err:
        raise BadConfig(
            f"-o: {path} cannot be locked ({err.strerror}); is another collect filling it? Choose another folder."
        ) from None


def digest_of(png: bytes) -> str:
    """sha256 of a file's bytes."""
    return hashlib.sha256(png).hexdigest()


def _found(path: Path) -> Folder:
    """What stands in a folder already, with any name."""
    folder = Folder(path)
    pictures = [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES]
    away = path / DISCARDED
    for name in (*pictures, *(away.iterdir() if away.is_dir() else ())):
        if match := _NAME.fullmatch(name.stem):
            part, number = match["part"], int(match["picture"] or 0)
            folder.used[part] = max(number, folder.used.get(part, 0))
    if pictures:
        for good in find_goods(path):
            folder.parts[good.part_id] += 1
            folder.digests[good.sha256] = good.path.name
    sidecars = [sidecar for picture in pictures if (sidecar := read_sidecar(picture))]
    folder.sidecars = sorted(sidecars, key=lambda sidecar: sidecar.taken_utc)
    return folder
