"""The outbox of a device: on disk, and in memory for as long as the disk refuses."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from edge.errors import BadConfig, BadOutbox, DiskFailed
from edge.events import Events
from edge.report.books import Account, Loss
from edge.report.outbox.aside import open_outbox
from edge.report.outbox.memory import MOST_IN_MEMORY, MemoryOutbox
from edge.report.outbox.outbox import Answer, Counts, Entry, Fate, Row, in_parts
from edge.report.outbox.sqlite import SqliteOutbox

log = logging.getLogger(__name__)

_PAUSE_S = (1.0, 30.0)
"""Between attempts to write: the first, doubled up to the last."""

_MOST_OWED = 1000
"""Rows delivered that the disk could not delete; beyond it they wait, since a kill would send all of them again."""

_BEYOND = 2**48
"""Ids for rows in memory while nobody could look which ids the file has."""


class LastingOutbox:
    """An outbox that inspection can rely on whatever the disk does.

    While it cannot be written, new results wait in memory, are taken from there too, and are committed when it can be
    written again; a kill in that time loses them. A file that turns out to be damaged is moved aside.

    Raises:
        BadConfig: the file is in use, or cannot be made at this place.
    """

    def __init__(
        self,
        path: Path,
        quota_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        events: Events | None = None,
    ) -> None:
        self._path = path
        self._quota_bytes = quota_bytes
        self._clock = clock
        self._events = events
        self._disk: SqliteOutbox | None = None
        self._memory: MemoryOutbox | None = None  # there while the disk refuses
        self._owed: list[Answer] = []
        self._pause_s = _PAUSE_S[0]
        self._again_s = 0.0
        self._mended_s = -_PAUSE_S[1]
        self._said = False
        self._before = Account("mqtt")  # in files moved aside since
        try:
            self._disk = open_outbox(path, quota_bytes, events=events)
        except DiskFailed as err:
            self._fall_back(err)

    @property
    def counts(self) -> Counts:
        """The books of disk and memory together."""
        owed = Counter[str](answer.fate.lower() for answer in self._owed)
        counts = (self._disk.counts if self._disk else Counts()).plus({**owed, "waiting": -owed.total()})
        return counts.plus(self._memory.counts) if self._memory else counts

    @property
    def failing(self) -> bool:
        """Whether the disk refuses, so that new results wait in memory."""
        return self._memory is not None

    @property
    def account(self) -> Account:
        """The books since the start; what waits in a file moved aside meanwhile counts as gone."""
        account = self._in_files()
        return account.plus(self._memory.account) if self._memory else account

    def put(self, entries: Sequence[Entry], overflowed: int = 0) -> None:
        """Commit these, or keep them in memory. With nothing to put, only try the disk again when it is time."""
        self._mend()
        if self._disk and not self._memory:
            try:
                self._disk.put(entries, overflowed)
            except (DiskFailed, BadOutbox) as err:
                self._fall_back(err)
            else:
                return
        if self._memory:
            self._memory.put(entries, overflowed)

    def take(self, most: int, but_not: Collection[int] = ()) -> list[Row]:
        """Rows of the disk first: they are older."""
        rows: list[Row] = []
        if self._disk and len(self._owed) < _MOST_OWED:
            try:
                rows = self._disk.take(most, but_not)
            except (DiskFailed, BadOutbox) as err:
                self._fall_back(err)
        if self._memory and len(rows) < most:
            rows += self._memory.take(most - len(rows), but_not)
        return rows

    def oldest(self) -> Entry | None:
        """Of the disk, whose rows are older; what was delivered and could not be deleted there yet hides the others."""
        if self._disk and not self._memory:
            try:
                return self._disk.oldest()
            except (DiskFailed, BadOutbox) as err:
                self._fall_back(err)
        if self._disk and self._disk.counts.waiting:
            return None
        return self._memory.oldest() if self._memory else None

    def settle(self, answers: Sequence[Answer]) -> None:
        """Note these on the disk, or, while it refuses, remember to."""
        if self._memory:
            there = [answer for answer in answers if self._memory.has(answer.id)]
            answers = [answer for answer in answers if not self._memory.has(answer.id)]
            self._memory.settle(there)
        elif self._disk:
            try:
                self._disk.settle(answers)
            except (DiskFailed, BadOutbox) as err:
                self._fall_back(err)
            else:
                return
        if self._disk:
            # Releasing needs no disk.
            self._disk.settle([answer for answer in answers if answer.fate is Fate.LATER])
            self._owed += [answer for answer in answers if answer.fate is not Fate.LATER]

    def close(self) -> None:
        """Try the disk a last time; what it does not take ends with the process."""
        self._again_s = self._clock()
        self._mend()
        if self._memory:
            if waiting := self._memory.counts.waiting:
                log.error("mqtt.outbox.path: %s cannot be written to the end: %d results are lost", self._path, waiting)
            self._memory.close()
        if self._disk:
            self._disk.close()

    def _in_files(self) -> Account:
        if self._disk is None:
            return self._before
        fates = Counter(answer.fate for answer in self._owed)
        owed = Account("mqtt", fates[Fate.DELIVERED], -fates.total(), {Loss.DEAD: fates[Fate.DEAD]})
        return self._before.plus(self._disk.account).plus(owed)

    def _fall_back(self, err: DiskFailed | BadOutbox) -> None:
        now_s = self._clock()
        if self._memory is None:
            self._memory = MemoryOutbox(first_id=self._disk.next_id if self._disk else _BEYOND)
            # A disk that is full takes a little now and then; that is no reason to try it more often.
            again = now_s - self._mended_s < _PAUSE_S[1]
            self._pause_s = min(self._pause_s * 2, _PAUSE_S[1]) if again else _PAUSE_S[0]
            self._again_s = now_s + self._pause_s
        if isinstance(err, DiskFailed):
            self._say(err)
        elif self._disk:
            account = self._in_files()
            damaged = account.losses.get(Loss.DAMAGED, 0) + account.waiting
            self._before = replace(account, waiting=0, losses={**account.losses, Loss.DAMAGED: damaged})
            self._owed.clear()
            self._disk.close()
            self._disk = None
            self._again_s = now_s

    def _mend(self) -> None:
        """Bring everything to the disk, if it is time to try and it can be written again."""
        if self._memory is None or self._clock() < self._again_s:
            return
        try:
            self._bring_to_disk(self._memory)
        except (DiskFailed, BadOutbox, BadConfig) as err:
            self._pause_s = min(self._pause_s * 2, _PAUSE_S[1])
            if isinstance(err, BadOutbox):
                self._fall_back(err)
            else:
                self._say(err)
            self._again_s = self._clock() + self._pause_s
            return
        if self._said:
            log.warning(
                "mqtt.outbox.path: %s can be written again; %d results are lost", self._path, self._memory.counts.overflowed
            )
        self._memory, self._said, self._mended_s = None, False, self._clock()

    def _bring_to_disk(self, memory: MemoryOutbox) -> None:
        if self._disk is None:
            self._disk = open_outbox(self._path, self._quota_bytes, memory.next_id, self._events)
        self._disk.settle(self._owed)
        self._owed.clear()
        for rows in in_parts(memory.rows, lambda row: row.entry.payload):
            self._disk.restore(rows, memory.held)
            memory.forget(rows)
        self._disk.add(memory.counts, list(memory.dead))

    def _say(self, err: Exception) -> None:
        if not self._said:
            log.error(
                "mqtt.outbox.path: %s cannot be written: %s; at most %d results wait in memory; make room on the disk",
                self._path,
                err,
                MOST_IN_MEMORY,
            )
        self._said = True
