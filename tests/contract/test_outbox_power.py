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
from pathlib import Path

import pytest

from edge.report.outbox.aside import open_outbox
from tests.power import CALLS, moments

ROOT = Path(__file__).parents[2]
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


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("power")
    (folder / "life").mkdir()
    strace = ["strace", "-qq", "-y", "-xx", "-s", "100000", "-e", f"trace={','.join(CALLS)}", "-o", folder / "strace"]
    life = [sys.executable, "-c", LIFE, folder / "life" / "waiting.outbox", folder / "said"]
    subprocess.run([*strace, *life], check=True, cwd=ROOT)
    return (folder / "strace").read_text()


def last(sign: str, said: str) -> int:
    numbers = re.findall(rf"\{sign}(\d+);", said)
    return int(numbers[-1]) if numbers else 0


def test_no_power_cut_takes_back_what_was_committed(recorded: str, tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - nothing secret
    said, emptying = "", 0
    for number, disk in enumerate(moments(recorded, "life")):
        said, committed, maybe_delivered = disk.said, last("+", disk.said), last("-", disk.said)
        for keep in (None, chance):
            folder = tmp_path / f"{number}-{'all' if keep is None else 'some'}"
            disk.write_to(folder, keep)
            outbox = open_outbox(folder / "waiting.outbox", QUOTA)
            there = {row.entry.seq for row in outbox.take(1000)}
            assert there >= set(range(maybe_delivered, committed)), (number, keep)
            assert outbox.counts.balanced
            assert outbox.counts.moved_aside == 0 or committed == 0
            outbox.close()
        emptying += committed > 0 and bool(disk.files["waiting.outbox"].pending)
    assert (last("+", said), last("-", said)) == (36, 16), "the recording is whole"
    assert emptying > 10, "on the way the log was emptied into the file"
