"""What an AsyncAPI 3.0 document must be made of, as far as ours uses it.

Reduced from the specification's tables of objects (https://www.asyncapi.com/docs/reference/specification/v3.0.0) and its
MQTT bindings 0.2.0; unlike the official JSON Schema it allows no object that we do not write, and follows every reference.
`python -m tests.official_asyncapi` asks the official one, which is too large to stand here.
"""

from collections.abc import Iterator
from typing import Any

REF = {"$ref": "#/$defs/ref"}
TEXT = {"type": "string", "minLength": 1}
QOS = {"enum": [0, 1, 2]}


def record(needed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": needed | more,
        "required": list(needed),
        "additionalProperties": False,
    }


def named(what: dict[str, Any], names: str = r"^[A-Za-z0-9._-]+$") -> dict[str, Any]:
    return {"type": "object", "patternProperties": {names: what}, "additionalProperties": False}


def mqtt(**fields: Any) -> dict[str, Any]:
    return record({"mqtt": record(fields | {"bindingVersion": {"const": "0.2.0"}})})


WILL = record({"topic": TEXT, "qos": QOS, "message": TEXT, "retain": {"type": "boolean"}})
SERVER = record(
    {"host": TEXT, "protocol": {"enum": ["mqtt", "secure-mqtt"]}},
    protocolVersion=TEXT,
    variables=named(record({}, description=TEXT)),
    security={"type": "array", "items": REF},
    bindings=mqtt(lastWill=WILL),
)
CHANNEL = record({"address": TEXT, "messages": named(REF)}, parameters=named(record({}, description=TEXT)))
ON_CHANNEL = {"channel": REF, "messages": {"type": "array", "items": REF, "minItems": 1}}
OPERATION = record(
    {"action": {"enum": ["send", "receive"]}, **ON_CHANNEL},
    bindings=mqtt(qos=QOS, retain={"type": "boolean"}),
    reply=record(ON_CHANNEL),
)

DOCUMENT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {"ref": record({"$ref": {"type": "string", "pattern": "^#/"}})},
    **record(
        {
            "asyncapi": {"const": "3.0.0"},
            "info": record({"title": TEXT, "version": TEXT}, description=TEXT, license=record({"name": TEXT}, url=TEXT)),
            "defaultContentType": {"const": "application/json"},
            "servers": named(SERVER),
            "channels": named(CHANNEL),
            "operations": named(OPERATION),
            "components": record(
                {
                    "messages": named(record({"name": TEXT, "payload": REF}, summary=TEXT)),
                    "schemas": named({"type": "object"}),
                    "securitySchemes": named(record({"type": {"enum": ["userPassword", "X509"]}}, description=TEXT)),
                }
            ),
        }
    ),
}


def broken_references(document: dict[str, Any]) -> list[str]:
    """References to nothing, and those that do not lead where the specification wants: an operation to its channel."""
    broken = [ref for ref in all_references(document) if found(document, ref) is None]
    for operation in document["operations"].values():
        for part in (operation, operation.get("reply", operation)):
            broken += [
                m["$ref"] for m in part["messages"] if not m["$ref"].startswith(f"{part['channel']['$ref']}/messages/")
            ]
    return broken


def all_references(node: object) -> Iterator[str]:
    match node:
        case {"$ref": str(ref)}:
            yield ref
        case dict():
            for value in node.values():
                yield from all_references(value)
        case list():
            for value in node:
                yield from all_references(value)


def found(document: dict[str, Any], ref: str) -> object:
    node: Any = document
    for step in ref.removeprefix("#/").split("/"):
        if not isinstance(node, dict) or step not in node:
            return None
        node = node[step]
    return node
