"""The books of a run with faults, from accounts that do not know of each other.

    committed − received − waiting − counted = 0

- *made*: the lines of JSON that the device writes on another disk before a result is put into the outbox;
- *the file*: rows and lasting counters of the outbox, read from a copy of it after each death of the device;
- *the MES*: what Eclipse's subscriber received;
- *health*: what the device says of its books; believed in nothing, compared with the rest.

`seq` has no gap, so of each boot the numbers 1 to the last one made are known. The file is written in that order: by how
much its count of inspected results grew in a life, that many of the boot's first numbers are committed. Those, and every row
that was in the file at any death, must be received, waiting at the end, or counted as lost. What was made and not committed
yet when the device was killed is the one loss that nobody promised to avoid: the last numbers of a killed boot. It is told.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from edge.report.delivery import FRESH_S
from tests.faults.mes import Key, Letter

_STALE_S = 2 * FRESH_S
"""From the part to the MES, without the time for which the way was blocked. What is sent `FRESH_S` after it was queued need
not say that it is late; as much again is for judging, committing and the way, on a computer with other things to do."""

_LOST = ("dead", "evicted_ok", "evicted_not_decidable", "evicted_nok", "overflowed")


@dataclass(frozen=True, slots=True)
class OutboxFile:
    """The outbox's file at one moment. counters: as they stand in it, since it was made; waiting: its rows."""

    counters: Mapping[str, int]
    waiting: tuple[Letter, ...]

    def count(self, name: str) -> int:
        """One counter; what was never counted is 0."""
        return self.counters.get(name, 0)

    @property
    def lost(self) -> int:
        """All that it says to be lost."""
        return sum(self.count(name) for name in _LOST)


_NEW = OutboxFile({}, ())


@dataclass(frozen=True, slots=True)
class Told:
    """The last health message of a boot, as far as it tells of results. reconciled: whether all of its messages said so."""

    inspected: int
    carried: int
    delivered: int
    waiting: int
    lost: int
    reconciled: bool


@dataclass(frozen=True, slots=True)
class Life:
    """One start of the device to its end.

    made: in order; killed: by SIGKILL; disk_full: at any time; file: at the end; told: None where no health came.
    """

    boot_id: str
    made: tuple[Letter, ...]
    killed: bool
    disk_full: bool
    file: OutboxFile
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Books:
    """The accounts side by side, in results, and what is wrong with them.

    committed: by the file's counters; received, waiting: of those. copies: received again. ahead: received from memory while
    the disk was full, and killed before the file had them. uncommitted: made, and killed before they were committed;
    worst: in one kill with a disk that works; worst_full: with one that is full.
    """

    starts: int
    made: int
    committed: int
    received: int
    waiting: int
    counted: int
    copies: int
    ahead: int
    uncommitted: int
    worst: int
    worst_full: int
    told: int
    objections: tuple[str, ...]

    @property
    def missing(self) -> int:
        """committed − received − waiting − counted."""
        return self.committed - self.received - self.waiting - self.counted

    @property
    def balanced(self) -> bool:
        """Whether nothing is to be objected."""
        return not self.objections


def audit(lives: Sequence[Life], received: Sequence[Letter]) -> Books:
    """Compare the accounts. lives: in order, at least one; received: by the MES, with all copies."""
    made = {letter.key: letter.digest for life in lives for letter in life.made}
    heard, end = {letter.key for letter in received}, lives[-1].file
    safe = heard | {letter.key for letter in end.waiting}
    promised = {key for life, grown in _grown(lives) for key in _first(life, grown)}
    lost = made.keys() - safe
    gone = (lost & promised) | {letter.key for life in lives for letter in life.file.waiting} - safe
    tails = {life.boot_id: (life, 0) for life in lives}
    for key in lost - promised - gone:
        life, so_far = tails[key.boot_id]
        tails[key.boot_id] = life, so_far + 1
    books = Books(
        starts=len(lives),
        made=len(made),
        committed=end.count("inspected"),
        received=len(heard & promised),
        waiting=len((safe - heard) & promised),
        counted=end.lost,
        copies=len(received) - len(heard),
        ahead=len(heard - promised),
        uncommitted=sum(tail for _, tail in tails.values()),
        worst=max((tail for life, tail in tails.values() if not life.disk_full), default=0),
        worst_full=max((tail for life, tail in tails.values() if life.disk_full), default=0),
        told=sum(life.told.inspected for life in lives if life.told),
        objections=(),
    )
    objections = [
        *_on_made(lives),
        *_on_letters(made, "received", received),
        *_on_marks(received),
        *(fault for life in lives for fault in _on_letters(made, "in the outbox's file", life.file.waiting)),
        *_on_files(lives),
        *_on_health(lives),
        *_on_order(lives, heard, promised),
    ]
    if books.missing or len(gone) != books.counted:
        objections.append(f"{len(gone)} results are nowhere, {books.counted} are counted as lost{_some(gone)}")
    return replace(books, objections=(*objections,))


def _grown(lives: Sequence[Life]) -> Iterator[tuple[Life, int]]:
    """Each life, and how many of its results the file had inspected by its end."""
    files = [_NEW, *(life.file for life in lives)]
    for life, (before, after) in zip(lives, pairwise(files), strict=True):
        yield life, after.count("inspected") - before.count("inspected")


def _first(life: Life, number: int) -> set[Key]:
    return {Key(life.boot_id, seq) for seq in range(1, number + 1)}


def _some(keys: Iterable[Key]) -> str:
    some = [f"{key.boot_id[:8]}:{key.seq}" for key in sorted(keys)[:5]]
    return f" ({', '.join(some)} …)" if some else ""


def _on_made(lives: Sequence[Life]) -> Iterator[str]:
    """Numbers have no gap, boots have names of their own."""
    for boot_id, times in Counter(life.boot_id for life in lives).items():
        if times > 1:
            yield f"boot {boot_id[:8]} lived {times} times"
    for life in lives:
        if [letter.key for letter in life.made] != [Key(life.boot_id, seq) for seq in range(1, len(life.made) + 1)]:
            yield f"boot {life.boot_id[:8]} did not number its results 1 to {len(life.made)}"


def _on_letters(made: Mapping[Key, bytes], where: str, letters: Iterable[Letter]) -> Iterator[str]:
    """Nothing that was never made, and nothing that differs from what was made; so copies are identical, too."""
    foreign = {letter.key for letter in letters if letter.key not in made}
    if foreign:
        yield f"{len(foreign)} results {where} were never made{_some(foreign)}"
    altered = {letter.key for letter in letters if made.get(letter.key, letter.digest) != letter.digest}
    if altered:
        yield f"{len(altered)} results {where} differ from what was made{_some(altered)}"


def _on_marks(received: Sequence[Letter]) -> Iterator[str]:
    """Nobody acts on a part that has long gone.

    Copies of what the MES has heard do not count: a broker that is killed sends again what its file of long ago says.
    """
    first = {heard.key: heard for heard in reversed(received)}
    stale = {key for key, heard in first.items() if not heard.late and heard.age_s is not None and heard.age_s > _STALE_S}
    if stale:
        yield f"{len(stale)} results came more than {_STALE_S:g} s late and do not say so{_some(stale)}"


def _on_files(lives: Sequence[Life]) -> Iterator[str]:
    """The file's own books add up at each death, only grow, and cover what an orderly end leaves."""
    for life, grown in _grown(lives):
        name, file = f"the outbox's file after boot {life.boot_id[:8]}", life.file
        ended = file.count("delivered") + file.lost - file.count("overflowed")
        if file.count("committed") != ended + len(file.waiting):
            yield f"{name}: {file.count('committed')} committed, but {ended} ended and {len(file.waiting)} wait"
        if file.count("inspected") != file.count("committed") + file.count("overflowed"):
            yield f"{name}: inspected is not committed + overflowed"
        if file.count("moved_aside"):
            yield f"{name}: a file before it was damaged"
        if len({letter.key for letter in file.waiting}) < len(file.waiting):
            yield f"{name}: a result waits twice"
        if grown > len(life.made) or (not life.killed and grown != len(life.made)):
            yield f"{name}: it grew by {grown}, and {len(life.made)} results were made"
    for before, after in pairwise(life.file for life in lives):
        if any(after.count(name) < value for name, value in before.counters.items()):
            yield "a counter of the outbox's file went back"


def _on_health(lives: Sequence[Life]) -> Iterator[str]:
    """What the device told of itself agrees with what it did."""
    for before, life in zip([_NEW, *(life.file for life in lives)], lives, strict=False):
        told, name = life.told, f"health of boot {life.boot_id[:8]}"
        if told is None:
            continue
        if not told.reconciled:
            yield f"{name}: it said that its books do not add up"
        if told.inspected + told.carried != told.delivered + told.waiting + told.lost:
            yield f"{name}: its books do not add up: {told}"
        if told.inspected > len(life.made) or (not life.killed and told.inspected != len(life.made)):
            yield f"{name}: {told.inspected} inspected, and {len(life.made)} were made"
        # A disk that is full at the start has not shown yet what waits on it.
        if told.carried != len(before.waiting) and not (life.disk_full and told.carried == 0):
            yield f"{name}: {told.carried} carried over, and {len(before.waiting)} waited"
        if told.lost > life.file.lost - before.lost and not life.killed:
            yield f"{name}: {told.lost} lost, and the file counts {life.file.lost - before.lost}"


def _on_order(lives: Sequence[Life], heard: set[Key], promised: set[Key]) -> Iterator[str]:
    """Committed first, sent then; only a disk that is full may change that."""
    full = {life.boot_id for life in lives if life.disk_full}
    early = {key for key in heard - promised if key.boot_id not in full}
    if early:
        yield f"{len(early)} results were sent before they were committed{_some(early)}"


def in_words(books: Books) -> str:
    """A table of all accounts, and the objections."""
    rows = (
        ("made", books.made, f"lines the device wrote beside, in {books.starts} starts"),
        ("told by health", books.told, "the last words of each start, up to a second before a kill"),
        ("killed uncommitted", books.uncommitted, f"at most {books.worst} in one kill, {books.worst_full} with a full disk"),
        ("ahead of a full disk", books.ahead, "received from memory, killed before the file had them"),
        ("committed", books.committed, "by the outbox's file"),
        ("received", books.received, f"of those by the MES, and {books.copies} identical copies"),
        ("waiting", books.waiting, "in the outbox's file at the end"),
        ("counted as lost", books.counted, "by the outbox's file"),
        ("missing", books.missing, "committed − received − waiting − counted"),
    )
    lines = [f"{name:<22}{value:>10,}  {words}" for name, value, words in rows]
    return "\n".join([*lines, *(f"OBJECTION: {words}" for words in books.objections)])
