"""Whether what was accepted is what stands in the file: by other parsers, and by README's words alone."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel


def says_the_same_json(raw: bytes, found: BaseModel) -> bool:
    """Whether a JSON file holds each key of the object once, with its value, and no other."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs), f"a key is given twice: {pairs}"
        return dict(pairs)

    return _same(json.loads(raw, object_pairs_hook=once), found.model_dump(mode="json", exclude_unset=True))


def says_the_same_yaml(raw: bytes, found: BaseModel, folder: Path) -> bool:
    """The same of YAML, read as words alone: each word must be the value, in the spelling of YAML 1.2's core schema.

    A path may be the one that starts at `folder`, where the file stands.
    """
    node = yaml.compose(raw, yaml.BaseLoader)
    assert node is not None
    return _same_words(node, found.model_dump(mode="json", exclude_unset=True), folder)


def _same_words(node: yaml.Node, value: object, folder: Path) -> bool:
    match node:
        case yaml.MappingNode():
            keys = [key.value for key, _ in node.value]
            assert len(set(keys)) == len(keys), f"a key is given twice: {keys}"
            return (
                isinstance(value, dict)
                and set(keys) == set(value)
                and all(_same_words(child, value[key.value], folder) for key, child in node.value)
            )
        case yaml.SequenceNode():
            return (
                isinstance(value, list)
                and len(value) == len(node.value)
                and all(_same_words(child, part, folder) for child, part in zip(node.value, value, strict=True))
            )
    return _means(node.value, value, folder, quoted=node.style is not None)


def _means(word: str, value: object, folder: Path, *, quoted: bool) -> bool:
    match value:
        case None:
            return not quoted and word in {"null", "~", ""}
        case bool():
            return not quoted and word == ("true" if value else "false")
        case int():
            return not quoted and word.lstrip("+") == str(value)
        case float():
            return not quoted and float(word) == value
    return value in (word, os.path.join(folder, word))  # noqa: PTH118 - a Path would tidy it up


def _same(there: object, value: object) -> bool:
    match there, value:
        case dict(), dict():
            return there.keys() == value.keys() and all(_same(there[key], value[key]) for key in there)
        case list(), list():
            return len(there) == len(value) and all(map(_same, there, value))
        case bool(), _:
            return there is value
        case str(), str():
            return there == value or datetime.fromisoformat(there) == datetime.fromisoformat(value)
    return there == value


KINDS = {
    "folder": {"path"},
    "watch": {"path", "poll_s", "quota_mb"},
    "video": {"path", "every"},
    "camera": {"device", "interval_s", "timeout_s", "trigger"},
}


def keeps_readme(station: dict[str, Any]) -> None:
    """What README's table of the station file says of keys and values."""
    assert set(station["station"]) == {"site", "area", "line", "station"}
    assert station["recipe"]
    source = station["source"]
    assert set(source) <= KINDS[source["kind"]] | {"kind"}
    assert "mqtt" in station or "results" in station, "mqtt or results must be there, or both"
    mqtt = station.get("mqtt") or {}
    assert mqtt.get("protocol", 5) in (5, "3.1.1")
    assert 1 <= (mqtt.get("port") or 1883) <= 65535
    assert "password" not in mqtt or mqtt["password"] is None
    assert type(station.get("threads", 1)) is int
    assert station.get("threads", 1) >= 1
    if allow := (station.get("commands") or {}).get("allow"):
        assert set(allow) <= {"ping", "status", "trigger", "resume", "pause", "activate_recipe", "set_threshold"}
        if set(allow) & {"pause", "activate_recipe", "set_threshold"}:
            assert station["commands"]["public_key_file"], "dangerous commands are signed"
    for level in station["station"].values():
        assert level.isascii()
        assert not set(level) & set("+#/\0 ")
