"""Whether an outbox can be written, tried before the shift."""

import shutil
from pathlib import Path

from edge.errors import BadConfig, InUse
from edge.report.outbox.aside import make_file
from edge.report.outbox.schema import Room, connect, one


def try_outbox(path: Path, quota_bytes: int) -> str:
    """Open it, make it where it is not there yet, and say what waits in it; nothing is moved aside or evicted.

    Raises:
        BadConfig, DiskFailed, BadOutbox: it cannot be written, or is damaged.
    """
    make_file(path)
    try:
        db = connect(path, Room.of(quota_bytes))
    except InUse:
        return f"{path} is open in a process that runs now"
    try:
        waiting = one(db, "SELECT count(*) FROM waiting")
    finally:
        db.close()
    room, needed = shutil.disk_usage(path.parent).free, quota_bytes - path.stat().st_size
    if room < needed:
        raise BadConfig(
            f"mqtt.outbox.quota_mb: {path} may take {needed >> 20} MB more and its disk has {room >> 20} MB left; make "
            "room, or lower the quota."
        )
    return f"{path} can be written, {waiting} results wait in it"
