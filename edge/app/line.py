"""A whole line: recipe, source, sinks, evidence, commands and health, connected."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits

from edge.app.commands import make_desk
from edge.app.delivery import make_broker, open_sinks
from edge.app.page import page_of
from edge.app.sources import make_pausable, make_source, origin_of, waits_for_triggers
from edge.capture.config import CameraConfig, SourceConfig
from edge.capture.triggered import Triggers
from edge.command.controls import Controls
from edge.command.port import CommandPort
from edge.config import StationConfig
from edge.events import EventCode, Events
from edge.evidence.config import EvidenceConfig
from edge.evidence.keeper import Keeper
from edge.evidence.ring import Ring
from edge.health.checkup import Checkup
from edge.health.endpoint import serving
from edge.health.message import Health
from edge.health.teller import telling
from edge.host.clock import Boot, on_the_wall, utc_now
from edge.loop import Line
from edge.recipe.recipe import Recipe, open_recipe
from edge.report.books import Linked
from edge.report.config import OutboxConfig
from edge.report.wire import to_wire
from edge.shift.card import open_shift_card
from edge.shift.check import Moment, ShiftCheck
from edge.shift.config import ShiftCheckConfig
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
    events = Events()
    keeper = make_keeper(config.evidence, config.source, events) if config.evidence else None
    controls, triggers = Controls(recipe), Triggers()
    source = make_source(config.source, stop, triggers, events)
    if config.commands and not waits_for_triggers(config.source):
        source = make_pausable(source, controls, stop, live=isinstance(config.source, CameraConfig))
    boot = Boot()
    with ExitStack() as stack:
        sinks = open_sinks(config, recipe, boot, events, stack)
        if keeper:
            # Closed before the sinks, which it hands the last results to.
            stack.callback(keeper.close)
        events.say(EventCode.RECIPE_ACTIVATED, f"recipe {recipe.manifest.name} {recipe.id[:12]} judges from now on")
        gate = make_gate(config.shift_check, recipe, asked, events) if config.shift_check else None
        if config.commands and config.mqtt:
            desk = make_desk(config, config.commands, config.mqtt, controls, triggers, boot, events)
            stack.callback(CommandPort(make_broker(config.mqtt, config.station), config.station, desk).close)
        line = Line(config.station, controls, source, sinks, boot, origin_of(config), gate, keeper)
        watch(line, config, events, stack)
        yield line


def watch(line: Line, config: StationConfig, events: Events, stack: ExitStack) -> None:
    """Tell the line's health as long as `stack` is open, and answer Prometheus and browsers if that is wanted.

    Raises:
        BadConfig: endpoint or page cannot be opened.
    """
    checkup = Checkup(line, config.source.kind, _state_folder(config), config.health.interval_s)

    def tell(health: Health) -> None:
        for sink in line.sinks:
            if isinstance(sink, Linked):
                sink.tell("health", to_wire(health), retain=True)

    if config.prometheus:
        stack.enter_context(serving(config.prometheus, checkup))
    stack.enter_context(page_of(config, line, checkup, events))
    stack.enter_context(telling(checkup, config.health.interval_s, tell))


def _state_folder(config: StationConfig) -> Path:
    """Where results wait for the broker, or are written; without a file of them, where the process was started."""
    if config.mqtt and isinstance(outbox := config.mqtt.outbox, OutboxConfig):
        return Path(str(outbox.path)).parent
    return Path(config.results.path).parent if config.results and config.results.path != "-" else Path.cwd()


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
