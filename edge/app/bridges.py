"""The bridges to other systems on the plant's broker, as the station file asks for them."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import BadConfig
from edge.report.broker import Broker
from edge.report.config import HomeAssistantConfig, SparkplugConfig
from edge.report.home_assistant import Discovery, discover
from edge.report.retained import Retained
from edge.report.wire import StationName

if TYPE_CHECKING:
    from edge.report.sparkplug.counter import BirthCounter
    from edge.report.sparkplug.node import SparkplugNode


def make_sparkplug(config: SparkplugConfig, broker: Broker, boot_id: str) -> "SparkplugNode":
    """The edge node, which connects at once and under a client id of its own.

    Raises:
        BadConfig: as `make_birth_counter` does.
    """
    counter = make_birth_counter(config)
    from edge.report.sparkplug.node import SparkplugNode  # noqa: PLC0415 - only who asks for it needs the extra
    from edge.report.sparkplug.session import NodeName, Session  # noqa: PLC0415

    name = NodeName(config.group, config.edge_node, config.device)
    own = replace(broker, client_id=f"{broker.client_id}-sparkplug")
    return SparkplugNode(own, name, config.primary_host, counter, Session(name, version("goodpart"), boot_id))


def make_birth_counter(config: SparkplugConfig) -> "BirthCounter":
    """What an edge node needs before it can start.

    Raises:
        BadConfig: the extra is not installed, or the file cannot be used.
    """
    try:
        from edge.report.sparkplug.counter import BirthCounter  # noqa: PLC0415 - only who asks for it needs the extra
    except ModuleNotFoundError:
        raise BadConfig("sparkplug: needs protobuf: install 'goodpart[sparkplug]'.") from None
    assert config.bdseq_file  # noqa: S101 - filled in when the station file was loaded
    return BirthCounter(Path(config.bdseq_file))


def make_discovery(config: HomeAssistantConfig, topics_prefix: str, station: StationName) -> Discovery:
    """What Home Assistant is told of the station, or the message that makes it forget."""
    found = discover(config.prefix, topics_prefix, station, version("goodpart"))
    return found.removal() if config.remove else found


def make_retained(config: HomeAssistantConfig, broker: Broker, station: StationName) -> Retained:
    """Who keeps Home Assistant told, under a client id of its own."""
    found = make_discovery(config, broker.prefix, station)
    own = replace(broker, client_id=f"{broker.client_id}-home-assistant")
    return Retained("home_assistant", own, found.topic, found.payload)
