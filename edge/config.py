"""The station's configuration file: one camera, one recipe, and who is told."""

import os
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from edge.command.config import CommandsConfig
from edge.recipe.manifest import Name
from edge.report.message import Level, StationName
from edge.strict import Strict, load_yaml

Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class FolderConfig(Strict):
    """Every picture of a folder once, by name; then the run ends."""

    kind: Literal["folder"]
    path: Text


class WatchConfig(Strict):
    """Files as they arrive; judged ones are moved to processed/ and failed/."""

    kind: Literal["watch"]
    path: Text
    poll_s: float = Field(default=0.2, ge=0.01, le=60)


class VideoConfig(Strict):
    """Every n-th frame of a video file; then the run ends."""

    kind: Literal["video"]
    path: Text
    every: int = Field(default=1, ge=1)


class CameraConfig(Strict):
    """A live camera: index, /dev path or URL. trigger: whether a part is taken each `interval_s`, or on command."""

    kind: Literal["camera"]
    device: Annotated[int, Field(ge=0, le=255)] | Text
    trigger: Literal["interval", "command"] = "interval"
    interval_s: float = Field(default=1.0, ge=0, le=3600)
    timeout_s: float = Field(default=5.0, ge=0.1, le=120)


SourceConfig = Annotated[FolderConfig | WatchConfig | VideoConfig | CameraConfig, Field(discriminator="kind")]


def _only_a_name(host: str) -> str:
    """Paho's thread would end without a word on a name that cannot even be looked up."""
    if "/" in host or host.count(":") == 1 or not host.isprintable() or " " in host:
        raise ValueError(f"{host!r} is not a host name or address alone; the port has a key of its own, mqtt.port")
    try:
        host.encode("idna")
    except UnicodeError:
        raise ValueError(f"{host!r} cannot be a host name; correct it") from None
    return host


Host = Annotated[Text, AfterValidator(_only_a_name)]


class MqttConfig(Strict):
    """The plant's broker. The password stands in a file of its own, never here."""

    host: Host
    port: int = Field(default=1883, ge=1, le=65535)
    protocol: Literal[5, "3.1.1"] = 5
    prefix: Level = "goodpart"
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    username: Text | None = None
    password_file: Text | None = None
    close_s: float = Field(default=10.0, ge=0, le=600)

    @model_validator(mode="after")
    def _password_needs_a_name(self) -> "MqttConfig":
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file is given without username; add mqtt.username")
        return self


class ResultsConfig(Strict):
    """Results as JSON lines, appended; "-" is standard output."""

    path: Text


TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class ShiftCheckConfig(Strict):
    """Master parts that must come out as they are known before parts are judged: at the start, and at these local times.

    pause_s: how long it takes to lay down a sample; shots in between show none.
    """

    samples: Text
    at: tuple[TimeOfDay, ...] = Field(default=(), max_length=24)
    tries: int = Field(default=3, ge=1, le=20)
    pause_s: float = Field(default=0.0, ge=0, le=3600)

    @property
    def times(self) -> tuple[time, ...]:
        """The times of the day, local."""
        return tuple(time.fromisoformat(at) for at in self.at)

    @model_validator(mode="after")
    def _each_time_once(self) -> "ShiftCheckConfig":
        if len(set(self.at)) < len(self.at):
            raise ValueError("at: a time is given twice; remove one")
        return self


class StationConfig(Strict):
    """The whole file."""

    station: StationName
    recipe: Text
    source: SourceConfig
    mqtt: MqttConfig | None = None
    results: ResultsConfig | None = None
    shift_check: ShiftCheckConfig | None = None
    commands: CommandsConfig | None = None
    recipes: dict[Name, Text] = Field(default_factory=dict, max_length=100)
    threads: int = Field(default=1, ge=1, le=64)

    @model_validator(mode="after")
    def _somebody_is_told(self) -> "StationConfig":
        if self.mqtt is None and self.results is None:
            raise ValueError("nobody would be told; add mqtt: or results:")
        return self

    @model_validator(mode="after")
    def _commands_have_what_they_need(self) -> "StationConfig":
        allow = self.commands.allow if self.commands else ()
        if self.commands and self.mqtt is None:
            raise ValueError("commands come over MQTT; add mqtt:")
        if "activate_recipe" in allow and not self.recipes:
            raise ValueError("commands.allow: activate_recipe needs names; add recipes: {name: path}")
        if "activate_recipe" in allow and self.shift_check:
            raise ValueError("commands.allow: activate_recipe would leave the recipe of shift_check; remove one of them")
        if isinstance(self.source, CameraConfig) and self.source.trigger == "command" and "trigger" not in allow:
            raise ValueError("source.trigger: the camera would wait for ever; add trigger to commands.allow")
        return self


Part = TypeVar("Part", bound=Strict)


def load_config(path: Path) -> StationConfig:
    """Read a station's YAML; relative paths in it are taken from the folder it stands in.

    Raises:
        BadConfig: with every wrong key and what is wrong with it.
    """
    config = load_yaml(path, StationConfig)
    base = path.resolve().parent

    def moved(part: Part, *keys: str) -> Part:
        # os.path.join keeps an absolute second part as it is.
        values = {k: os.path.join(base, v) for k in keys if (v := getattr(part, k)) not in (None, "-")}  # noqa: PTH118
        return part.model_copy(update=values)

    source = config.source if isinstance(config.source, CameraConfig) else moved(config.source, "path")
    return moved(config, "recipe").model_copy(
        update={
            "source": source,
            "mqtt": config.mqtt and moved(config.mqtt, "password_file"),
            "results": config.results and moved(config.results, "path"),
            "shift_check": config.shift_check and moved(config.shift_check, "samples"),
            "commands": config.commands and moved(config.commands, "public_key_file", "memory_file"),
            "recipes": {name: str(base / path) for name, path in config.recipes.items()},
        }
    )
