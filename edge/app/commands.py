"""Where commands are looked at and done, as a station file allows them."""

import time
from collections.abc import Callable
from pathlib import Path

from edge.app.sources import waits_for_commands
from edge.capture.triggers import Triggers
from edge.command.actions import Actions, Powers
from edge.command.config import CommandsConfig
from edge.command.controls import Controls
from edge.command.desk import Desk
from edge.command.gatekeeper import Now, Rules
from edge.command.memory import Memory
from edge.command.rate import RateLimit
from edge.config import StationConfig
from edge.errors import BadConfig
from edge.events import Events
from edge.host.clock import Boot, utc_now
from edge.host.time_sync import ask_kernel
from edge.report.config import MqttConfig


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
        triggers if waits_for_commands(config.source) else None,
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
