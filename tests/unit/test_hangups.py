"""A row is condemned for making a broker hang up on proof alone."""

from edge.report.hangups import GUILTY, SUSPICIOUS, Hangups

LARGE, SMALL = 7, 8


def alone_with(row: int, size: int, others: int = 0) -> Hangups:
    """After the row ended connections with others, and then by itself."""
    hangups = Hangups()
    assert [hangups.ended([1, 2]) for _ in range(SUSPICIOUS)] == [False] * (SUSPICIOUS - 1) + [True]
    hangups.took_back({row: size, SMALL: 100}, 0)
    for _ in range(GUILTY):
        assert hangups.ended([3])
        assert hangups.set_aside == {}
        hangups.took_back({row: size}, others)
    return hangups


def test_it_is_condemned_when_a_smaller_one_is_accepted() -> None:
    hangups = alone_with(LARGE, 5000)
    assert hangups.set_aside == {LARGE: 5000}
    assert hangups.accepted(100) == [LARGE]
    assert not hangups.alone


def test_it_is_tried_again_when_a_larger_one_is_accepted_or_nothing_else_waits() -> None:
    hangups = alone_with(LARGE, 5000)
    assert hangups.accepted(5000) == []
    assert hangups.set_aside == {}
    hangups = alone_with(LARGE, 5000)
    hangups.forgive()
    assert hangups.set_aside == {}
    assert hangups.alone


def test_what_was_on_its_way_with_something_else_is_not_set_aside() -> None:
    assert alone_with(LARGE, 5000, others=1).set_aside == {}


def test_connections_that_end_with_other_messages_each_time_are_a_bad_network() -> None:
    hangups = Hangups()
    assert not any(hangups.ended([mid]) for mid in range(100))
