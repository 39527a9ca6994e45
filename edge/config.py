"""The station's configuration file: one camera, one recipe, and who is told."""

import os
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from edge.command.config import CommandsConfig
from edge.evidence.config import EvidenceConfig
from edge.health.config import HealthConfig, PrometheusConfig
from edge.recipe.manifest import Name
from edge.report.wire import Level, StationName
from edge.strict import Strict, Text, load_yaml

Credential = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$", max_length=255)]
"""The name of one of systemd's credentials: a file's name without a folder."""


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


class TlsConfig(Strict):
    """Files in PEM; without any, the broker is checked against the system's CAs."""

    ca_file: Text | None = None
    cert_file: Text | None = None
    key_file: Text | None = None

    @model_validator(mode="after")
    def _key_needs_its_certificate(self) -> "TlsConfig":
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file is given without cert_file; add mqtt.tls.cert_file")
        return self


class OutboxConfig(Strict):
    """The file results wait in until the broker has accepted them; `path` is filled in by `load_config`."""

    path: Text | None = None
    quota_mb: int = Field(default=512, ge=4, le=1_000_000)


def _never_here(_password: object) -> None:
    raise ValueError("a password does not stand in this file; name the file it stands in with mqtt.password_file")


class MqttConfig(Strict):
    """The plant's broker. The password stands in a file of its own, never here."""

    host: Host
    port: int | None = Field(default=None, ge=1, le=65535)
    tls: TlsConfig | None = None
    protocol: Literal[5, "3.1.1"] = 5
    prefix: Level = "goodpart"
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    username: Text | None = None
    password: Annotated[None, BeforeValidator(_never_here)] = None
    password_file: Text | None = None
    password_credential: Credential | None = None
    outbox: OutboxConfig | Literal["none"] = OutboxConfig()
    close_s: float = Field(default=10.0, ge=0, le=600)

    @property
    def tcp_port(self) -> int:
        """The port to call; where none is given, the one registered for MQTT, or for MQTT over TLS."""
        return self.port or (8883 if self.tls else 1883)

    @model_validator(mode="after")
    def _one_password_and_a_name(self) -> "MqttConfig":
        given = [key for key in ("password_file", "password_credential") if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError("password_file and password_credential are both given; remove one")
        if given and self.username is None:
            raise ValueError(f"{given[0]} is given without username; add mqtt.username")
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


class _Station(Strict):
    """What stands in a station's file whatever it is read for. simulated: no real parts; each result says so."""

    station: StationName
    source: SourceConfig
    mqtt: MqttConfig | None = None
    results: ResultsConfig | None = None
    sparkplug: SparkplugConfig | None = None
    home_assistant: HomeAssistantConfig | None = None
    shift_check: ShiftCheckConfig | None = None
    health: HealthConfig = HealthConfig()
    prometheus: PrometheusConfig | None = None
    evidence: EvidenceConfig | None = None
    simulated: bool = False
    commands: CommandsConfig | None = None
    recipes: dict[Name, Text] = Field(default_factory=dict, max_length=100)
    threads: int = Field(default=1, ge=1, le=64)


class CaptureConfig(_Station):
    """The file as far as taking pictures needs it: before there is a recipe, and before anybody is told."""

    recipe: Text | None = None


class StationConfig(_Station):
    """The whole file, as judging needs it."""

    recipe: Text

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

    @model_validator(mode="after")
    def _bridges_need_a_broker(self) -> "StationConfig":
        for key in ("sparkplug", "home_assistant"):
            if getattr(self, key) is not None and self.mqtt is None:
                raise ValueError(f"{key} goes to the broker of mqtt, which is missing; add mqtt:")
        return self


Part = TypeVar("Part", bound=Strict)
Station = TypeVar("Station", CaptureConfig, StationConfig)


def load_config(path: Path) -> StationConfig:
    """Read a station's YAML; relative paths in it are taken from the folder it stands in.

    Raises:
        BadConfig: with every wrong key and what is wrong with it.
    """
    return _load(path, StationConfig)


def load_capture_config(path: Path) -> CaptureConfig:
    """The same file, read as strictly, when there may be no recipe yet and nobody to tell.

    Raises:
        BadConfig: as `load_config`, but for `recipe`, `mqtt` and `results` that are not there.
    """
    return _load(path, CaptureConfig)


def _load(path: Path, record: type[Station]) -> Station:
    config = load_yaml(path, record)
    base = path.resolve().parent

    def moved(part: Part, *keys: str) -> Part:
        # os.path.join keeps an absolute second part as it is.
        values = {k: os.path.join(base, v) for k in keys if (v := getattr(part, k)) not in (None, "-")}  # noqa: PTH118
        return part.model_copy(update=values)

    def placed(mqtt: MqttConfig) -> MqttConfig:
        tls = mqtt.tls and moved(mqtt.tls, "ca_file", "cert_file", "key_file")
        outbox = mqtt.outbox
        if isinstance(outbox, OutboxConfig):
            # Under systemd the folder for what a service keeps; several are divided by colons.
            kept = os.environ.get("STATE_DIRECTORY", "").split(":")[0] or str(base)
            usual = str(Path(kept) / f"{path.stem}.outbox")
            outbox = moved(outbox, "path") if outbox.path else outbox.model_copy(update={"path": usual})
        return mqtt.model_copy(update={"tls": tls, "outbox": outbox})

    source = config.source if isinstance(config.source, CameraConfig) else moved(config.source, "path")
    return moved(config, "recipe").model_copy(
        update={
            "source": source,
            "mqtt": config.mqtt and placed(moved(config.mqtt, "password_file")),
            "results": config.results and moved(config.results, "path"),
            "sparkplug": config.sparkplug and moved(_with_bdseq_file(config.sparkplug), "bdseq_file"),
            "shift_check": config.shift_check and moved(config.shift_check, "samples"),
            "evidence": config.evidence and moved(config.evidence, "path"),
            "commands": config.commands and moved(config.commands, "public_key_file", "memory_file"),
            "recipes": {name: str(base / path) for name, path in config.recipes.items()},
        }
    )


def _with_bdseq_file(config: SparkplugConfig) -> SparkplugConfig:
    if config.bdseq_file:
        return config
    # Group and edge node are unique in a plant, so stations that share a folder do not share the file.
    name = f"sparkplug-{config.group}-{config.edge_node}.bdseq"
    # Set by systemd for a unit with StateDirectory=, whose station file may stand where it cannot write.
    return config.model_copy(update={"bdseq_file": os.path.join(os.environ.get("STATE_DIRECTORY", ""), name)})  # noqa: PTH118
