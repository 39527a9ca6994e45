"""`goodpart schema`: what it prints judges messages, and is what the standards want."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import ValidationError
from pydantic import TypeAdapter

from edge.cli import goodpart as command_line
from edge.errors import BadConfig
from edge.report.message import EvidenceRef, GrayBounds, Result
from edge.report.wire import Message, StationName, to_wire
from edge.schema.asyncapi import Plant, asyncapi
from edge.schema.command import describe_interface, describe_messages
from edge.schema.json_schema import schema_of, schema_of_any
from edge.schema.registry import KINDS, Kind
from tests.asyncapi import DOCUMENT, broken_references, found
from tests.commands import goodpart
from tests.conftest import station_file
from tests.results import BIRTH, STATION, result

SENT = [kind.leaf for kind in KINDS if kind.leaf not in {"command", "response"}]
RECEIVED = ("receiveCommand", "receiveWish")
LEAVES = [kind.leaf for kind in KINDS]


class Part(Message):
    name: str


class Start(Message):
    """Begin."""

    word: Literal["start"]
    part: Part
    job: str | None = None


class Stop(Message):
    """End."""

    word: Literal["stop"]


class Answer(Message):
    """How it went."""

    ok: bool = True
    part: Part


TALK = (
    *KINDS,
    Kind("wish", TypeAdapter(Start | Stop), direction="receive", answer="answer"),
    Kind("answer", TypeAdapter(Answer)),
)


@pytest.fixture(scope="module")
def full() -> dict[str, Any]:
    """A result with something in every place."""
    evidence = EvidenceRef(path="2026-11-24/a.png", sha256="0" * 64, overlay=None)
    more = {"gray_zone": GrayBounds(above=1.5, up_to=2.0), "evidence": evidence, "job_id": "4711"}
    return dict(json.loads(to_wire(result(1).model_copy(update=more))))


def refused(*args: object) -> str:
    """The sentence, without the time that a process takes to start."""
    with pytest.raises(BadConfig) as caught:
        command_line.main(["schema", *map(str, args)], standalone_mode=False)
    return str(caught.value)


def judged_by(schema: dict[str, Any], message: object) -> bool:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema).is_valid(message)


def test_one_kind_or_all_are_printed_and_an_unknown_one_is_one_sentence(full: dict[str, Any]) -> None:
    one = json.loads(goodpart("schema", "result").out)
    assert one["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert judged_by(one, full)
    every = schema_of_any(KINDS)
    assert every == json.loads(goodpart("schema").out)
    assert judged_by(every, full)
    assert judged_by(every, json.loads(to_wire(BIRTH)))
    assert not judged_by(every, json.loads(to_wire(BIRTH)) | {"format": "goodpart.status/2"})
    assert ", ".join(LEAVES) in refused("nonsense")


def test_each_key_of_a_result_is_needed_and_nothing_may_be_of_another_kind(full: dict[str, Any]) -> None:
    schema = schema_of(KINDS[0])
    judge = Draft202012Validator(schema)
    assert list(schema["properties"]) == list(full) == list(Result.model_fields)
    for key in full:
        assert not judge.is_valid({k: v for k, v in full.items() if k != key}), key
        assert not judge.is_valid(full | {key: {"un": "known"}}), key


def test_keys_of_a_later_goodpart_are_allowed_unless_it_is_to_be_exact(full: dict[str, Any]) -> None:
    later = full | {"later": 1}
    nested = full | {"station": full["station"] | {"later": 1}}
    for message in (later, nested):
        assert judged_by(schema_of(KINDS[0]), message)
        assert not judged_by(schema_of(KINDS[0], exact=True), message)
        assert judged_by(schema_of_any(KINDS), message)
    assert describe_messages("result", exact=True) == json.dumps(schema_of(KINDS[0], exact=True), indent=2)


def test_what_the_device_receives_is_exact_and_its_defaults_may_be_left_out() -> None:
    wish = schema_of(TALK[-2])
    assert judged_by(wish, {"word": "start", "part": {"name": "a"}})
    assert judged_by(wish, {"word": "stop"})
    assert not judged_by(wish, {"word": "stop", "more": 1})
    assert not judged_by(wish, {"word": "start", "part": {"name": "a", "more": 1}})
    assert not judged_by(wish, {"word": "begin"})
    answer = schema_of(TALK[-1])
    assert judged_by(answer, {"ok": True, "part": {"name": "a"}, "more": 1})
    assert not judged_by(answer, {"part": {"name": "a"}})


@pytest.mark.parametrize("kinds", [KINDS, TALK], ids=["ours", "with wishes"])
def test_keys_that_nobody_knows_are_judged_alike_alone_and_together(kinds: tuple[Kind, ...], full: dict[str, Any]) -> None:
    together = schema_of_any(kinds)
    station = dict(STATION)
    ping = {"format": "goodpart.command/1", "command": "ping", "command_id": "c", "station": station}
    ping |= {"issued_utc": "2026-11-24T06:00:00Z", "expires_utc": "2026-11-24T06:00:10Z"}
    for schema in (together, schema_of(KINDS[LEAVES.index("command")])):
        assert judged_by(schema, ping)
        assert not judged_by(schema, ping | {"station": station | {"later": 1}}), "the device would refuse it"
    for schema in (together, schema_of(KINDS[0])):
        assert judged_by(schema, full | {"station": station | {"later": 1}}), "a later device may send it"
    if kinds is TALK:
        start = {"word": "start", "part": {"name": "a", "later": 1}}
        assert not judged_by(together, start)
        assert judged_by(together, {"ok": True, "part": {"name": "a", "later": 1}})


def test_every_key_of_every_message_is_explained_or_speaks_for_itself() -> None:
    plain = {"format", "station", "verdict", "code", "detail", "width", "height", "nearest", "above", "state", "machine"}
    definitions = schema_of_any(KINDS)["$defs"]
    silent = {
        key
        for definition in definitions.values()
        for key, field in definition.get("properties", {}).items()
        if "description" not in field
    }
    assert silent <= plain


DOCUMENTS = [
    asyncapi(KINDS, "goodpart", None, None, "1"),
    asyncapi(KINDS, "plant", STATION, Plant("broker.example:8883", "3.1.1", password=False), "1"),
    asyncapi(TALK, "goodpart", STATION, Plant("broker.example:1883", "5", password=True), "1"),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=["any station", "one station", "both directions"])
def test_the_interface_is_an_asyncapi_document_without_loose_ends(document: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(DOCUMENT)
    Draft202012Validator(DOCUMENT).validate(document)
    assert broken_references(document) == []
    for channel in document["channels"].values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel.get("parameters", {}))
    for schema in document["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_a_document_with_a_fault_is_found_out() -> None:
    # Else the check above might pass anything.
    for fault in (
        {"asyncapi": "2.6.0"},
        {"channels": {"result": {"messages": {}}}},
        {"servers": {"plant": {"host": "h"}}},
        {"operations": {"sendResult": {"action": "publish"}}},
        {"paths": {}},
    ):
        with pytest.raises(ValidationError):
            Draft202012Validator(DOCUMENT).validate(DOCUMENTS[0] | fault)
    lost = json.loads(json.dumps(DOCUMENTS[0]).replace("#/components/messages/result", "#/components/messages/other"))
    assert broken_references(lost) == ["#/components/messages/other"]


def test_an_answer_is_a_reply_and_no_operation_of_its_own() -> None:
    operations = DOCUMENTS[2]["operations"]
    assert set(operations) == {
        *(f"send{leaf.capitalize()}" for leaf in LEAVES if leaf not in {"command", "response"}),
        *RECEIVED,
    }
    assert operations["receiveWish"]["reply"]["channel"] == {"$ref": "#/channels/answer"}
    assert {name: o["bindings"]["mqtt"]["retain"] for name, o in operations.items()} == {
        "sendResult": False,
        "sendEvent": False,
        "sendShadow": False,
        "sendStatus": True,
        "sendHealth": True,
        "receiveWish": False,
        "receiveCommand": False,
    }


def test_the_schemas_of_the_interface_judge_as_those_alone_do(full: dict[str, Any]) -> None:
    for document in DOCUMENTS:
        payload = found(document, "#/components/messages/result/payload")
        schema = {**payload, "components": document["components"]}  # type: ignore[dict-item] # it is an object
        assert Draft7Validator(schema).is_valid(full)
        assert not Draft7Validator(schema).is_valid(full | {"verdict": "MAYBE"})


def test_the_command_takes_topics_and_broker_from_a_station_file(tmp_path: Path) -> None:
    mqtt = {"host": "broker.example", "prefix": "plant", "username": "camera"}
    config = station_file(tmp_path, tmp_path, {"kind": "camera", "device": 0}, mqtt=mqtt)
    document = yaml.safe_load(goodpart("schema", "--asyncapi", "--station", config).out)
    assert document["channels"]["result"]["address"] == "plant/v1/test/lab/line-1/camera-1/result"
    server = document["servers"]["plant"]
    assert (server["host"], server["protocolVersion"]) == ("broker.example:1883", "5")
    assert server["security"] == [{"$ref": "#/components/securitySchemes/password"}]
    assert server["bindings"]["mqtt"]["lastWill"]["topic"] == "plant/v1/test/lab/line-1/camera-1/status"
    tls = {"host": "broker.example", "tls": {"cert_file": "cert.pem"}}
    config = station_file(tmp_path, tmp_path, {"kind": "camera", "device": 0}, mqtt=tls)
    server = yaml.safe_load(describe_interface(config))["servers"]["plant"]
    assert (server["host"], server["protocol"]) == ("broker.example:8883", "secure-mqtt")
    assert server["security"] == [{"$ref": "#/components/securitySchemes/certificate"}]
    anybody = yaml.safe_load(describe_interface(None))
    assert set(anybody["channels"]["event"]["parameters"]) == set(StationName.model_fields)
    assert anybody == asyncapi(KINDS, "goodpart", None, None, anybody["info"]["version"])


def test_wishes_that_contradict_each_other_are_one_sentence(tmp_path: Path) -> None:
    silent = station_file(tmp_path, tmp_path, {"kind": "camera", "device": 0}, results={"path": "-"})
    assert "has no mqtt:" in refused("--asyncapi", "--station", silent)
    assert refused("--station", silent).startswith("--station: ")
    assert refused("result", "--asyncapi").startswith("--asyncapi: ")
    assert refused("--exact", "--asyncapi").startswith("--asyncapi: ")


def test_times_are_rfc_3339_in_utc(full: dict[str, Any]) -> None:
    assert full["taken_utc"].endswith("Z")
    assert datetime.fromisoformat(full["taken_utc"]).utcoffset() is not None
