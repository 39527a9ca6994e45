"""What lasts is said when it begins and when it ends, to the journal and to whoever listens."""

import logging

import pytest

from edge.events import EventCode, Events, Happening, Severity, Trouble
from edge.report.event import Event, make_event
from edge.report.wire import to_wire
from tests.results import STATION


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def heard(events: Events) -> list[Happening]:
    found: list[Happening] = []
    events.listen(found.append)
    return found


def test_a_trouble_is_said_once_at_each_end_however_often_it_is_seen(
    events: Events, heard: list[Happening], caplog: pytest.LogCaptureFixture
) -> None:
    trouble = Trouble(events, EventCode.CAMERA_LOST, EventCode.CAMERA_BACK)
    trouble.end("back, though it was never away")
    assert [trouble.begin("away"), trouble.begin("away still"), trouble.begin("and on")] == [True, False, False]
    trouble.end("back")
    trouble.end("back")
    assert [(h.code, h.severity, h.detail) for h in heard] == [
        (EventCode.CAMERA_LOST, Severity.ERROR, "away"),
        (EventCode.CAMERA_BACK, Severity.INFO, "back"),
    ]
    assert heard[0].since_utc is None
    assert heard[1].since_utc == heard[0].time_utc <= heard[1].time_utc
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [(logging.ERROR, "away"), (logging.WARNING, "back")]
    assert trouble.begin("away again")


def test_without_a_listener_the_journal_has_it_and_what_wants_nobody_is_quiet(
    events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        events.say(EventCode.RECIPE_ACTIVATED, "recipe plate judges 100 % of parts")
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [(logging.INFO, "recipe plate judges 100 % of parts")]


def test_everybody_who_listens_is_told_and_each_event_has_a_number_of_its_own(
    events: Events, heard: list[Happening]
) -> None:
    also: list[Happening] = []
    events.listen(also.append)
    for _ in range(2):
        events.say(EventCode.SHIFT_CHECK_BLOCKED, "blocked")
    assert also == heard
    messages = [make_event(happening, STATION, "boot") for happening in heard]
    assert messages[0].event_id != messages[1].event_id
    assert Event.model_validate_json(to_wire(messages[0])) == messages[0]
    assert (messages[0].severity, messages[0].since_utc) == (Severity.ERROR, None)
