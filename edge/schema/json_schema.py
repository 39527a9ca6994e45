"""JSON Schema of the messages, draft 2020-12."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from edge.schema.registry import Kind

Json = dict[str, Any]
"""A JSON object whose shape others have defined: the authors of JSON Schema and of AsyncAPI."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LOCAL_REF = "#/$defs/{model}"


def schema_of(kind: Kind, *, exact: bool = False) -> Json:
    """One kind of message. exact: as for `definitions_of`."""
    names, definitions = definitions_of([kind], _LOCAL_REF, exact=exact)
    own = definitions.pop(names[0])
    return {"$schema": _DIALECT} | own | ({"$defs": definitions} if definitions else {})


def schema_of_any(kinds: Sequence[Kind], *, exact: bool = False) -> Json:
    """A message of any of these kinds; `format` tells which. exact: as for `definitions_of`."""
    names, definitions = definitions_of(kinds, _LOCAL_REF, exact=exact)
    either = [{"$ref": _LOCAL_REF.format(model=name)} for name in names]
    return {"$schema": _DIALECT, "title": "goodpart", "oneOf": either, "$defs": definitions}


def definitions_of(kinds: Sequence[Kind], ref: str, *, exact: bool) -> tuple[list[str], dict[str, Json]]:
    """The names of the kinds' definitions in their order, and all definitions by name, those of their parts among them.

    ref: how one refers to another, with {model} for its name. exact: unknown keys are an error everywhere. Otherwise they
    are allowed in what the device sends, since a later goodpart may add some; in what it receives they are not, since it
    refuses them. A part that stands in both is defined twice: what is received has the one called `…Received`.
    """
    roots, parts = TypeAdapter.json_schemas([(kind.leaf, _mode(kind), kind.model) for kind in kinds], ref_template=ref)
    definitions: dict[str, Json] = parts.get("$defs", {})
    names = [_settled(kind, roots[kind.leaf, _mode(kind)], definitions) for kind in kinds]
    if not exact:
        sent, received = (
            _with_their_parts({n for n, kind in zip(names, kinds, strict=True) if kind.direction == way}, definitions)
            for way in ("send", "receive")
        )
        _define_twice(sent & received, received, definitions)
        for name in sent:
            definitions[name].pop("additionalProperties", None)
    return names, definitions


def _mode(kind: Kind) -> JsonSchemaMode:
    """A key with a default is always there in what is sent, and may be missing in what is received."""
    return "serialization" if kind.direction == "send" else "validation"


def _settled(kind: Kind, root: Json, definitions: dict[str, Json]) -> str:
    """The name under which a kind is defined; a union gets one, since pydantic names models alone."""
    if "$ref" in root:
        return _name(root["$ref"])
    # OpenAPI's word; JSON Schema does not know it, and AsyncAPI means something else by it.
    root.pop("discriminator", None)
    name = kind.leaf.capitalize()
    definitions[name] = {"title": name} | root
    return name


def _with_their_parts(names: set[str], definitions: dict[str, Json]) -> set[str]:
    found, new = set[str](), names
    while new:
        found |= new
        new = {_name(ref) for name in new for ref in _refs_in(definitions[name])} - found
    return found


def _define_twice(both: set[str], received: set[str], definitions: dict[str, Json]) -> None:
    """Give these a second definition, to which everything that is received refers."""
    for name in sorted(both):
        definitions[f"{name}Received"] = copy.deepcopy(definitions[name])
    for name in (received - both) | {f"{name}Received" for name in both}:
        definitions[name] = _referring_to_received(definitions[name], both)


def _referring_to_received(schema: Any, both: set[str]) -> Any:  # noqa: ANN401 - any value of JSON
    match schema:
        case {"$ref": str(ref)} if _name(ref) in both:
            return schema | {"$ref": f"{ref}Received"}
        case dict():
            return {key: _referring_to_received(value, both) for key, value in schema.items()}
        case list():
            return [_referring_to_received(value, both) for value in schema]
    return schema


def _refs_in(schema: object) -> Iterator[str]:
    match schema:
        case {"$ref": str(ref)}:
            yield ref
        case dict():
            for value in schema.values():
                yield from _refs_in(value)
        case list():
            for value in schema:
                yield from _refs_in(value)


def _name(ref: str) -> str:
    return ref.rpartition("/")[2]
