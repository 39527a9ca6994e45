"""What a device says of itself, and what marks a late result."""

import json

from edge.report.message import Result, as_historical
from edge.report.status import StatusMessage
from edge.report.wire import to_wire
from tests.results import BIRTH, result


def test_a_status_survives_its_wire_and_keeps_all_but_state_and_reason_when_it_ends() -> None:
    assert StatusMessage.model_validate_json(to_wire(BIRTH)) == BIRTH
    ended = BIRTH.ended("connection lost")
    changed = {k for k, v in ended.model_dump().items() if v != BIRTH.model_dump()[k]}
    assert changed == {"state", "reason"}
    assert (ended.state, ended.reason) == ("offline", "connection lost")


def test_marking_a_result_as_late_changes_nothing_else() -> None:
    payload = to_wire(result(1, 'words "quoted" – and more'))
    late = as_historical(payload)
    assert late == payload.replace(b'"historical":false', b'"historical":true')
    assert as_historical(late) == late
    assert Result.model_validate_json(late).historical


def test_what_another_version_wrote_is_sent_as_it_is() -> None:
    foreign = json.dumps({"format": "goodpart.result/9"}).encode()
    assert as_historical(foreign) == foreign
