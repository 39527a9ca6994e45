"""How to reach a broker, and what its refusals mean in words with the mend."""

from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

_MENDS = {
    "Unsupported protocol version": "set mqtt.protocol to '3.1.1', or update the broker",
    "Bad user name or password": "correct mqtt.username and mqtt.password_file",
    "Not authorized": "correct mqtt.username and mqtt.password_file, or let this user in at the broker",
    "Client identifier not valid": "choose another mqtt.client_id",
    "Session taken over": "another program uses the same mqtt.client_id; give each its own",
}
"""By the names MQTT 5 gives its reason codes; paho translates those of 3.1.1 into them."""


@dataclass(frozen=True, slots=True)
class Broker:
    """How to reach the broker. password is the secret itself, already read from its file."""

    host: str
    port: int
    protocol: str  # "5" or "3.1.1"
    prefix: str
    client_id: str
    username: str | None
    password: str | None
    close_s: float  # how long closing may wait for the broker


def make_client(broker: Broker) -> paho.Client:
    """A paho client that speaks the broker's protocol and knows its password, not yet connected.

    The broker keeps no session for it: whatever is not accepted is in our memory, and we send it again.
    """
    protocol = paho.MQTTv5 if broker.protocol == "5" else paho.MQTTv311
    client = paho.Client(CallbackAPIVersion.VERSION2, broker.client_id, protocol=protocol)
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    return client


def explain(code: ReasonCode) -> str:
    """A broker's reason in its own words, with the mend where one is known."""
    mend = _MENDS.get(str(code))
    return f"{code}; {mend}" if mend else str(code)
