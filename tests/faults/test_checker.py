"""The checker is checked: it accepts good accounts, whatever was killed, and objects to each kind of wrong one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from edge.report.delivery import FRESH_S
from tests.faults.checker import Books, Life, OutboxFile, Told, audit
from tests.faults.mes import Key, Letter, Way, read_letter

Accounts = tuple[list[Life], list[Letter]]


def letter(boot_id: str, seq: int) -> Letter:
    return Letter(Key(boot_id, seq), f"{boot_id} {seq}".encode())


def good(seed: int = 0) -> Accounts:
    """Four lives of 50 results, three of them killed: some rows uncommitted, some left to the next life, some copies."""
    chance = Random(seed)  # noqa: S311 - nothing secret
    lives: list[Life] = []
    received: list[Letter] = []
    waiting: list[Letter] = []
    inspected = delivered = 0
    for number in range(4):
        boot_id, killed, carried = f"boot-{number}", number < 3, len(waiting)
        made = [letter(boot_id, seq) for seq in range(1, 51)]
        committed = made[: 50 - chance.randint(1, 5)] if killed else made
        rows, waiting = waiting + committed, []
        kept = chance.randint(3, 20) if killed else 2
        waiting, gone = rows[-kept:], rows[:-kept]
        received += gone + waiting[: kept // 2]  # of what waits some had arrived, and comes again
        inspected, delivered = inspected + len(committed), delivered + len(gone)
        file = OutboxFile({"inspected": inspected, "committed": inspected, "delivered": delivered}, tuple(waiting))
        told_inspected = 45 if killed else 50
        told = Told(told_inspected, carried, told_inspected + carried - 1, 1, 0, reconciled=True)
        lives.append(Life(boot_id, tuple(made), killed, disk_full=False, file=file, told=told))
    return lives, received


def change(lives: list[Life], number: int, **more: Any) -> list[Life]:
    return [replace(life, **more) if place == number else life for place, life in enumerate(lives)]


def counted(lives: list[Life], number: int, name: str, value: Callable[[int], int]) -> list[Life]:
    file = lives[number].file
    return change(lives, number, file=replace(file, counters={**file.counters, name: value(file.count(name))}))


@pytest.mark.parametrize("seed", range(20))
def test_good_accounts_balance(seed: int) -> None:
    books = audit(*good(seed))
    assert books.objections == ()
    assert books.missing == 0
    assert books.made == 200
    assert books.committed == books.received + books.waiting == 200 - books.uncommitted
    assert 1 <= books.worst <= 5


def test_what_a_full_disk_kept_in_memory_may_arrive_or_be_killed() -> None:
    lives, received = good()
    first = lives[0].file.count("inspected")
    early = [*received, letter("boot-0", first + 1)]
    assert "sent before they were committed" in only_objection(audit(lives, early))
    books = audit(change(lives, 0, disk_full=True), early)
    assert books.balanced
    assert (books.ahead, books.worst_full) == (1, 50 - first - 1)


def only_objection(books: Books) -> str:
    assert len(books.objections) == 1, books.objections
    return books.objections[0]


def dropped(accounts: Accounts) -> Accounts:
    """One that was acknowledged and left the file never arrived."""
    lives, received = accounts
    return lives, received[1:]


def row_lost(accounts: Accounts) -> Accounts:
    """A row that was in the file at a death is nowhere afterwards, though the counters know nothing of it."""
    lives, received = accounts
    victim = lives[1].file.waiting[-1]
    return lives, [heard for heard in received if heard != victim]


def altered_copy(accounts: Accounts) -> Accounts:
    lives, received = accounts
    return lives, [*received, replace(received[7], digest=b"another")]


def late_without_a_word(accounts: Accounts) -> Accounts:
    lives, received = accounts
    return lives, [replace(received[0], age_s=3 * FRESH_S), *received[1:]]


def invented(accounts: Accounts) -> Accounts:
    lives, received = accounts
    return lives, [*received, letter("boot-2", 51)]


def of_no_boot(accounts: Accounts) -> Accounts:
    lives, received = accounts
    return lives, [*received, letter("somebody", 1)]


def waits_altered(accounts: Accounts) -> Accounts:
    lives, received = accounts
    file = lives[-1].file
    return change(lives, 3, file=replace(file, waiting=(file.waiting[0], letter("boot-3", 99)))), received


def gap(accounts: Accounts) -> Accounts:
    lives, received = accounts
    return change(lives, 0, made=lives[0].made[:20] + lives[0].made[21:]), received


def orderly_but_uncommitted(accounts: Accounts) -> Accounts:
    lives, received = accounts
    return change(lives, 0, killed=False), received


def doubled(name: str) -> Callable[[Accounts], Accounts]:
    return lambda accounts: (counted(accounts[0], 3, name, lambda value: 2 * value), accounts[1])


def one_more(name: str) -> Callable[[Accounts], Accounts]:
    return lambda accounts: (counted(accounts[0], 3, name, lambda value: value + 1), accounts[1])


def told(**more: Any) -> Callable[[Accounts], Accounts]:
    def change_told(accounts: Accounts) -> Accounts:
        lives, received = accounts
        assert lives[-1].told
        return change(lives, 3, told=replace(lives[-1].told, **more)), received

    return change_told


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (dropped, "1 results are nowhere, 0 are counted"),
        (row_lost, "1 results are nowhere, 0 are counted"),
        (altered_copy, "1 results received differ from what was made"),
        (late_without_a_word, "1 results came more than 60 s late and do not say so"),
        (invented, "1 results received were never made"),
        (of_no_boot, "1 results received were never made"),
        (waits_altered, "1 results in the outbox's file were never made"),
        (gap, "did not number its results 1 to 49"),
        (orderly_but_uncommitted, "results were made"),
        *((doubled(name), "after boot boot-3") for name in ("inspected", "committed", "delivered")),
        *((one_more(name), "after boot boot-3") for name in ("dead", "evicted_nok", "overflowed", "moved_aside")),
        (told(inspected=49), "its books do not add up"),
        (told(inspected=49, delivered=40), "49 inspected, and 50 were made"),
        (told(carried=0), "0 carried over"),
        (told(reconciled=False), "it said that its books do not add up"),
        (told(lost=1), "1 lost, and the file counts 0"),
    ],
)
def test_a_wrong_account_is_objected_to(spoil: Callable[[Accounts], Accounts], says: str) -> None:
    books = audit(*spoil(good()))
    assert any(says in objection for objection in books.objections), books.objections


def test_a_loss_that_is_counted_is_no_objection_and_one_too_many_is() -> None:
    lives, received = good()
    (lost, *left) = received
    lives = counted(counted(lives, 3, "delivered", lambda value: value - 1), 3, "evicted_ok", lambda _: 1)
    assert audit(lives, left).balanced
    assert not audit(lives, received).balanced
    assert lost not in left


def test_a_counter_that_goes_back_is_objected_to() -> None:
    lives, received = good()
    lives = counted(lives, 2, "dead", lambda _: 1)
    assert any("went back" in words for words in audit(counted(lives, 3, "dead", lambda _: 0), received).objections)


def test_copies_may_differ_in_whether_they_come_late_and_in_nothing_else() -> None:
    prompt = '{"boot_id":"b","seq":3,"score":1.5,"historical":false}'
    late = prompt.replace("false", "true")
    assert read_letter(prompt) == read_letter(late)
    assert read_letter(prompt) != read_letter(prompt.replace("1.5", "1.6"))


def test_what_is_late_and_says_so_or_is_prompt_is_no_objection() -> None:
    lives, received = good()
    marked = [replace(received[0], age_s=3 * FRESH_S, late=True), replace(received[1], age_s=FRESH_S), *received[2:]]
    assert audit(lives, marked).balanced
    assert audit(lives, [*received, replace(received[1], age_s=3 * FRESH_S)]).balanced, "a copy of what was in time"


def test_how_old_a_result_is_does_not_count_time_held_and_is_right_by_a_clock_that_was_stepped() -> None:
    way, hour_s = Way(), 3600
    taken = datetime.fromtimestamp(1000, UTC)
    assert way.age_s(taken, 1100) == 100
    way.hold(900)
    way.let_go(1030)
    way.hold(1080)
    assert way.age_s(taken, 1100) == 100 - 30 - 20
    way.let_go(1100)
    assert way.age_s(taken, 1200) == 200 - 30 - 20
    way.step(24 * hour_s)
    ahead = datetime.fromtimestamp(24 * hour_s + 1150, UTC)
    assert way.age_s(ahead, 1200) == 50
    way.step(25 * hour_s)
    assert way.age_s(ahead, 1200) == 50


def test_a_letter_knows_how_it_came() -> None:
    late = '{"boot_id":"b","seq":3,"taken_utc":"2026-11-24T06:00:00Z","historical":true}'
    letter = read_letter(late, Way())
    assert letter.late
    assert letter.age_s is not None
    assert letter.age_s > 0
    assert not read_letter(late.replace("true", "false")).late
