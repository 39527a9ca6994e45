"""Who this process is, and whether it may read the camera."""

import errno
import grp
import os
import pwd
from pathlib import Path

from edge.capture.config import CameraConfig, SourceConfig
from edge.doctor.symptom import Symptom, ill, well, worry

_BY_ID = Path("/dev/v4l/by-id")


def try_user() -> Symptom:
    """The user and its groups."""
    groups = ", ".join(sorted({_group(number) for number in {os.getegid(), *os.getgroups()}}))
    words = f"{_user(os.geteuid())}, groups {groups}"
    if os.geteuid() == 0:
        return worry("user", f"{words}: root may do what the service may not; look from inside with --sandbox.")
    return well("user", words)


def try_camera(source: SourceConfig, by_id: Path = _BY_ID) -> list[Symptom]:
    """The device of a camera that is a file here; nothing for other sources."""
    if not isinstance(source, CameraConfig) or "://" in str(source.device):
        return []
    device = Path(f"/dev/video{source.device}") if isinstance(source.device, int) else Path(source.device)
    try:
        os.close(os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as err:
        return [ill("camera", _explain(err, device, by_id))]
    if not device.is_relative_to(by_id):
        name = f"; its name can change at the next start, {_choice(by_id)}" if _names(by_id) else ""
        return [well("camera", f"{device} may be read by this user{name}")]
    return [well("camera", f"{device} may be read by this user")]


def _explain(err: OSError, device: Path, by_id: Path) -> str:
    match err.errno:
        case errno.ENOENT:
            return f"source.device: {device} is not there; is it plugged in and powered? {_choice(by_id).capitalize()}."
        case errno.EACCES:
            found = device.stat()
            return (
                f"source.device: {device} belongs to {_user(found.st_uid)}:{_group(found.st_gid)}, mode "
                f"{found.st_mode & 0o777:o}, and this user may not use it; add its group to SupplementaryGroups=."
            )
        case errno.EPERM:
            return f"source.device: {device} is not among the sandbox's devices; add DeviceAllow= in a drop-in."
        case errno.EBUSY:
            return f"source.device: {device} is in use by another program; does the station run?"
        case _:
            return f"source.device: {device} cannot be opened: {err.strerror}; is it a camera?"


def _choice(by_id: Path) -> str:
    names = _names(by_id)
    if not names:
        return f"there is no camera in {by_id}"
    return "cameras here: " + ", ".join(str(by_id / name) for name in names)


def _names(by_id: Path) -> list[str]:
    try:
        return sorted(path.name for path in by_id.iterdir())
    except OSError:
        return []


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
