"""Disks as a power cut may leave them, from what strace has seen a process do to its files."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CALLS = ("pwrite64", "write", "fdatasync", "fsync", "ftruncate", "openat", "unlink")
SECTOR = 512

_CALL = re.compile(rf"({'|'.join(CALLS)})\((.*)\) += (-?\d+)")
_QUOTED = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_OPENED = re.compile(r"\d+<((?:\\x[0-9a-f]{2})*)>")


@dataclass
class File:
    """synced: the disk has it; pending: written since, in order; None is a truncation to that length."""

    synced: bytes = b""
    named: bool = False  # its name is on the disk
    removed: bool = False  # but the disk may still have it
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def after(self, keep: random.Random | None) -> bytes:
        """As a power cut leaves it; keep: chance by which each sector has made it, None: all have."""
        raw = bytearray(self.synced)
        for offset, data in self.pending:
            if data is None:
                if kept(keep):
                    raw = raw[:offset].ljust(offset, b"\0")
                continue
            for start in range(0, len(data), SECTOR):
                if kept(keep):
                    piece = data[start : start + SECTOR]
                    raw = raw.ljust(offset + start + len(piece), b"\0")
                    raw[offset + start : offset + start + len(piece)] = piece
        return bytes(raw)


@dataclass
class Disk:
    """One folder. said: what the process has written to a file named `said`, outside of it."""

    folder: str
    files: dict[str, File] = field(default_factory=dict)
    said: str = ""

    def write_to(self, folder: Path, keep: random.Random | None) -> None:
        """Make the folder as the power cut leaves it."""
        folder.mkdir()
        for name, file in self.files.items():
            certain = file.named and not file.removed
            if certain or (kept(keep) if keep else not file.removed):
                (folder / name).write_bytes(file.after(keep))

    def sees(self, call: str, arguments: str) -> None:
        """One call that succeeded."""
        quoted = _QUOTED.search(arguments)
        data = _plain(quoted[1]) if quoted else b""
        if call in {"openat", "unlink"}:
            path = Path(data.decode())
            if path.parent.name == self.folder:
                self._names(path.name, made="O_CREAT" in arguments, removed=call == "unlink")
            return
        opened = _OPENED.match(arguments)
        path = Path(_plain(opened[1]).decode()) if opened else Path()
        if path.name == "said" and call == "write":
            self.said += data.decode()
        elif path.name == self.folder and call in {"fsync", "fdatasync"}:
            self._sync_names()
        elif path.parent.name == self.folder:
            self._changes(self.files[path.name], call, arguments, data)

    def _names(self, name: str, *, made: bool, removed: bool) -> None:
        if removed:
            self.files[name].removed = True
        elif made and (name not in self.files or self.files[name].removed):
            self.files[name] = File()

    def _sync_names(self) -> None:
        self.files = {name: file for name, file in self.files.items() if not file.removed}
        for file in self.files.values():
            file.named = True

    def _changes(self, file: File, call: str, arguments: str, data: bytes) -> None:
        match call:
            case "fsync" | "fdatasync":
                file.synced, file.pending = file.after(None), []
            case "ftruncate":
                file.pending.append((int(arguments.rsplit(", ", 1)[1], 0), None))
            case "pwrite64":
                file.pending.append((int(arguments.rsplit(", ", 1)[1], 0), data))
            case _:
                raise AssertionError(f"{call} of {arguments[:80]} is not understood")


def moments(recorded: str, folder: str) -> Iterator[Disk]:
    """The disk after each call; recorded: by strace -y -xx."""
    disk = Disk(folder)
    for line in recorded.splitlines():
        if (found := _CALL.match(line)) and int(found[3]) >= 0:
            disk.sees(found[1], found[2])
            yield disk


def kept(keep: random.Random | None) -> bool:
    return keep is None or keep.random() < 0.5


def _plain(quoted: str) -> bytes:
    return bytes.fromhex(quoted.replace("\\x", ""))
