"""How a station is, asked from outside: of its own endpoint on this computer, or of the broker."""

import http.client
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Literal

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import ConfigDict, ValidationError

from edge.app.delivery import make_broker
from edge.config import StationConfig
from edge.errors import BadConfig, BrokerLost
from edge.health.config import PrometheusConfig
from edge.health.message import Health
from edge.report.broker import Broker, explain
from edge.report.topics import topic
from edge.report.visit import TIMEOUT_S, visiting
from edge.report.wire import StationName
from edge.strict import MAX_JSON_BYTES, Record, Strict

State = Literal["online", "offline"]

_LEAVES = ("status", "health")
_RETAINED_S = 2.0
"""Brokers send what they retain right after they confirm the subscription."""

_LATE_AFTER = 3
"""Intervals without a message; one may fall into a short outage."""


class Status(Strict):
    """What the retained `status` says that matters here; it may say more."""

    model_config = ConfigDict(extra="ignore")

    state: State


@dataclass(frozen=True, slots=True)
class Heard:
    """What a station last said of itself. asked: whom; None where nothing was heard."""

    asked: str
    state: State | None
    health: Health | None


def ask_station(config: StationConfig) -> Heard:
    """Ask the endpoint if there is one on this computer, else the broker.

    Raises:
        BrokerLost, BadConfig: nobody can be asked, or what was heard is no message of this version.
    """
    near = config.prometheus and ask_endpoint(config.prometheus, config.station)
    if near:
        return near
    if config.mqtt:
        return ask_broker(make_broker(config.mqtt, config.station), config.station)
    if config.prometheus:
        return Heard(_address(config.prometheus), "offline", None)
    raise BadConfig("nobody can be asked how this station is; add mqtt: or prometheus:, and start it again.")


def ask_endpoint(config: PrometheusConfig, station: StationName) -> Heard | None:
    """Ask the station on this computer; None when it is not there, or somebody else is.

    Raises:
        BadConfig: it is another version of goodpart.
    """
    connection = http.client.HTTPConnection(config.near_host, config.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        raw = answer.read(MAX_JSON_BYTES)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK or answer.getheader("Content-Type") != "application/json":
        return None
    health = _read(raw, Health, f"http://{_address(config)}/health")
    return Heard(_address(config), "online", health) if health.station == station else None


def _address(config: PrometheusConfig) -> str:
    return f"{config.near_host}:{config.port}"


def ask_broker(broker: Broker, station: StationName) -> Heard:
    """What the broker retains of the station's status and health.

    Raises:
        BrokerLost, BadConfig: the broker cannot be asked, or what it retains is no message of this version.
    """
    names = [topic(broker.prefix, station, leaf) for leaf in _LEAVES]
    with visiting(broker, "status") as client:
        said = _retained(client, names)
    status, health = (said.get(name) for name in names)
    return Heard(
        f"{broker.host}:{broker.port}",
        _read(status, Status, f"topic {names[0]}").state if status else None,
        _read(health, Health, f"topic {names[1]}") if health else None,
    )


def _read(raw: bytes, record: type[Record], name: str) -> Record:
    try:
        return record.model_validate_json(raw)
    except ValidationError:
        raise BadConfig(
            f"{name}: is no message that this goodpart understands; ask with the version that runs on the device."
        ) from None


def _retained(client: paho.Client, names: Sequence[str]) -> dict[str, bytes]:
    confirmed: SimpleQueue[list[ReasonCode]] = SimpleQueue()
    messages: SimpleQueue[paho.MQTTMessage] = SimpleQueue()

    def on_subscribe(_client: object, _data: object, _mid: int, codes: list[ReasonCode], _props: object) -> None:
        confirmed.put(codes)

    client.on_subscribe = on_subscribe
    client.on_message = lambda _client, _data, message: messages.put(message)
    client.subscribe([(name, 1) for name in names])
    try:
        codes = confirmed.get(timeout=TIMEOUT_S)
    except Empty:
        raise BrokerLost("mqtt: the broker does not confirm the subscription; is it overloaded?") from None
    for name, code in zip(names, codes, strict=True):
        if code.is_failure:
            raise BadConfig(f"mqtt: the broker does not let this user read {name}: {explain(code)}.")
    found: dict[str, bytes] = {}
    deadline_s = monotonic() + _RETAINED_S
    while len(found) < len(names) and (left_s := deadline_s - monotonic()) > 0:
        try:
            message = messages.get(timeout=left_s)
        except Empty:
            break
        found[message.topic] = bytes(message.payload)
    return found


def troubles(heard: Heard, now_utc: datetime) -> list[str]:
    """What is wrong, each in a few words; empty: the station is healthy."""
    health = heard.health
    found = ["the station is offline"] if heard.state == "offline" else []
    if health is None:
        return [*found, "no health is known; does the station run, and may this user read its topics?"]
    age_s = (now_utc - health.sent_utc).total_seconds()
    if heard.state is None:
        found.append("whether it is online is not known; may this user read its status?")
    if heard.state != "offline" and age_s > _LATE_AFTER * health.interval_s:
        found.append(f"its last health is {age_s:.0f} s old, and should come every {health.interval_s:g} s")
    if health.source and not health.source.up:
        why = f": {health.source.fault_detail}" if health.source.fault_detail else ""
        found.append(f"no pictures from its {health.source.kind} source for {health.source.for_s:.0f} s{why}")
    elif health.source and health.source.fault:
        found.append(f"no part is judged, {health.source.fault}: {health.source.fault_detail}")
    if health.broker and not health.broker.connected:
        found.append(f"no connection to the broker for {health.broker.for_s:.0f} s")
    found += [f"{books.lost} results are lost on their way to {books.to}" for books in health.delivery if books.lost]
    if not health.reconciles:
        found.append("its books of results do not add up")
    return found
