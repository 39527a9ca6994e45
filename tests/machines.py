"""A machine of its own for a test: systemd in namespaces over a copy-on-write view of this file system.

Nothing that happens in it reaches this system, whose services it does not start. It needs root, overlayfs, systemd and
dbus; `why_not` says what is missing.
"""

import os
import shutil
import signal
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.brokers import wait_until

_SYSTEMD = Path("/lib/systemd/systemd")

# A group of its own, so that nothing is left in those of this system.
_GROUP = r"""
set -eu
mount --make-rprivate /
mount -t cgroup2 cgroup2 /mnt
group=/mnt$(sed -n 's/^0:://p' /proc/self/cgroup)/goodpart-test-$1
"""

_BEGIN = (
    _GROUP
    + r"""
mkdir "$group"
echo $$ >"$group/cgroup.procs"
umount /mnt
shift
exec "$@"
"""
)

_END = _GROUP + 'find "$group" -depth -type d -exec rmdir {} +'

_ENTER = r"""
set -eu
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" "$1/root"
root=$1/root
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do touch "$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs tmpfs "$root/run"
mount --bind "$2" "$root$2"
# Of what this system would start, only what commands are answered by.
for unit in "$root"/lib/systemd/system/sysinit.target.wants/*.service \
    "$root"/etc/systemd/system/sysinit.target.wants/*.service; do
    case $unit in *journal*) ;; *) ln -sf /dev/null "$root/etc/systemd/system/${unit##*/}" ;; esac
done
printf '[Unit]\nWants=dbus.socket systemd-journald.socket\n' >"$root/etc/systemd/system/test.target"
: >"$root/etc/fstab"
cd "$root"
mkdir -p old
pivot_root . old
umount -l /old
# As an init does: what a service mounts for itself is seen by its processes.
mount --make-rshared /
exec env -i container=goodpart-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=test.target --log-target=null --show-status=no
"""

_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


def why_not() -> str:
    """What hinders such a machine here; empty: nothing."""
    if os.geteuid() != 0:
        return "only root may boot a systemd of its own"
    if not _SYSTEMD.exists():
        return "systemd is not installed"
    layers = "lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w"
    probe = f"mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w && mount -t overlay o -o {layers} /mnt"
    tried = subprocess.run(["unshare", "--mount", "sh", "-c", probe], capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"no namespace with an overlay of / can be made here: {tried.stderr.strip()}"
    tried = _in_group("probe", "true")
    _in_group("probe", None)
    return f"control groups of version 2 cannot be made here: {tried.stderr.strip()}" if tried.returncode else ""


def _in_group(name: str, *command: str | None) -> subprocess.CompletedProcess[str]:
    """Run a command in the control group of that name; None: remove the group."""
    script, more = (_END, []) if command == (None,) else (_BEGIN, command)
    return subprocess.run(
        ["unshare", "--mount", "bash", "-c", script, "group", name, *more], capture_output=True, text=True, check=False
    )


class Machine(AbstractContextManager["Machine"]):
    """Booted at the start of the block and gone at its end. `folder` is shared with it: files of the test."""

    def __init__(self, folder: Path) -> None:
        self._own = folder / "machine"
        self._own.mkdir()
        shared = folder / "shared"
        shared.mkdir()
        begin = ["unshare", "--mount", "bash", "-c", _BEGIN, "group", str(os.getpid())]
        command = [
            "unshare",
            "--pid",
            "--mount",
            "--cgroup",
            "--uts",
            "--ipc",
            "--fork",
            "--kill-child",
            "bash",
            "-c",
            _ENTER,
            "boot",
        ]
        self._log = folder / "boot.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([*begin, *command, self._own, shared], stdin=subprocess.DEVNULL, stderr=log)
        self.shared = shared

    def __enter__(self) -> Self:
        wait_until(lambda: self._init or self._process.poll() is not None, "the machine to begin")
        wait_until(
            lambda: self.run("systemctl", "is-active", "test.target").stdout.strip() == "active", "the machine to boot"
        )
        return self

    @property
    def _init(self) -> int | None:
        """The number of its process 1, once that is systemd."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        if children and Path(f"/proc/{children[0]}/comm").read_text().strip() == "systemd":
            return int(children[0])
        assert self._process.poll() is None, self._log.read_text()
        return None

    def run(self, *command: object) -> subprocess.CompletedProcess[str]:
        """Run a command in it to its end."""
        enter = ["nsenter", "--target", str(self._init), "--all", "env", "--chdir=/"]
        return subprocess.run(
            [*enter, *map(str, command)], capture_output=True, text=True, check=False, env=_ENVIRONMENT, timeout=120
        )

    def does(self, *command: object) -> str:
        """The same, and it must go well; what it printed."""
        done = self.run(*command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def files(self, *folders: str) -> set[str]:
        """Everything below these."""
        return set(self.does("find", *folders, "-xdev").splitlines())

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        # Process 1 of a namespace takes all others with it.
        if init := self._init:
            os.kill(init, signal.SIGKILL)
        self._process.wait(30)
        _in_group(str(os.getpid()), None)
        shutil.rmtree(self._own, ignore_errors=True)
