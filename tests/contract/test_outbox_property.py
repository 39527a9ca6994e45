"""Whatever comes in whatever order, the books add up and the outbox holds what a plain dictionary would."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.report.outbox.lasting import LastingOutbox
from edge.report.outbox.outbox import EVICTED_FIRST, Answer, Counts, Fate, Row, evicted_name
from edge.types import Decision
from tests.disks import full_disk
from tests.outboxes import entry, inside

QUOTA = 2**18
VERDICTS = st.lists(st.tuples(st.sampled_from(Decision), st.sampled_from([100, 1500, 6000])), max_size=12)


class Life(RuleBasedStateMachine):
    """put, take, answer, evict, a disk that fails and comes back, the end of the process, kill -9."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.lives = self.seq = 0
        self.now_s = 0.0
        self.full = False
        self.waits: dict[int, Decision] = {}  # the model: seq to verdict
        self.taken: dict[int, Row] = {}
        self.safe: set[int] = set()  # on disk for certain
        self.outbox = self.opened()

    @property
    def path(self) -> Path:
        return self.folder / f"life-{self.lives}.outbox"

    def opened(self) -> LastingOutbox:
        return LastingOutbox(self.path, QUOTA, clock=lambda: self.now_s)

    @rule(entries=VERDICTS)
    def put(self, entries: list[tuple[Decision, int]]) -> None:
        before = self.outbox.counts
        fresh = {self.seq + place: verdict for place, (verdict, _) in enumerate(entries, 1)}
        with full_disk(full=self.full):
            self.outbox.put([entry(self.seq + place, *each[:1], size=each[1]) for place, each in enumerate(entries, 1)])
        self.seq += len(entries)
        self.waits |= fresh
        if self.outbox.counts.evicted > before.evicted:
            self.find_evicted(before)
        if not self.full and not self.outbox.failing:
            self.safe = set(self.waits)

    def find_evicted(self, before: Counts) -> None:
        """Those that are gone were the first to go: by verdict, then by age, and none that was taken."""
        there = {row.entry.seq for row in self.look()} | self.taken.keys()
        gone = {seq: verdict for seq, verdict in self.waits.items() if seq not in there}
        after = self.outbox.counts.as_dict()
        for verdict in Decision:
            mine = sorted(seq for seq, each in gone.items() if each == verdict)
            assert len(mine) == after[evicted_name(verdict)] - before.as_dict()[evicted_name(verdict)]
            stays = [seq for seq, each in self.waits.items() if each == verdict and seq in there - self.taken.keys()]
            assert not mine or not stays or mine[-1] < min(stays)
            if mine and not self.full:
                lesser = EVICTED_FIRST[: EVICTED_FIRST.index(verdict)]
                newer = [s for s, each in self.waits.items() if each in lesser and s in there - self.taken.keys()]
                assert all(seq > mine[-1] for seq in newer), "what mattered less and was there should have gone instead"
        for seq in gone:
            del self.waits[seq]
            self.safe.discard(seq)

    def look(self) -> list[Row]:
        """All that could be taken, without taking it."""
        rows = self.outbox.take(10_000)
        self.outbox.settle([Answer(row.id, Fate.LATER) for row in rows])
        return rows

    @rule(most=st.integers(0, 16))
    def take(self, most: int) -> None:
        rows = self.outbox.take(most)
        assert len(rows) == min(most, len(self.waits.keys() - self.taken.keys()))
        assert [row.entry.seq for row in rows] == sorted(self.waits.keys() - self.taken.keys())[:most]
        self.taken |= {row.entry.seq: row for row in rows}

    @precondition(lambda self: self.taken)
    @rule(fates=st.lists(st.sampled_from(Fate), min_size=1, max_size=16))
    def answer(self, fates: list[Fate]) -> None:
        answered = list(zip(self.taken, fates, strict=False))
        with full_disk(full=self.full):
            self.outbox.settle([Answer(self.taken[seq].id, fate, "why") for seq, fate in answered])
        for seq, fate in answered:
            del self.taken[seq]
            if fate is not Fate.LATER:
                del self.waits[seq]
                self.safe.discard(seq)

    @rule()
    def disk_fails_or_comes_back(self) -> None:
        self.full = not self.full

    @rule(seconds=st.floats(0.1, 60))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds
        self.put([])

    @precondition(lambda self: not self.full)
    @rule()
    def end_and_start(self) -> None:
        before = self.outbox.counts
        self.outbox.close()
        self.outbox = self.opened()
        self.find_evicted(before)
        self.taken.clear()
        assert self.outbox.counts.waiting == len(self.waits)
        self.safe = set(self.waits)

    @rule()
    def kill(self) -> None:
        """What the operating system has of the files at this moment is what the next process finds."""
        here = self.path
        self.lives += 1
        for part in here.parent.glob(f"{here.name}*"):
            shutil.copy(part, f"{self.path}{part.name.removeprefix(here.name)}")
        self.outbox.close()
        self.full = False
        self.taken.clear()
        self.outbox = self.opened()
        found = {row.entry.seq: row.entry.verdict for row in self.look()}
        assert found.keys() >= self.safe, "committed and lost"
        assert self.outbox.counts.moved_aside == 0
        self.waits, self.safe = found, set(found)

    @invariant()
    def books_add_up(self) -> None:
        assert self.outbox.counts.balanced
        assert self.outbox.counts.waiting == len(self.waits)

    def teardown(self) -> None:
        self.outbox.close()
        (rows,) = inside(self.path, "SELECT count(*) FROM waiting")
        assert rows[0] == self.outbox.counts.waiting
        shutil.rmtree(self.folder)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=30, stateful_step_count=40)
