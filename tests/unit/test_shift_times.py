"""A listed time is due once a day, whatever the clock on the wall does."""

from datetime import datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.shift.times import ShiftTimes

AT = (time(22), time(6), time(14))
MONDAY = datetime(2026, 11, 23)  # noqa: DTZ001 - the clock on the wall has no zone


def clock(text: str, day: int = 0) -> datetime:
    return datetime.combine(MONDAY + timedelta(days=day), time.fromisoformat(text))


def due(times: ShiftTimes, *moments: datetime) -> list[bool]:
    return [times.due(moment) for moment in moments]


def test_a_time_is_due_when_it_has_come_and_not_again() -> None:
    times = ShiftTimes(AT, clock("05:00"))
    assert due(times, clock("05:59"), clock("06:00"), clock("06:01"), clock("13:59"), clock("14:30"), clock("14:31")) == [
        *(False, True, False),
        *(False, True, False),
    ]


def test_the_start_stands_for_what_has_passed_before_it() -> None:
    assert not ShiftTimes(AT, clock("06:00")).due(clock("06:00:01"))


def test_a_time_just_before_midnight_is_due_with_the_first_shot_after_it() -> None:
    times = ShiftTimes((time(23, 59),), clock("12:00"))
    assert due(times, clock("23:58"), clock("00:05", 1), clock("00:06", 1)) == [False, True, False]


def test_one_check_stands_for_all_times_that_were_slept_through() -> None:
    times = ShiftTimes(AT, clock("05:00"))
    assert due(times, clock("05:00", 3), clock("05:01", 3), clock("06:00", 3)) == [True, False, True]


def test_a_clock_set_back_does_not_repeat_what_was_due() -> None:
    times = ShiftTimes((time(6),), clock("05:00"))
    assert due(times, clock("06:01"), clock("05:50"), clock("06:02"), clock("06:00", 1)) == [True, False, False, True]


def test_a_time_that_summer_time_skips_is_due_after_the_gap_and_one_that_comes_twice_is_due_once() -> None:
    half_past_two = (time(2, 30),)
    spring = ShiftTimes(half_past_two, clock("01:00"))
    assert due(spring, clock("01:59"), clock("03:00"), clock("03:30")) == [False, True, False]
    autumn = ShiftTimes(half_past_two, clock("01:00"))
    assert due(autumn, clock("02:30"), clock("02:59"), clock("02:00"), clock("02:30"), clock("03:00")) == [
        *(True, False),
        *(False, False, False),
    ]


def test_a_clock_that_was_wrong_by_years_does_not_leave_the_line_unchecked() -> None:
    times = ShiftTimes(AT, clock("12:00", 20_000))
    assert due(times, clock("06:30"), clock("06:31"), clock("14:00")) == [True, False, True]


def test_without_times_nothing_is_ever_due() -> None:
    assert not ShiftTimes((), clock("05:00")).due(clock("05:00", 9))


@given(
    at=st.lists(st.times().map(lambda t: t.replace(second=0, microsecond=0)), min_size=1, max_size=4, unique=True),
    steps=st.lists(st.integers(-12 * 60, 12 * 60), max_size=60),
)
def test_a_time_of_a_day_is_due_at_most_once_however_the_clock_steps(at: list[time], steps: list[int]) -> None:
    now = clock("12:00")
    times = ShiftTimes(at, now)
    seen = set()
    newest_shown = now
    for step in steps:
        now = max(now + timedelta(minutes=step), newest_shown - timedelta(days=1))
        newest_shown = max(newest_shown, now)
        if times.due(now):
            listed = max(
                moment
                for day in (now.date(), now.date() - timedelta(days=1))
                for t in at
                if (moment := datetime.combine(day, t)) <= now
            )
            assert listed not in seen
            seen.add(listed)


@settings(max_examples=20)  # each is three days of minutes
@given(st.lists(st.times().map(lambda t: t.replace(second=0, microsecond=0)), min_size=1, max_size=4, unique=True))
def test_every_listed_time_is_due_when_a_shot_comes_every_minute(at: list[time]) -> None:
    times = ShiftTimes(at, clock("12:00"))
    moments = [clock("12:00") + timedelta(minutes=n) for n in range(1, 3 * 24 * 60 + 1)]
    assert sum(times.due(moment) for moment in moments) == 3 * len(at)
