"""The station's configuration file: one camera, one recipe, and who is told."""

import os
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

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
    """A live camera: index, /dev path or URL."""

    kind: Literal["camera"]
    device: Annotated[int, Field(ge=0, le=255)] | Text
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


SparkplugId = Annotated[str, StringConstraints(pattern=r"^[^+/#\x00-\x1f\x7f]+$", max_length=64)]
"""One level of a Sparkplug topic: anything but a separator or a wildcard."""


class SparkplugConfig(Strict):
    """The results as a Sparkplug B device too, on the broker of `mqtt`.

    primary_host: nothing is said while this host application is not online. bdseq_file: where the number of births is kept;
    by default in the service's state folder, else beside the station file.
    """

    group: SparkplugId
    edge_node: SparkplugId
    device: SparkplugId
    primary_host: SparkplugId | None = None
    bdseq_file: Text | None = None


class HomeAssistantConfig(Strict):
    """Let Home Assistant find the station's topics, on the broker of `mqtt`. remove: make it forget the station instead."""

    prefix: Level = "homeassistant"
    remove: bool = False


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
    sparkplug: SparkplugConfig | None = None
    home_assistant: HomeAssistantConfig | None = None
    shift_check: ShiftCheckConfig | None = None
    threads: int = Field(default=1, ge=1, le=64)

    @model_validator(mode="after")
    def _somebody_is_told(self) -> "StationConfig":
        if self.mqtt is None and self.results is None:
            raise ValueError("nobody would be told; add mqtt: or results:")
        return self

    @model_validator(mode="after")
    def _bridges_need_a_broker(self) -> "StationConfig":
        for key in ("sparkplug", "home_assistant"):
            if getattr(self, key) is not None and self.mqtt is None:
                raise ValueError(f"{key} goes to the broker of mqtt, which is missing; add mqtt:")
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
            "sparkplug": config.sparkplug and moved(_with_bdseq_file(config.sparkplug), "bdseq_file"),
            "shift_check": config.shift_check and moved(config.shift_check, "samples"),
        }
    )


def _with_bdseq_file(config: SparkplugConfig) -> SparkplugConfig:
    if config.bdseq_file:
        return config
    # Group and edge node are unique in a plant, so stations that share a folder do not share the file.
    name = f"sparkplug-{config.group}-{config.edge_node}.bdseq"
    # Set by systemd for a unit with StateDirectory=, whose station file may stand where it cannot write.
    return config.model_copy(update={"bdseq_file": os.path.join(os.environ.get("STATE_DIRECTORY", ""), name)})  # noqa: PTH118
