"""Where the operating system wants what a service keeps."""

import os
from pathlib import Path

from edge.host.files import may_be_there

_STATIONS, _STATES = Path("/etc/goodpart"), Path("/var/lib/goodpart")
"""goodpart@NAME.service runs NAME.yaml of the one, and systemd keeps a folder NAME for it in the other."""


def state_folder(station_file: Path, stations: Path = _STATIONS, states: Path = _STATES) -> Path | None:
    """The folder of the systemd unit with StateDirectory= that runs a station file; None: no unit does.

    In a shell it is the same as for the unit: what is taught or looked at there must be what the service has.
    """
    # Several are separated by colons (systemd.exec(5)); a goodpart unit has one.
    if found := os.environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(found)
    kept = states / station_file.stem
    # A unit that has never run has no folder yet, and nothing in it.
    return kept if station_file.parent.resolve() == stations.resolve() and may_be_there(kept) else None
