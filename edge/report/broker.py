"""How to reach a broker, and what its refusals mean in words with the mend."""

import ipaddress
import random
import ssl
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge.report.tls import NO_TLS, explain_tls

_LOGIN = "correct mqtt.username and mqtt.password_file or mqtt.password_credential"
_MENDS = {
    "Unsupported protocol version": "set mqtt.protocol to '3.1.1', or update the broker",
    "Bad user name or password": _LOGIN,
    "Not authorized": f"{_LOGIN}, or let this user in at the broker",
    "Client identifier not valid": "choose another mqtt.client_id",
    "Session taken over": "another program uses the same mqtt.client_id; give each its own",
    "Quota exceeded": "raise the broker's quota, or let its subscribers catch up",
}
"""By the names MQTT 5 gives its reason codes; paho translates those of 3.1.1 into them."""

PERMANENT = {0x83, 0x90, 0x99}
"""Refusals that no waiting mends: the broker's own reason, the topic's name, the payload's format (MQTT 5, 3.4.2.1)."""


@dataclass(frozen=True, slots=True)
class Broker:
    """How to reach the broker. password is the secret itself, already read from its file; tls: None is unencrypted."""

    host: str
    port: int
    protocol: str  # "5" or "3.1.1"
    prefix: str
    client_id: str
    username: str | None
    password: str | None
    close_s: float  # how long closing may wait for the broker
    tls: ssl.SSLContext | None = None

    @property
    def shows_password(self) -> bool:
        """Whether the password goes over the network for everybody to read."""
        return self.password is not None and self.tls is None and not _is_loopback(self.host)


def make_client(broker: Broker) -> paho.Client:
    """A paho client that speaks the broker's protocol and knows its password, not yet connected.

    The broker keeps no session for it: whatever is not accepted is in our outbox, and we send it again.
    """
    protocol = paho.MQTTv5 if broker.protocol == "5" else paho.MQTTv311
    client = paho.Client(CallbackAPIVersion.VERSION2, broker.client_id, protocol=protocol)
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    if broker.tls is not None:
        client.tls_set_context(broker.tls)
    return client


def chance_of(broker: Broker) -> random.Random:
    """Chance that each device draws for itself, by its client id.

    After a power cut a plant's devices start together; they must not call in step.
    """
    return random.Random(broker.client_id)  # noqa: S311 - nothing secret


def explain(code: ReasonCode) -> str:
    """A broker's reason in its own words, with the mend where one is known."""
    mend = _MENDS.get(str(code))
    return f"{code}; {mend}" if mend else str(code)


def explain_error(err: BaseException | None, broker: Broker) -> str:
    """Why a broker could not be reached."""
    if isinstance(err, ssl.SSLError):
        return explain_tls(err, broker.host)
    if isinstance(err, ConnectionResetError) and broker.tls:
        return NO_TLS
    if isinstance(err, OSError):
        return f"cannot be reached: {err.strerror or err}"
    return "cannot be reached"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
