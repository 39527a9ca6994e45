"""A host application's ear and voice: mosquitto_sub and mosquitto_pub, and Eclipse Tahu's schema, compiled, to read with."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from esio_spb_builder.core import sparkplug_b_pb2 as tahu

from edge.report.broker import Broker
from edge.report.sparkplug.counter import BirthCounter
from edge.report.sparkplug.node import SparkplugNode
from edge.report.sparkplug.session import NodeName, Session
from tests.brokers import HOST, PATIENCE_S, Mosquitto, wait_until

NAME = NodeName("Plant 1", "line-1", "camera-1")
ALL = "spBv1.0/#"


@dataclass(frozen=True)
class Heard:
    """One message as a host hears it."""

    topic: str
    qos: int
    retained: bool
    payload: Any  # tahu.Payload

    @property
    def verb(self) -> str:
        return self.topic.split("/")[2]

    def by_name(self) -> dict[str, Any]:
        """The values of a birth or a death."""
        return {m.name: value_of(m) for m in self.payload.metrics}

    def by_alias(self, birth: "Heard") -> dict[str, Any]:
        """The values of data, with the names of the birth before it."""
        names = {m.alias: m.name for m in birth.payload.metrics if m.HasField("alias")}
        return {names[m.alias]: value_of(m) for m in self.payload.metrics}

    @property
    def historical(self) -> bool:
        flags = {m.is_historical for m in self.payload.metrics}
        assert len(flags) == 1
        return flags.pop()


def value_of(metric: Any) -> Any:
    return None if metric.is_null else getattr(metric, metric.WhichOneof("value"))


class HostEar:
    """Everything an edge node says, in the order in which it comes."""

    def __init__(self, broker: Mosquitto) -> None:
        self.heard: list[Heard] = []
        self._ready = threading.Event()
        command = ["mosquitto_sub", "-h", HOST, "-p", str(broker.port), "-q", "1", "-t", ALL, "-d", "-F", "%t\t%q\t%r\t%x"]
        self._process = subprocess.Popen(["stdbuf", "-oL", *command], stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def verbs(self) -> list[str]:
        return [heard.verb for heard in list(self.heard)]

    def of(self, verb: str) -> list[Heard]:
        return [heard for heard in list(self.heard) if heard.verb == verb]

    def wait_for(self, verb: str, times: int = 1) -> list[Heard]:
        wait_until(lambda: len(self.of(verb)) >= times, f"{times} {verb}, heard {self.verbs()}")
        return self.of(verb)

    def __enter__(self) -> Self:
        wait_until(self._ready.is_set, "the subscription")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._reader.join()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("Subscribed"):
                self._ready.set()
            elif line.startswith("spBv1.0/") and not {"STATE", "NCMD"} & set(line.split("/")):
                topic, qos, retained, hexadecimal = line.rstrip("\n").split("\t")
                payload = tahu.Payload.FromString(bytes.fromhex(hexadecimal))
                self.heard.append(Heard(topic, int(qos), retained == "1", payload))


def say(broker: Mosquitto, topic: str, payload: bytes, *options: str) -> None:
    command = ["mosquitto_pub", "-h", HOST, "-p", str(broker.port), "-t", topic, "-s", *options]
    subprocess.run(command, input=payload, check=True)


def ask_rebirth(broker: Mosquitto) -> None:
    payload = tahu.Payload(timestamp=1)
    payload.metrics.add(name="Node Control/Rebirth", datatype=tahu.Boolean, boolean_value=True)
    say(broker, "spBv1.0/Plant 1/NCMD/line-1", payload.SerializeToString())


def host_says(broker: Mosquitto, payload: str) -> None:
    say(broker, "spBv1.0/STATE/scada", payload.encode(), "-r", "-q", "1")


@contextmanager
def speaking(
    folder: Path, port: int, *, host: str | None = None, close_s: float = PATIENCE_S, protocol: str = "5"
) -> Iterator[SparkplugNode]:
    broker = Broker(HOST, port, protocol, "goodpart", "camera-1-sparkplug", None, None, close_s=close_s)
    counter = BirthCounter(folder / "bdseq")
    node = SparkplugNode(broker, NAME, host, counter, Session(NAME, "0", "boot"))
    try:
        yield node
    finally:
        node.close()
