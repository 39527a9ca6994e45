"""Who this process is, and whether it may read the camera."""

import errno
import grp
import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path

from edge.capture.config import CameraConfig, GenicamConfig, SourceConfig
from edge.doctor.symptom import Symptom, ill, well, worry

_BY_ID = Path("/dev/v4l/by-id")

_USB_DEVICES, _USB_NODES = Path("/sys/bus/usb/devices"), Path("/dev/bus/usb")
_USB3_VISION = "ef", "05"
"""Class and subclass of an interface of a USB3 Vision camera, as sysfs shows them."""

_NETLINK_KOBJECT_UEVENT = 15
"""linux/netlink.h: where libusb hears of cameras that come and go, without which it does not begin."""


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


def try_usb_cameras(source: SourceConfig, devices: Path = _USB_DEVICES, nodes: Path = _USB_NODES) -> list[Symptom]:
    """Each USB3 Vision camera that is plugged in, where the source is a GenICam camera; one on the network has no device."""
    if not isinstance(source, GenicamConfig):
        return []
    return [_try_usb_camera(node) for node in sorted(_usb3_vision(devices, nodes))]


def _usb3_vision(devices: Path, nodes: Path) -> Iterator[Path]:
    """The nodes of cameras, from sysfs: an interface `2-1:1.0` is described in a folder beside that of its device `2-1`."""
    for interface in devices.glob("*:*.0"):
        try:
            kind = tuple((interface / name).read_text().strip() for name in ("bInterfaceClass", "bInterfaceSubClass"))
            device = devices / interface.name.partition(":")[0]
            bus, number = (int((device / name).read_text()) for name in ("busnum", "devnum"))
        except (OSError, ValueError):
            continue  # it was pulled out meanwhile
        if kind == _USB3_VISION:
            yield nodes / f"{bus:03d}" / f"{number:03d}"


def _try_usb_camera(node: Path) -> Symptom:
    name = f"source.kind: genicam: the USB3 Vision camera {node}"
    try:
        os.close(os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as err:
        match err.errno:
            case errno.EPERM:
                mend = "is not among the sandbox's devices; add DeviceAllow=char-usb_device rw in a drop-in."
            case errno.EACCES:
                mend = "may not be used by this user; install its maker's udev rule, and name that one's group in "
                mend += "SupplementaryGroups=."
            case _:
                mend = f"cannot be opened: {err.strerror}; plug it in again."
        return ill("camera", f"{name} {mend}")
    try:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_KOBJECT_UEVENT).close()
    except OSError:
        return worry(
            "camera",
            f"{name} may be used, but a producer that finds it with libusb does not: the sandbox forbids netlink; add "
            "RestrictAddressFamilies=AF_NETLINK in a drop-in.",
        )
    return well("camera", f"{node} is a USB3 Vision camera that this user may use")


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
