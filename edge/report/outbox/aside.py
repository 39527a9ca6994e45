"""A damaged outbox is put aside, whole, and a fresh one takes its place: inspection and delivery go on."""

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

from edge.errors import BadConfig, BadOutbox, DiskFailed
from edge.events import EventCode, Events
from edge.host.files import open_kept
from edge.report.outbox.sqlite import SqliteOutbox

_FAULTS_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS}


def open_outbox(path: Path, quota_bytes: int, first_id: int = 1, events: Events | None = None) -> SqliteOutbox:
    """Open or make the outbox at `path`; one that is damaged is moved to `NAME.corrupt-TIME` first, and said to be.

    Raises:
        BadConfig: it is in use, or cannot be written by this user at this place.
        DiskFailed: the disk is full, faulty or read-only.
    """
    try:
        make_file(path)
        return SqliteOutbox(path, quota_bytes, first_id, events=events)
    except BadOutbox as err:
        try:
            aside = _move_aside(path)
        except OSError as hindered:
            raise DiskFailed(f"{err} It cannot be moved aside: {hindered.strerror}") from None
        kept = f"{err} It is kept as {aside.name}; results that waited in it are not sent, and a fresh one begins"
        (events or Events()).say(EventCode.OUTBOX_CORRUPT, kept)
        try:
            return SqliteOutbox(path, quota_bytes, first_id, moved_aside=_count_aside(path), events=events)
        except BadOutbox as again:
            raise DiskFailed(str(again)) from again


def make_file(path: Path) -> None:
    """Create an empty file where there is none, so that what hinders it has a name; SQLite only says that it cannot.

    Raises:
        BadConfig: this user may not write there, or there is no such place.
        DiskFailed: the disk is full, faulty or read-only.
    """
    if path.is_dir():
        raise BadConfig(f"mqtt.outbox.path: {path} is a folder; name a file in it.")
    if path.exists() and os.access(path, os.R_OK | os.W_OK):
        return
    try:
        os.close(open_kept(path, os.O_RDWR, 0o640))
    except OSError as err:
        if err.errno in _FAULTS_OF_THE_DISK:
            raise DiskFailed(f"{err.strerror}") from err
        raise BadConfig(
            f"mqtt.outbox.path: {path} cannot be written: {err.strerror}; choose another file with mqtt.outbox.path."
        ) from None


def _move_aside(path: Path) -> Path:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.with_name(f"{path.name}.corrupt-{moment}")
    # The log first: beside a fresh file it would be taken for that one's.
    for suffix in ("-wal", "-shm", "-journal", ""):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{aside}{suffix}")
    return aside


def _count_aside(path: Path) -> int:
    names = [p.name for p in path.parent.iterdir() if p.name.startswith(f"{path.name}.corrupt-")]
    return sum(not name.endswith(("-wal", "-shm", "-journal")) for name in names)
