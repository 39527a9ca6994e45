"""What all messages have in common."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from edge.inspect.card import SHA256_PATTERN
from edge.strict import Strict


class Message(Strict):
    """Something that leaves the device as JSON, or comes to it: its fields' docstrings are their descriptions in the schema.

    What leaves has every key, those with a default too.
    """

    model_config = ConfigDict(use_attribute_docstrings=True, json_schema_serialization_defaults_required=True)


Sha256 = Annotated[str, Field(pattern=SHA256_PATTERN)]

Level = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
"""One level of an MQTT topic: no separator, no wildcard."""


class StationName(Message):
    """Where the camera is, from the outside in (levels of ISA-95)."""

    site: Level
    """Plant."""

    area: Level
    """Part of the plant."""

    line: Level
    """Production line."""

    station: Level
    """Camera on the line."""


def to_wire(message: Message) -> bytes:
    """UTF-8 JSON on one line."""
    return message.model_dump_json().encode()
