"""A whole line: recipe, source, sinks, evidence, commands and health, connected."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from edge.app.commands import Reach, open_commands
from edge.app.delivery import open_sinks
from edge.app.page import Learning, page_of
from edge.app.recipes import make_changeover, make_changes, make_opener, make_proving, open_first
from edge.app.shadow import make_shadow
from edge.app.sources import moves_files, open_source, origin_of
from edge.app.teach import open_teaching
from edge.app.triggers import taking_triggers
from edge.capture.config import LiveConfig
from edge.capture.triggers import Triggers
from edge.command.controls import Controls
from edge.command.lessons import Lessons
from edge.config import StationConfig
from edge.events import EventCode, Events
from edge.evidence.keeper import Keeper
from edge.evidence.ring import Ring
from edge.health.checkup import Checkup
from edge.health.endpoint import serving
from edge.health.message import Health
from edge.health.standing import standing
from edge.health.teller import telling
from edge.health.watchdog import Watchdog, attended
from edge.host.clock import Boot, on_the_wall, utc_now
from edge.host.notify import make_notifier, watchdog_s
from edge.host.pulse import Alive, Pulse, PulsingStop
from edge.loop import Line
from edge.recipe.recipe import Recipe
from edge.report.books import Linked
from edge.report.config import OutboxConfig
from edge.report.wire import to_wire
from edge.shadow.shadow import Shadow
from edge.shift.card import open_shift_card
from edge.shift.check import Moment, ShiftCheck
from edge.shift.config import ShiftCheckConfig
from edge.shift.gate import Gate
from edge.shift.times import ShiftTimes
from edge.teach.teacher import Teacher


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
    events, opener = Events(), make_opener(config)
    with ExitStack() as stack:
        recipe, slots = open_first(config, opener, events, stack)
        controls, triggers, pulse, boot = Controls(recipe), Triggers(), Pulse(), Boot()
        changeover = make_changeover(config, opener, controls, events)
        source = open_source(config, PulsingStop(stop, pulse), triggers, controls, events)
        sinks = open_sinks(config, controls, boot, events, stack)
        evidence = open_evidence(config, events, stack)
        events.say(EventCode.RECIPE_ACTIVATED, f"recipe {recipe.manifest.name} {recipe.id[:12]} judges from now on")
        gate = make_gate(config.shift_check, recipe, asked, events) if config.shift_check else None
        teaching = open_teaching(config, controls, events, stack)
        teacher = teaching.teacher if teaching else None
        shadow = make_shadow(config.shadow, opener, sinks, events, stack) if config.shadow else None
        if teaching:
            sinks.append(teaching.rejects)
        if shadow:
            sinks.append(shadow)
        line = Line(
            config.station,
            controls,
            source,
            sinks,
            boot,
            origin_of(config),
            gate=gate,
            evidence=evidence,
            changeover=changeover,
            proving=make_proving(slots, controls),
            watchers=[shadow] if shadow else [],
            commits=moves_files(config.source),
            takt_s=config.takt_s,
            pulse=pulse,
        )
        changes = make_changes(config, opener, slots, controls, events)
        open_commands(config, Reach(controls, triggers, changes, changeover, Lessons(teacher)), boot, stack)
        stack.enter_context(taking_triggers(config.source, triggers, lambda: controls.paused, events))
        watch(line, config, events, stack, teacher, shadow)
        stack.enter_context(attended(make_watchdog(line, events)))
        yield line


def watch(
    line: Line, config: StationConfig, events: Events, stack: ExitStack, teacher: Teacher | None, shadow: Shadow | None
) -> None:
    """Tell the line's health as long as `stack` is open, and answer Prometheus and browsers if that is wanted.

    Raises:
        BadConfig: endpoint or page cannot be opened.
    """
    checkup = Checkup(line, config.source.kind, _state_folder(config), config.health.interval_s, shadow)

    def tell(health: Health) -> None:
        for sink in line.sinks:
            if isinstance(sink, Linked):
                sink.tell("health", to_wire(health), retain=True)

    if config.prometheus:
        stack.enter_context(serving(config.prometheus, checkup))
    stack.enter_context(page_of(config, line, checkup, events, Learning(teacher) if teacher else None))
    stack.enter_context(telling(checkup, config.health.interval_s, tell))


def make_watchdog(line: Line, events: Events) -> Watchdog:
    """Who tells systemd that the line goes on."""
    pulses = [one.pulse for one in (line, line.evidence, *line.sinks) if isinstance(one, Alive)]
    return Watchdog(pulses, partial(standing, line), make_notifier(), watchdog_s(), events)


def _state_folder(config: StationConfig) -> Path:
    """Where results wait for the broker, or are written; without a file of them, where the process was started."""
    if config.mqtt and isinstance(outbox := config.mqtt.outbox, OutboxConfig):
        return Path(str(outbox.path)).parent
    return Path(config.results.path).parent if config.results and config.results.path != "-" else Path.cwd()


def open_evidence(config: StationConfig, events: Events, stack: ExitStack) -> Keeper | None:
    """Who keeps pictures of parts, if somebody does; closed with `stack`, so open the sinks first that it hands results to.

    Only a camera does not wait for the disk: files are still there when their pictures are on it.
    """
    if (wanted := config.evidence) is None:
        return None
    ring = Ring(Path(wanted.folder), wanted.quota_mb * 1_000_000, wanted.keep_free_mb * 1_000_000)
    keeper = Keeper(ring, wanted.keep, events, overlay=wanted.overlay, aside=isinstance(config.source, LiveConfig))
    stack.callback(keeper.close)
    return keeper


def make_gate(config: ShiftCheckConfig, recipe: Recipe, asked: Callable[[], bool], events: Events) -> Gate:
    """The shift check, which begins at once."""
    card = open_shift_card(Path(config.samples), recipe.manifest.name, recipe.id)
    now = Moment(time.monotonic(), on_the_wall(utc_now()))
    times = ShiftTimes(config.times, now.wall)
    return Gate(ShiftCheck(card.samples, times, tries=config.tries, pause_s=config.pause_s, start=now), asked, events)
