"""Where the operating system wants what a service keeps."""

import os
from pathlib import Path


def state_folder() -> Path | None:
    """The folder of a systemd unit with StateDirectory=; None for a process that was started in another way."""
    # Several are separated by colons (systemd.exec(5)); a goodpart unit has one.
    found = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(found) if found else None
