"""How results reach the broker that a station file names."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from edge.app.bridges import make_retained, make_sparkplug
from edge.command.controls import Controls
from edge.config import StationConfig
from edge.events import Events, Happening
from edge.host.clock import Boot
from edge.host.secrets import read_password
from edge.loop import Sink
from edge.report.books import Linked
from edge.report.broker import Broker
from edge.report.config import MqttConfig, OutboxConfig, TlsConfig
from edge.report.event import make_event
from edge.report.jsonl import JsonLines
from edge.report.outbox.lasting import LastingOutbox
from edge.report.outbox.memory import MemoryOutbox
from edge.report.outbox.outbox import Outbox
from edge.report.publisher import MqttPublisher
from edge.report.status import make_status
from edge.report.tls import Tls, make_context
from edge.report.wire import StationName, to_wire


def open_sinks(config: StationConfig, controls: Controls, boot: Boot, events: Events, stack: ExitStack) -> list[Sink]:
    """Everybody who is told of results, closed with `stack`; the broker is told of events, too.

    Raises:
        BadConfig: a file, password, certificate or extra that is named cannot be used.
    """
    sinks: list[Sink] = []
    if config.results:
        sinks.append(JsonLines(Path(config.results.path)))
        stack.callback(sinks[-1].close)
    if config.mqtt:
        broker = make_broker(config.mqtt, config.station)
        birth = make_status(config.station, controls.recipe, boot)
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
    return sinks


def tell_event(linked: Linked, station: StationName, boot_id: str, happening: Happening) -> None:
    """Publish what happened beside the results."""
    linked.tell("event", to_wire(make_event(happening, station, boot_id)), retain=False)


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
