"""The power goes at every moment: what `put` had returned for is still there.

A real process fills and empties an outbox while strace records every write, sync and truncation of its files, and the
moments at which `put` and `settle` returned. Then, for every moment, disks are made as a power cut may leave them: all
that was synced is there; of what was written since, any subset of 512-byte sectors, and perhaps not even the names of files
that were made since. That proves the order of writes and syncs of SQLite with our settings, on a disk that keeps what it has
confirmed; a disk that lies about syncs is not covered.
"""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.report.outbox.aside import open_outbox

ROOT = Path(__file__).parents[2]
SECTOR = 512
QUOTA = 2**20
LIFE = """
import os, sys
from pathlib import Path
from edge.report.outbox.outbox import Answer, Fate
from edge.report.outbox.sqlite import SqliteOutbox
from tests.outboxes import entry
said = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
def say(words): os.write(said, words.encode())
outbox = SqliteOutbox(Path(sys.argv[1]), 2**20)
for turn in range(12):
    outbox.put([entry(seq, size=1500) for seq in range(3 * turn, 3 * turn + 3)])
    say(f"+{3 * turn + 3};")
    if turn % 3 == 2:
        rows = outbox.take(4)
        say(f"-{rows[-1].entry.seq + 1};")
        outbox.settle([Answer(row.id, Fate.DELIVERED) for row in rows])
"""
CALL = re.compile(r"(pwrite64|write|fdatasync|fsync|ftruncate|openat|unlink)\((.*)\) += (-?\d+)")


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
                if keep is None or keep.random() < 0.5:
                    raw = raw[:offset].ljust(offset, b"\0")
                continue
            for start in range(0, len(data), SECTOR):
                if keep is None or keep.random() < 0.5:
                    piece = data[start : start + SECTOR]
                    raw = raw.ljust(offset + start + len(piece), b"\0")
                    raw[offset + start : offset + start + len(piece)] = piece
        return bytes(raw)


@dataclass
class Disk:
    files: dict[str, File] = field(default_factory=dict)
    committed: int = 0  # seqs below this were put
    maybe_delivered: int = 0  # seqs below this may have been deleted


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("power") / "life"
    folder.mkdir()
    calls = "trace=pwrite64,write,fdatasync,fsync,ftruncate,openat,unlink"
    strace = ["strace", "-qq", "-y", "-xx", "-s", "100000", "-e", calls, "-o", str(folder.parent / "strace")]
    life = [sys.executable, "-c", LIFE, str(folder / "waiting.outbox"), str(folder.parent / "said")]
    subprocess.run([*strace, *life], check=True, cwd=ROOT)
    return (folder.parent / "strace").read_text()


def plain(quoted: str) -> bytes:
    return bytes.fromhex(quoted.replace("\\x", ""))


def moments(recorded: str) -> Iterator[Disk]:
    """The disk after each call."""
    disk = Disk()
    for line in recorded.splitlines():
        found = CALL.match(line)
        if not found or int(found[3]) < 0:
            continue
        call, arguments = found[1], found[2]
        quoted = re.search(r'"((?:\\x[0-9a-f]{2})*)"', arguments)
        if call in {"openat", "unlink"}:
            name = Path(plain(quoted[1] if quoted else "").decode()).name
            if "waiting.outbox" not in name:
                continue
            if call == "openat" and "O_CREAT" in arguments:
                if name not in disk.files or disk.files[name].removed:
                    disk.files[name] = File()
            elif call == "unlink":
                disk.files[name].removed = True
        else:
            target = re.match(r"\d+<((?:\\x[0-9a-f]{2})*)>", arguments)
            name = Path(plain(target[1]).decode()).name if target else ""
            if call == "write" and name == "said" and quoted:
                word = plain(quoted[1]).decode()
                if word[0] == "+":
                    disk.committed = int(word[1:-1])
                else:
                    disk.maybe_delivered = int(word[1:-1])
                continue
            if call in {"fsync", "fdatasync"} and name == "life":
                disk.files = {name: file for name, file in disk.files.items() if not file.removed}
                for file in disk.files.values():
                    file.named = True
            elif (file := disk.files.get(name)) is None:
                continue
            elif call in {"fsync", "fdatasync"}:
                file.synced, file.pending = file.after(None), []
            elif call == "ftruncate":
                file.pending.append((int(arguments.rsplit(", ", 1)[1], 0), None))
            elif quoted:
                file.pending.append((int(arguments.rsplit(", ", 1)[1], 0), plain(quoted[1])))
        yield disk


def test_no_power_cut_takes_back_what_was_committed(recorded: str, tmp_path: Path) -> None:
    chance = random.Random(7)
    cuts = 0
    for number, disk in enumerate(moments(recorded)):
        for keep in (None, chance):
            folder = tmp_path / f"{number}-{'all' if keep is None else 'some'}"
            folder.mkdir()
            for name, file in disk.files.items():
                certain = file.named and not file.removed
                if certain or (keep.random() < 0.5 if keep else not file.removed):
                    (folder / name).write_bytes(file.after(keep))
            outbox = open_outbox(folder / "waiting.outbox", QUOTA)
            there = {row.entry.seq for row in outbox.take(1000)}
            assert there >= set(range(disk.maybe_delivered, disk.committed)), (number, keep)
            assert outbox.counts.balanced
            assert outbox.counts.moved_aside == 0 or disk.committed == 0
            outbox.close()
            cuts += 1
    assert disk.committed == 36, "the recording is whole"
    assert cuts > 200
