"""The station file's parts about who is told."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from edge.report.wire import Level
from edge.strict import Place, Strict, Text

Credential = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$", max_length=255)]
"""The name of one of systemd's credentials: a file's name without a folder."""


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

    ca_file: Place | None = None
    cert_file: Place | None = None
    key_file: Place | None = None

    @model_validator(mode="after")
    def _key_needs_its_certificate(self) -> "TlsConfig":
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file is given without cert_file; add mqtt.tls.cert_file")
        return self


class OutboxConfig(Strict):
    """The file results wait in until the broker has accepted them; `load_config` fills in `path`."""

    path: Place | None = None
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
    password_file: Place | None = None
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
    bdseq_file: Place | None = None


class HomeAssistantConfig(Strict):
    """Let Home Assistant find the station's topics, on the broker of `mqtt`. remove: make it forget the station instead."""

    prefix: Level = "homeassistant"
    remove: bool = False


class ResultsConfig(Strict):
    """Results as JSON lines, appended; "-" is standard output."""

    path: Annotated[Literal["-"] | Place, Field(union_mode="left_to_right")]
