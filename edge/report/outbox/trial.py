"""Whether an outbox can be written, tried before the shift."""

import shutil
from pathlib import Path

from edge.errors import BadConfig, InUse
from edge.host.files import hindrance
from edge.report.outbox.aside import make_file
from edge.report.outbox.schema import Room, connect, one


def try_outbox(path: Path, quota_bytes: int) -> str:
    """Open it and say what waits in it; nothing is made, moved aside or evicted.

    Raises:
        BadConfig, DiskFailed, BadOutbox: it cannot be written, or is damaged.
    """
    if not path.exists():
        if why := hindrance(path):
            raise BadConfig(f"mqtt.outbox.path: {path} cannot be written: {why}; choose another file with mqtt.outbox.path.")
        _must_have_room(path.parent, path, quota_bytes)
        return f"{path} can be made"
    make_file(path)
    try:
        db = connect(path, Room.of(quota_bytes))
    except InUse:
        return f"{path} is open in a process that runs now"
    try:
        waiting = one(db, "SELECT count(*) FROM waiting")
    finally:
        db.close()
    _must_have_room(path.parent, path, quota_bytes - path.stat().st_size)
    return f"{path} can be written, {waiting} results wait in it"


def _must_have_room(folder: Path, path: Path, needed: int) -> None:
    room = shutil.disk_usage(folder).free
    if room < needed:
        raise BadConfig(
            f"mqtt.outbox.quota_mb: {path} may take {needed >> 20} MB more and its disk has {room >> 20} MB left; make "
            "room, or lower the quota."
        )
