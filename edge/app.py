"""The only file that constructs and connects: a configuration becomes a running line."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from edge.capture.camera import CameraSource
from edge.capture.sources import FolderSource, LiveSource, Source
from edge.capture.triggered import TriggeredCameraSource, Triggers
from edge.capture.video import VideoSource
from edge.capture.watch import WatchSource
from edge.command.actions import Actions, Powers
from edge.command.config import CommandsConfig
from edge.command.controls import Controls, PausableLiveSource, PausableSource
from edge.command.desk import Desk
from edge.command.gatekeeper import Now, Rules
from edge.command.memory import Memory
from edge.command.port import CommandPort
from edge.command.rate import RateLimit
from edge.config import (
    CameraConfig,
    FolderConfig,
    MqttConfig,
    OutboxConfig,
    ShiftCheckConfig,
    SourceConfig,
    StationConfig,
    TlsConfig,
    VideoConfig,
    WatchConfig,
)
from edge.errors import BadConfig
from edge.events import EventCode, Events, Happening
from edge.evidence.config import EvidenceConfig
from edge.evidence.keeper import Keeper
from edge.evidence.ring import Ring
from edge.health.checkup import Checkup
from edge.health.endpoint import serving
from edge.health.message import Health
from edge.health.teller import telling
from edge.host.clock import Boot, on_the_wall, utc_now
from edge.host.secrets import read_password
from edge.host.time_sync import ask_kernel
from edge.loop import Line, Sink
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.books import Linked
from edge.report.bridges import make_retained, make_sparkplug
from edge.report.broker import Broker
from edge.report.event import make_event
from edge.report.jsonl import JsonLines
from edge.report.outbox.lasting import LastingOutbox
from edge.report.outbox.memory import MemoryOutbox
from edge.report.outbox.outbox import Outbox
from edge.report.publisher import MqttPublisher
from edge.report.status import make_status
from edge.report.tls import Tls, make_context
from edge.report.wire import StationName, to_wire
from edge.shift.card import open_shift_card
from edge.shift.check import Moment, ShiftCheck
from edge.shift.gate import Gate
from edge.shift.times import ShiftTimes
from edge.types import Origin


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
    events = Events()
    keeper = make_keeper(config.evidence, config.source, events) if config.evidence else None
    controls, triggers = Controls(recipe), Triggers()
    source = make_source(config.source, stop, triggers, events)
    if config.commands and not waits_for_triggers(config.source):
        source = make_pausable(source, controls, stop, live=isinstance(config.source, CameraConfig))
    boot = Boot()
    with ExitStack() as stack:
        sinks: list[Sink] = []
        if config.results:
            sinks.append(JsonLines(Path(config.results.path)))
            stack.callback(sinks[-1].close)
        if config.mqtt:
            birth = make_status(config.station, recipe, boot)
            broker = make_broker(config.mqtt, config.station)
            publisher = MqttPublisher(broker, birth, outbox_opener(config.mqtt, events))
            events.listen(partial(tell_event, publisher, config.station, boot.id))
            events.listen(lambda _: publisher.introduce(birth.judging_with(controls.recipe)))
            sinks.append(publisher)
            stack.callback(publisher.close)
            if config.sparkplug:
                sinks.append(make_sparkplug(config.sparkplug, broker, boot.id))
                stack.callback(sinks[-1].close)
            if config.home_assistant:
                stack.callback(make_retained(config.home_assistant, broker, config.station).close)
        if keeper:
            # Closed before the sinks, which it hands the last results to.
            stack.callback(keeper.close)
        events.say(EventCode.RECIPE_ACTIVATED, f"recipe {recipe.manifest.name} {recipe.id[:12]} judges from now on")
        gate = make_gate(config.shift_check, recipe, asked, events) if config.shift_check else None
        if config.commands and config.mqtt:
            desk = make_desk(config, config.commands, config.mqtt, controls, triggers, boot, events)
            stack.callback(CommandPort(make_broker(config.mqtt, config.station), config.station, desk).close)
        line = Line(
            config.station, controls, source, sinks, boot, origin_of(config), gate, keeper, moves_files(config.source)
        )
        watch(line, config, stack)
        yield line


def tell_event(linked: Linked, station: StationName, boot_id: str, happening: Happening) -> None:
    """Publish what happened beside the results."""
    linked.tell("event", to_wire(make_event(happening, station, boot_id)), retain=False)


def watch(line: Line, config: StationConfig, stack: ExitStack) -> None:
    """Tell the line's health as long as `stack` is open, and answer Prometheus if it is wanted.

    Raises:
        BadConfig: the endpoint cannot be opened.
    """
    checkup = Checkup(line, config.source.kind, _state_folder(config), config.health.interval_s)

    def tell(health: Health) -> None:
        for sink in line.sinks:
            if isinstance(sink, Linked):
                sink.tell("health", to_wire(health), retain=True)

    if config.prometheus:
        stack.enter_context(serving(config.prometheus, checkup))
    stack.enter_context(telling(checkup, config.health.interval_s, tell))


def _state_folder(config: StationConfig) -> Path:
    """Where results wait for the broker, or are written; without a file of them, where the process was started."""
    if config.mqtt and isinstance(outbox := config.mqtt.outbox, OutboxConfig):
        return Path(str(outbox.path)).parent
    return Path(config.results.path).parent if config.results and config.results.path != "-" else Path.cwd()


def make_desk(
    config: StationConfig,
    commands: CommandsConfig,
    mqtt: MqttConfig,
    controls: Controls,
    triggers: Triggers,
    boot: Boot,
    events: Events,
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
        events,
    )
    memory = Memory(Path(commands.memory_file) if commands.memory_file else None, config.station, boot.id)
    limit = RateLimit(commands.max_per_minute, time.monotonic())
    return Desk(rules, limit, memory, actions, boot.id, lambda: Now(utc_now(), ask_kernel() is True))


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


def origin_of(config: StationConfig) -> Origin:
    """What its results say of where the shots come from. A watched folder is a camera that delivers by files."""
    if config.simulated:
        return Origin.SIMULATED
    match config.source:
        case CameraConfig() | WatchConfig():
            return Origin.LIVE
        case FolderConfig() | VideoConfig():
            return Origin.REPLAY


def make_keeper(config: EvidenceConfig, source: SourceConfig, events: Events) -> Keeper:
    """Who keeps pictures of parts. Only a camera does not wait: files are still there when one is on the disk."""
    ring = Ring(Path(config.folder), config.quota_mb * 1_000_000)
    return Keeper(ring, config.keep, events, overlay=config.overlay, aside=isinstance(source, CameraConfig))


def make_gate(config: ShiftCheckConfig, recipe: Recipe, asked: Callable[[], bool], events: Events) -> Gate:
    """The shift check, which begins at once."""
    card = open_shift_card(Path(config.samples), recipe.manifest.name, recipe.id)
    now = Moment(time.monotonic(), on_the_wall(utc_now()))
    times = ShiftTimes(config.times, now.wall)
    return Gate(ShiftCheck(card.samples, times, tries=config.tries, pause_s=config.pause_s, start=now), asked, events)


def make_pausable(source: Source, controls: Controls, stop: threading.Event, *, live: bool) -> Source:
    """The source, resting while a command has paused the line."""
    if isinstance(source, LiveSource):
        return PausableLiveSource(source, controls, stop, live=live)
    return PausableSource(source, controls, stop, live=live)


def free_running(config: SourceConfig) -> SourceConfig:
    """The same source where no command will come to ask for a part."""
    return config.model_copy(update={"trigger": "interval"}) if isinstance(config, CameraConfig) else config


def moves_files(config: SourceConfig) -> bool:
    """Whether a part that is done is not offered again after a restart."""
    return isinstance(config, WatchConfig)


def waits_for_triggers(config: SourceConfig) -> bool:
    """Whether a part is judged only when a command asks for it."""
    return isinstance(config, CameraConfig) and config.trigger == "command"


def make_source(config: SourceConfig, stop: threading.Event, triggers: Triggers, events: Events | None = None) -> Source:
    """The source that the configuration names."""
    match config:
        case FolderConfig():
            return FolderSource(Path(config.path), stop)
        case WatchConfig():
            return WatchSource(Path(config.path), config.poll_s, stop, events=events)
        case VideoConfig():
            return VideoSource(Path(config.path), config.every, stop)
        case CameraConfig() if waits_for_triggers(config):
            return TriggeredCameraSource(config.device, config.timeout_s, triggers, stop, events)
        case CameraConfig():
            return CameraSource(config.device, config.interval_s, config.timeout_s, stop, events)


def make_broker(config: MqttConfig, station: StationName) -> Broker:
    """How to reach the broker, with the password read from its file."""
    names = (station.site, station.area, station.line, station.station)
    tls = make_context(_tls(config.tls)) if config.tls else None
    return Broker(
        host=config.host,
        port=config.tcp_port,
        protocol=str(config.protocol),
        prefix=config.prefix,
        client_id=config.client_id or "goodpart-" + "-".join(names),
        username=config.username,
        password=read_password(config.password_file, config.password_credential),
        close_s=config.close_s,
        tls=tls,
    )


def outbox_opener(config: MqttConfig, events: Events) -> Callable[[], Outbox]:
    """How the delivery thread opens the outbox that the configuration names."""
    match config.outbox:
        case OutboxConfig(path=str(path), quota_mb=quota_mb):
            return partial(LastingOutbox, Path(path), quota_mb * 2**20, events=events)
        case _:
            return MemoryOutbox


def _tls(config: TlsConfig) -> Tls:
    return Tls(*(Path(file) if file else None for file in (config.ca_file, config.cert_file, config.key_file)))
