"""The only file that constructs and connects: a configuration becomes a running line."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from edge.capture.camera import CameraSource
from edge.capture.sources import FolderSource, Source
from edge.capture.video import VideoSource
from edge.capture.watch import WatchSource
from edge.config import (
    CameraConfig,
    FolderConfig,
    HomeAssistantConfig,
    MqttConfig,
    ShiftCheckConfig,
    SourceConfig,
    SparkplugConfig,
    StationConfig,
    VideoConfig,
    WatchConfig,
)
from edge.errors import BadConfig
from edge.host.clock import Boot, on_the_wall, utc_now
from edge.loop import Line, Sink
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.broker import Broker
from edge.report.home_assistant import Discovery, discover
from edge.report.jsonl import JsonLines
from edge.report.message import StationName
from edge.report.publisher import MqttPublisher
from edge.report.retained import Retained
from edge.shift.card import open_shift_card
from edge.shift.check import Moment, ShiftCheck
from edge.shift.gate import Gate
from edge.shift.times import ShiftTimes

if TYPE_CHECKING:
    from edge.report.sparkplug.counter import BirthCounter
    from edge.report.sparkplug.node import SparkplugNode


@contextmanager
def built(config: StationConfig, stop: threading.Event, asked: Callable[[], bool] = lambda: False) -> Iterator[Line]:
    """Build the line, and take it down again whatever happens. Setting `stop` ends its source.

    asked: whether the operator has asked for a shift check since the last call.

    Raises:
        Refuse: recipe, source, samples or sink cannot be used, or a golden picture is not reproduced.
    """
    # `threads` are the encoder's. The products of the search are too small to share out: two threads of the matrix library
    # wait for each other, and a part took twice as long.
    threadpool_limits(1)
    recipe = open_recipe(Path(config.recipe), config.threads)
    recipe.reproduce_golden()
    source = make_source(config.source, stop)
    boot = Boot()
    with ExitStack() as stack:
        sinks: list[Sink] = []
        if config.results:
            sinks.append(JsonLines(Path(config.results.path)))
            stack.callback(sinks[-1].close)
        if config.mqtt:
            broker = make_broker(config.mqtt, config.station)
            sinks.append(MqttPublisher(broker, config.station, boot.id))
            stack.callback(sinks[-1].close)
            if config.sparkplug:
                sinks.append(make_sparkplug(config.sparkplug, broker, boot.id))
                stack.callback(sinks[-1].close)
            if config.home_assistant:
                found = make_discovery(config.home_assistant, broker.prefix, config.station)
                own = replace(broker, client_id=f"{broker.client_id}-home-assistant")
                stack.callback(Retained("home_assistant", own, found.topic, found.payload).close)
        gate = make_gate(config.shift_check, recipe, asked) if config.shift_check else None
        yield Line(config.station, recipe, source, sinks, boot, gate)


def make_gate(config: ShiftCheckConfig, recipe: Recipe, asked: Callable[[], bool]) -> Gate:
    """The shift check, which begins at once."""
    card = open_shift_card(Path(config.samples), recipe.manifest.name, recipe.id)
    now = Moment(time.monotonic(), on_the_wall(utc_now()))
    times = ShiftTimes(config.times, now.wall)
    return Gate(ShiftCheck(card.samples, times, tries=config.tries, pause_s=config.pause_s, start=now), asked)


def make_source(config: SourceConfig, stop: threading.Event) -> Source:
    """The source that the configuration names."""
    match config:
        case FolderConfig():
            return FolderSource(Path(config.path), stop)
        case WatchConfig():
            return WatchSource(Path(config.path), config.poll_s, stop)
        case VideoConfig():
            return VideoSource(Path(config.path), config.every, stop)
        case CameraConfig():
            return CameraSource(config.device, config.interval_s, config.timeout_s, stop)


def make_broker(config: MqttConfig, station: StationName) -> Broker:
    """How to reach the broker, with the password read from its file."""
    names = (station.site, station.area, station.line, station.station)
    return Broker(
        host=config.host,
        port=config.port,
        protocol=str(config.protocol),
        prefix=config.prefix,
        client_id=config.client_id or "goodpart-" + "-".join(names),
        username=config.username,
        password=_read_secret(Path(config.password_file)) if config.password_file else None,
        close_s=config.close_s,
    )


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


def _read_secret(path: Path) -> str:
    try:
        return path.read_text().rstrip("\r\n")
    except OSError as err:
        raise BadConfig(f"mqtt.password_file: {path} cannot be read: {err.strerror}; may this user read it?") from None
    except UnicodeDecodeError:
        raise BadConfig(f"mqtt.password_file: {path} is not text; write the password into it as UTF-8.") from None
