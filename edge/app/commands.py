"""Where commands are looked at and done, as a station file allows them."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from edge.app.delivery import make_broker
from edge.app.keys import make_key_verifier
from edge.app.sources import waits_for_commands
from edge.capture.triggers import Triggers
from edge.changeover.changeover import Changeover
from edge.command.actions import Actions, Powers
from edge.command.config import CommandsConfig
from edge.command.controls import Controls
from edge.command.desk import Desk
from edge.command.gatekeeper import Now, Rules
from edge.command.lessons import Lessons
from edge.command.memory import Memory
from edge.command.port import CommandPort
from edge.command.rate import RateLimit
from edge.command.recipes import RecipeChanges
from edge.config import StationConfig
from edge.host.clock import Boot, utc_now
from edge.host.time_sync import ask_kernel
from edge.report.config import MqttConfig


@dataclass(frozen=True, slots=True)
class Reach:
    """What commands can change."""

    controls: Controls
    triggers: Triggers
    recipes: RecipeChanges
    changeover: Changeover | None
    lessons: Lessons


def open_commands(config: StationConfig, reach: Reach, boot: Boot, stack: ExitStack) -> None:
    """Hear commands and answer them as long as `stack` is open, if the station file allows any.

    Raises:
        BadConfig: the public key or the memory cannot be used.
    """
    if config.commands and config.mqtt:
        desk = make_desk(config, config.commands, config.mqtt, reach, boot)
        stack.callback(CommandPort(make_broker(config.mqtt, config.station), config.station, desk).close)


def make_desk(config: StationConfig, commands: CommandsConfig, mqtt: MqttConfig, reach: Reach, boot: Boot) -> Desk:
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
        signed=make_key_verifier("commands.public_key_file", commands.public_key_file),
        needs_synchronised_clock=commands.clock == "synchronised",
    )
    limits = (commands.threshold.min, commands.threshold.max) if commands.threshold else None
    actions = Actions(
        reach.controls,
        reach.triggers if waits_for_commands(config.source) else None,
        Powers(allow=allow, limits=limits),
        reach.recipes,
        reach.lessons,
        reach.changeover,
    )
    memory = Memory(Path(commands.memory_file) if commands.memory_file else None, config.station, boot.id)
    limit = RateLimit(commands.max_per_minute, time.monotonic())
    return Desk(rules, limit, memory, actions, boot.id, lambda: Now(utc_now(), ask_kernel() is True))
