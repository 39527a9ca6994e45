"""The gate gives the check the clock on the wall of the shot, and the journal each sentence once."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from datetime import time as time_of_day

import pytest

from edge.events import Events, Happening
from edge.host.clock import on_the_wall
from edge.shift.check import Moment, ShiftCheck
from edge.shift.gate import Gate
from edge.shift.times import ShiftTimes
from edge.types import Reason, Unfit, Verdict
from tests.unit.test_shift_check import DARK, NOK, OK, SAMPLES


@pytest.fixture
def central_europe(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Summer time from the last Sunday in March to the last in October."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def shot(utc: datetime, mono_s: float) -> Unfit:
    return Unfit("part", 0, mono_s, utc, Reason.UNREADABLE, "")


@pytest.mark.usefixtures("central_europe")
def test_the_clock_on_the_wall_jumps_with_summer_time() -> None:
    shown = [on_the_wall(datetime(2026, 3, 29, hour, 30, tzinfo=UTC)) for hour in (0, 1)]
    assert [(t.hour, t.tzinfo) for t in shown] == [(1, None), (3, None)]


@pytest.mark.usefixtures("central_europe")
def test_a_listed_time_is_local_and_comes_once_in_the_night_with_two_of_it(caplog: pytest.LogCaptureFixture) -> None:
    evening = datetime(2026, 10, 24, 20, tzinfo=UTC)
    start = Moment(0.0, on_the_wall(evening))
    check = ShiftCheck(SAMPLES, ShiftTimes((time_of_day(2, 30),), start.wall), tries=3, pause_s=0, start=start)
    gate = Gate(check, asked=lambda: False)

    def seen(utc: datetime, *verdicts: Verdict) -> list[str | None]:
        samples = [gate.weigh(shot(utc, number), verdict)[1] for number, verdict in enumerate(verdicts)]
        return [sample and sample.name for sample in samples]

    assert seen(evening, OK, DARK, DARK, OK, NOK, OK) == ["gold-1", "gold-2", "gold-2", "gold-2", "crack-1", None]
    assert len(caplog.messages) == 1 + 3
    first_half_past_two, second_half_past_two = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert seen(first_half_past_two, OK, OK, NOK, OK) == ["gold-1", "gold-2", "crack-1", None]
    assert seen(second_half_past_two, OK, NOK) == [None, None]
    assert seen(datetime(2026, 10, 26, 1, 30, tzinfo=UTC), OK) == ["gold-1"]


def test_due_released_and_blocked_are_events_and_the_steps_between_are_not(caplog: pytest.LogCaptureFixture) -> None:
    start = Moment(0.0, on_the_wall(datetime(2026, 11, 24, tzinfo=UTC)))
    check = ShiftCheck(SAMPLES, ShiftTimes((), start.wall), tries=1, pause_s=0, start=start)
    heard: list[Happening] = []
    events = Events()
    events.listen(heard.append)
    wishes: list[bool] = []
    gate = Gate(check, lambda: bool(wishes) and wishes.pop(), events)

    def seen(*verdicts: Verdict, ask: bool = False) -> list[str]:
        before = len(heard)
        wishes.extend([True] if ask else [])
        for verdict in verdicts:
            gate.weigh(shot(datetime(2026, 11, 24, tzinfo=UTC), 0.0), verdict)
        return [h.code.removeprefix("SHIFT_CHECK_") for h in heard[before:]]

    assert [h.code for h in heard] == ["SHIFT_CHECK_DUE"]
    assert seen(OK, NOK) == ["BLOCKED"]
    assert seen(OK) == []
    assert seen(NOK, ask=True) == ["DUE", "BLOCKED"], "both in one shot"
    assert seen(OK, OK, NOK, OK, ask=True) == ["DUE", "RELEASED"]
    assert [h.since_utc for h in heard] == [None] * 5 + [heard[4].time_utc]
    assert [h.severity for h in heard] == ["warning", "error", "warning", "error", "warning", "info"]
    assert len(caplog.messages) == len(heard) + 3, "the operator reads every step"
