"""What `goodpart schema` prints."""

import json
from importlib.metadata import version
from pathlib import Path

import yaml

from edge.config import load_config
from edge.errors import BadConfig
from edge.report.config import MqttConfig
from edge.schema.asyncapi import Plant, asyncapi
from edge.schema.json_schema import schema_of, schema_of_any
from edge.schema.registry import KINDS


def describe_messages(leaf: str | None, *, exact: bool) -> str:
    """JSON Schema of one kind of message, or of all together, as JSON.

    Raises:
        BadConfig: there is no such kind.
    """
    if leaf is None:
        return json.dumps(schema_of_any(KINDS, exact=exact), indent=2)
    for kind in KINDS:
        if kind.leaf == leaf:
            return json.dumps(schema_of(kind, exact=exact), indent=2)
    raise BadConfig(f"{leaf}: is no kind of message; choose one of {', '.join(kind.leaf for kind in KINDS)}.")


def describe_interface(station_file: Path | None) -> str:
    """The AsyncAPI document of one station, or with parameters for every station with the usual prefix, as YAML.

    Raises:
        BadConfig: the station file cannot be used.
    """
    config = load_config(station_file) if station_file else None
    mqtt = config.mqtt if config else None
    if config and not mqtt:
        raise BadConfig(f"--station: {station_file} has no mqtt:, so it has no topics; add it.")
    prefix = mqtt.prefix if mqtt else str(MqttConfig.model_fields["prefix"].default)
    plant = _plant(mqtt) if mqtt else None
    document = asyncapi(KINDS, prefix, config.station if config else None, plant, version("goodpart"))
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120).rstrip()


def _plant(mqtt: MqttConfig) -> Plant:
    return Plant(
        f"{mqtt.host}:{mqtt.tcp_port}",
        str(mqtt.protocol),
        password=mqtt.username is not None,
        tls=mqtt.tls is not None,
        certificate=mqtt.tls is not None and mqtt.tls.cert_file is not None,
    )
