"""The only file that constructs and connects: a configuration becomes a running line."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits

from edge.capture.camera import CameraSource
from edge.capture.sources import FolderSource, Source
from edge.capture.triggered import TriggeredCameraSource, Triggers
from edge.capture.video import VideoSource
from edge.capture.watch import WatchSource
from edge.command.actions import Actions, Powers
from edge.command.config import CommandsConfig
from edge.command.controls import Controls, PausableSource
from edge.command.desk import Desk
from edge.command.gatekeeper import Now, Rules
from edge.command.memory import Memory
from edge.command.port import CommandPort
from edge.command.rate import RateLimit
from edge.config import (
    CameraConfig,
    FolderConfig,
    MqttConfig,
    ShiftCheckConfig,
    SourceConfig,
    StationConfig,
    VideoConfig,
    WatchConfig,
)
from edge.errors import BadConfig
from edge.host.clock import Boot, on_the_wall, utc_now
from edge.host.timekeeping import clock_is_synchronised
from edge.loop import Line, Sink
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.broker import Broker
from edge.report.jsonl import JsonLines
from edge.report.message import StationName
from edge.report.publisher import MqttPublisher
from edge.shift.card import open_shift_card
from edge.shift.check import Moment, ShiftCheck
from edge.shift.gate import Gate
from edge.shift.times import ShiftTimes


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
    controls, triggers = Controls(recipe), Triggers()
    source = make_source(config.source, stop, triggers)
    if config.commands and not waits_for_triggers(config.source):
        source = PausableSource(source, controls, stop, live=isinstance(config.source, CameraConfig))
    boot = Boot()
    with ExitStack() as stack:
        sinks: list[Sink] = []
        if config.results:
            sinks.append(JsonLines(Path(config.results.path)))
            stack.callback(sinks[-1].close)
        if config.mqtt:
            sinks.append(MqttPublisher(make_broker(config.mqtt, config.station), config.station, boot.id))
            stack.callback(sinks[-1].close)
        gate = make_gate(config.shift_check, recipe, asked) if config.shift_check else None
        if config.commands and config.mqtt:
            desk = make_desk(config, config.commands, config.mqtt, controls, triggers, boot)
            stack.callback(CommandPort(make_broker(config.mqtt, config.station), config.station, desk).close)
        yield Line(config.station, controls, source, sinks, boot, gate)


def make_desk(
    config: StationConfig, commands: CommandsConfig, mqtt: MqttConfig, controls: Controls, triggers: Triggers, boot: Boot
) -> Desk:
    """Where commands are looked at and done.

    Raises:
        BadConfig: the public key or the memory cannot be used.
    """
    allow = frozenset(commands.allow)
    rules = Rules(
        station=config.station,
        prefix=mqtt.prefix,
        allow=allow,
        max_bytes=commands.max_bytes,
        signed=make_verifier(commands),
        needs_synchronised_clock=commands.clock == "synchronised",
    )
    limits = (commands.threshold.min, commands.threshold.max) if commands.threshold else None
    recipes = {name: Path(path) for name, path in config.recipes.items()}
    actions = Actions(
        controls,
        triggers if waits_for_triggers(config.source) else None,
        Powers(allow=allow, recipes=recipes, limits=limits, threads=config.threads),
    )
    memory = Memory(Path(commands.memory_file) if commands.memory_file else None, config.station, boot.id)
    limit = RateLimit(commands.max_per_minute, time.monotonic())
    return Desk(rules, limit, memory, actions, boot.id, lambda: Now(utc_now(), clock_is_synchronised()))


def make_verifier(commands: CommandsConfig) -> Callable[[bytes, bytes], bool] | None:
    """Whether the owner of the key has signed; None where there is no key.

    Raises:
        BadConfig: the key cannot be used, or the package that verifies is not installed.
    """
    if commands.public_key_file is None:
        return None
    try:
        from edge.command.signing import open_public_key  # noqa: PLC0415 - an extra: not every station takes signed commands
    except ModuleNotFoundError:
        raise BadConfig("commands.public_key_file needs cryptography: install 'goodpart[commands]'.") from None
    return open_public_key(Path(commands.public_key_file))


def make_gate(config: ShiftCheckConfig, recipe: Recipe, asked: Callable[[], bool]) -> Gate:
    """The shift check, which begins at once."""
    card = open_shift_card(Path(config.samples), recipe.manifest.name, recipe.id)
    now = Moment(time.monotonic(), on_the_wall(utc_now()))
    times = ShiftTimes(config.times, now.wall)
    return Gate(ShiftCheck(card.samples, times, tries=config.tries, pause_s=config.pause_s, start=now), asked)


def waits_for_triggers(config: SourceConfig) -> bool:
    """Whether a part is judged only when a command asks for it."""
    return isinstance(config, CameraConfig) and config.trigger == "command"


def make_source(config: SourceConfig, stop: threading.Event, triggers: Triggers) -> Source:
    """The source that the configuration names."""
    match config:
        case FolderConfig():
            return FolderSource(Path(config.path), stop)
        case WatchConfig():
            return WatchSource(Path(config.path), config.poll_s, stop)
        case VideoConfig():
            return VideoSource(Path(config.path), config.every, stop)
        case CameraConfig() if waits_for_triggers(config):
            return TriggeredCameraSource(config.device, config.timeout_s, triggers, stop)
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


def _read_secret(path: Path) -> str:
    try:
        return path.read_text().rstrip("\r\n")
    except OSError as err:
        raise BadConfig(f"mqtt.password_file: {path} cannot be read: {err.strerror}; may this user read it?") from None
    except UnicodeDecodeError:
        raise BadConfig(f"mqtt.password_file: {path} is not text; write the password into it as UTF-8.") from None
