"""What Home Assistant is told of a station, read with models that are not ours, and its templates with Jinja2."""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ha_mqtt_models_pydantic import parse_component_payload, parse_device_discovery_payload
from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from edge.check import check_station
from edge.report.home_assistant import SHARE_OVER_PARTS, discover
from edge.report.message import Result
from edge.report.wire import StationName, to_wire
from edge.types import Decision, Origin, Reason
from tests.brokers import free_port
from tests.conftest import station_file, write_parts
from tests.results import STATION, result

RESULT, STATUS = (f"goodpart/v1/test/lab/line-1/camera-1/{leaf}" for leaf in ("result", "status"))
FOUND = discover("homeassistant", "goodpart", STATION, "1.2.3")
PAYLOAD: dict[str, Any] = json.loads(FOUND.payload)
COMPONENTS: dict[str, Any] = PAYLOAD["components"]
NOK = {"verdict": Decision.NOK, "reason": Reason.ABOVE_THRESHOLD, "score": 3.5}
NOT_MEASURED = {"verdict": Decision.NOT_DECIDABLE, "reason": Reason.TOO_DARK, "score": None}
UNDECIDED = {"verdict": Decision.NOT_DECIDABLE, "reason": Reason.GRAY_ZONE, "score": 1.8}
SAMPLE = {"purpose": "golden_sample", "sample": "cell-1"}


@cache
def compiled(template: str) -> Template:
    """Stricter than Home Assistant, where a name that is not there renders to nothing."""
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(template)


def render(key: str, payload: bytes, before: str = "unknown") -> str:
    """As Home Assistant does: a sandbox, the message as `value_json`, the entity as `this`, and no blanks around."""
    template = compiled(COMPONENTS[key]["value_template"])
    return template.render(value_json=json.loads(payload), this=SimpleNamespace(state=before)).strip()


def told(seq: int = 1, **more: Any) -> bytes:
    return to_wire(Result.model_validate(result(seq).model_dump() | {"origin": Origin.LIVE} | more))


def test_the_device_and_each_component_are_valid_by_the_models_of_others() -> None:
    device = parse_device_discovery_payload(PAYLOAD)
    assert device.device.sw_version == device.origin.sw_version == "1.2.3"
    for component in COMPONENTS.values():
        read = parse_component_payload(component["platform"], component)
        known = {field.alias or name for name, field in type(read).model_fields.items()} | {"platform"}
        assert component.keys() <= known, component
    assert len({c["unique_id"] for c in COMPONENTS.values()}) == len(COMPONENTS)
    assert {c["state_topic"] for key, c in COMPONENTS.items() if key != "connectivity"} == {RESULT}
    assert COMPONENTS["verdict"]["options"] == ["OK", "NOK", "NOT_DECIDABLE"]


@pytest.mark.parametrize("level", ["el.camera", "el_camera", "el-camera"])
def test_the_topic_is_one_that_home_assistant_listens_to(level: str) -> None:
    found = discover("homeassistant", "goodpart", STATION.model_copy(update={"station": level}), "1")
    # Home Assistant's own pattern of an object id, from its manual.
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", found.topic)


def test_stations_whose_names_differ_have_devices_that_differ() -> None:
    names = [("a-b", "c", "d", "e"), ("a", "b-c", "d", "e"), ("a.b", "c", "d", "e"), ("a_b", "c", "d", "e")]
    stations = [StationName(site=s, area=a, line=li, station=st) for s, a, li, st in names]
    assert len({discover("homeassistant", "goodpart", s, "1").topic for s in stations}) == len(names)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, {"verdict": "OK", "reject": "OFF", "score": "1.0"}),
        (NOK, {"verdict": "NOK", "reject": "ON", "score": "3.5"}),
        # What Home Assistant takes for "unknown".
        (NOT_MEASURED, {"verdict": "NOT_DECIDABLE", "reject": "None", "score": "None"}),
        (UNDECIDED, {"verdict": "NOT_DECIDABLE", "reject": "None", "score": "1.8"}),
    ],
    ids=["good", "reject", "not measured", "gray zone"],
)
def test_templates_read_a_result(more: dict[str, Any], says: dict[str, str]) -> None:
    message = told(7, **more)
    assert {key: render(key, message) for key in says} == says
    assert [render(key, message) for key in ("threshold", "parts", "part")] == ["2.0", "7", "part-7"]
    assert render("last_result", message) == json.loads(message)["taken_utc"]


@pytest.mark.parametrize(
    "more",
    [SAMPLE, {"historical": True, **NOK}, {"origin": Origin.REPLAY, **NOK}, {"origin": Origin.SIMULATED, **NOT_MEASURED}],
    ids=["master part", "late", "replay", "simulated"],
)
def test_what_is_no_live_part_or_comes_late_changes_nothing(more: dict[str, Any]) -> None:
    sample, words = told(3, **more), {"verdict", "part", "last_result"}
    for key in (key for key, c in COMPONENTS.items() if c["state_topic"] == RESULT):
        # Home Assistant ignores an empty number and an empty binary state, but an empty word is one.
        assert render(key, sample, before="OK") == ("OK" if key in words else "")
        assert render(key, sample) == ("None" if key in words else "")


def share_of(verdicts: Iterable[Decision]) -> float:
    state = "unknown"
    for seq, verdict in enumerate(verdicts, start=1):
        state = render("reject_share", told(seq, verdict=verdict), before=state)
    return float(state)


def test_the_reject_share_is_the_share_at_first_and_then_forgets() -> None:
    ok, nok = Decision.OK, Decision.NOK
    assert share_of([nok, ok, ok, nok, ok]) == pytest.approx(40)
    assert share_of([ok, nok] * (SHARE_OVER_PARTS // 2)) == pytest.approx(50)
    forgotten = share_of([nok] * SHARE_OVER_PARTS + [ok] * 2 * SHARE_OVER_PARTS)
    assert forgotten == pytest.approx(100 * (1 - 1 / SHARE_OVER_PARTS) ** (2 * SHARE_OVER_PARTS))


@pytest.mark.parametrize("state", ["online", "offline"])
def test_the_status_topic_says_whether_the_station_is_there(state: str) -> None:
    # The message of `edge.report.publisher`.
    message = json.dumps({"format": "goodpart.status/1", "state": state, "boot_id": "b"}).encode()
    assert render("connectivity", message) == ("ON" if state == "online" else "OFF")
    assert "availability" not in COMPONENTS["connectivity"], "it would be unavailable when it has most to say"
    for key, component in COMPONENTS.items():
        if key != "connectivity":
            (availability,) = component["availability"]
            assert availability["topic"] == STATUS
            assert compiled(availability["value_template"]).render(value_json=json.loads(message)) == state


@pytest.mark.parametrize(("asked", "words"), [({}, ""), ({"remove": True}, " is cleared")])
def test_check_names_the_topic(recipe_dir: Path, tmp_path: Path, asked: dict[str, Any], words: str) -> None:
    source: dict[str, object] = {"kind": "folder", "path": str(write_parts(tmp_path / "parts", range(300, 301)))}
    mqtt = {"host": "127.0.0.1", "port": free_port()}
    config = station_file(tmp_path, recipe_dir, source, mqtt=mqtt, home_assistant=asked)
    found = {f.what: f for f in check_station(config)}
    assert found["home_assistant"].ok
    assert found["home_assistant"].detail == FOUND.topic + words
