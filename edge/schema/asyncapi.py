"""The messages as an AsyncAPI 3.0 document: which topics there are, what is sent on them, and how.

By https://www.asyncapi.com/docs/reference/specification/v3.0.0 and its MQTT bindings, version 0.2.0. Schemas are written as
AsyncAPI's own Schema Object, a superset of JSON Schema draft 07; nothing in them needs a later draft.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.report.status import StatusMessage
from edge.report.topics import topic, topic_of_any
from edge.report.wire import StationName
from edge.schema.json_schema import Json, definitions_of
from edge.schema.registry import Kind

_BINDING = {"bindingVersion": "0.2.0"}
_QOS = 1
_PASSWORD = "password"  # noqa: S105 - the name of a scheme
_CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant's broker.

    address: NAME:PORT; protocol: "5" or "3.1.1"; password: whether it asks for one; tls: whether it is encrypted;
    certificate: whether the device shows one of its own.
    """

    address: str
    protocol: str
    password: bool
    tls: bool = False
    certificate: bool = False


_ANY_PLANT = Plant("{broker}", "5", password=True)


def asyncapi(kinds: Sequence[Kind], prefix: str, station: StationName | None, plant: Plant | None, version: str) -> Json:
    """The document, seen from the device: it sends results and receives commands.

    prefix: first level of all topics. station: None leaves the levels of the topic as parameters. plant: None leaves the
    broker's address as a variable. version: of goodpart.
    """
    names, schemas = definitions_of(kinds, "#/components/schemas/{model}", exact=False)
    answers = {kind.answer for kind in kinds}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "goodpart",
            "version": version,
            "description": "What a station for visual quality checks tells the plant, and what it can be told.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"plant": _server(plant or _ANY_PLANT, _address(prefix, station, "status"))},
        "channels": {kind.leaf: _channel(kind, prefix, station) for kind in kinds},
        "operations": {_verb(kind): _operation(kind) for kind in kinds if kind.leaf not in answers},
        "components": {
            "messages": {kind.leaf: _message(kind, name, schemas[name]) for kind, name in zip(kinds, names, strict=True)},
            "schemas": schemas,
            "securitySchemes": {
                _PASSWORD: {"type": "userPassword", "description": "mqtt.username, mqtt.password_file"},
                _CERTIFICATE: {"type": "X509", "description": "mqtt.tls.cert_file, mqtt.tls.key_file"},
            },
        },
    }


def _server(plant: Plant, status_address: str) -> Json:
    will = StatusMessage.model_construct(state="offline", reason="connection lost", boot_id="…").model_dump_json()
    server: Json = {
        "host": plant.address,
        "protocol": "secure-mqtt" if plant.tls else "mqtt",
        "protocolVersion": plant.protocol,
        "bindings": {
            "mqtt": {"lastWill": {"topic": status_address, "qos": _QOS, "message": will, "retain": True}} | _BINDING
        },
    }
    if plant is _ANY_PLANT:
        server["variables"] = {"broker": {"description": "mqtt.host and mqtt.port of the station file"}}
    wanted = {_PASSWORD: plant.password, _CERTIFICATE: plant.certificate}
    if any(wanted.values()):
        server["security"] = [{"$ref": f"#/components/securitySchemes/{name}"} for name, is_so in wanted.items() if is_so]
    return server


def _channel(kind: Kind, prefix: str, station: StationName | None) -> Json:
    channel: Json = {
        "address": _address(prefix, station, kind.leaf),
        "messages": {kind.leaf: {"$ref": f"#/components/messages/{kind.leaf}"}},
    }
    if station is None:
        channel["parameters"] = {
            name: {"description": field.description} for name, field in StationName.model_fields.items()
        }
    return channel


def _operation(kind: Kind) -> Json:
    operation: Json = {
        "action": kind.direction,
        **_on_channel(kind.leaf),
        "bindings": {"mqtt": {"qos": _QOS, "retain": kind.retain} | _BINDING},
    }
    if kind.answer:
        operation["reply"] = _on_channel(kind.answer)
    return operation


def _on_channel(leaf: str) -> Json:
    return {"channel": {"$ref": f"#/channels/{leaf}"}, "messages": [{"$ref": f"#/channels/{leaf}/messages/{leaf}"}]}


def _message(kind: Kind, name: str, schema: Json) -> Json:
    # The first line alone; the rest stands with the schema.
    summary = {"summary": str(schema["description"]).split("\n", 1)[0]} if "description" in schema else {}
    return {"name": kind.leaf, **summary, "payload": {"$ref": f"#/components/schemas/{name}"}}


def _verb(kind: Kind) -> str:
    return f"{kind.direction}{kind.leaf.capitalize()}"


def _address(prefix: str, station: StationName | None, leaf: str) -> str:
    return topic(prefix, station, leaf) if station else topic_of_any(prefix, leaf)
