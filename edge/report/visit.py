"""A short visit at the broker, to try it or to ask it something."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import BadConfig, BrokerLost
from edge.report.broker import Broker, explain, explain_error, make_client

TIMEOUT_S = 5.0


@contextmanager
def visiting(broker: Broker, purpose: str) -> Iterator[paho.Client]:
    """Connect once, under the client id `{client_id}-{purpose}`, so that a running device keeps its connection.

    Raises:
        BrokerLost: nobody answers, or no broker does.
        BadConfig: the broker refuses the connection.
    """
    answered = threading.Event()
    codes: list[ReasonCode] = []
    client = make_client(replace(broker, client_id=f"{broker.client_id}-{purpose}"))
    client.connect_timeout = TIMEOUT_S

    def on_connect(_client: object, _data: object, _flags: object, code: ReasonCode, _props: object) -> None:
        codes.append(code)
        answered.set()

    client.on_connect = on_connect
    # What is no broker often hangs up; there is nothing more to wait for then.
    client.on_disconnect = lambda *_: answered.set()
    address = f"{broker.host}:{broker.port}"
    try:
        client.connect(broker.host, broker.port)
    except ssl.SSLError as err:
        raise BadConfig(f"mqtt: {address}: {explain_error(err, broker)}.") from None
    except OSError as err:
        raise BrokerLost(f"mqtt: {address} {explain_error(err, broker)}; correct mqtt.host and mqtt.port.") from None
    try:
        client.loop_start()
        answered.wait(TIMEOUT_S)
        if not codes:
            wants = ", and give mqtt.tls.cert_file if it wants one" if broker.tls else ""
            raise BrokerLost(f"mqtt: {address} does not answer as an MQTT broker; correct mqtt.host and mqtt.port{wants}.")
        if codes[0].is_failure:
            raise BadConfig(f"mqtt: {address} refuses the connection: {explain(codes[0])}.")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()
