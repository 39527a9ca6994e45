"""What an edge node says and how it counts: topics, births, data, deaths; no I/O."""

from dataclasses import dataclass

from edge.report.sparkplug.payload import Kind, Metric, encode
from edge.report.sparkplug.reading import NOTHING_YET, Reading, metrics

NAMESPACE = "spBv1.0"
REBIRTH = "Node Control/Rebirth"
COUNT_TO = 256
"""seq and bdSeq go from 0 to 255 and begin again."""


@dataclass(frozen=True, slots=True)
class NodeName:
    """Group, edge node and device: the levels of a Sparkplug topic that are ours to choose."""

    group: str
    edge_node: str
    device: str

    def node_topic(self, verb: str) -> str:
        """NBIRTH, NDEATH, NCMD."""
        return f"{NAMESPACE}/{self.group}/{verb}/{self.edge_node}"

    def device_topic(self, verb: str) -> str:
        """DBIRTH, DDATA, DDEATH."""
        return f"{self.node_topic(verb)}/{self.device}"


def state_topic(host: str) -> str:
    """Where a host application says whether it is online."""
    return f"{NAMESPACE}/STATE/{host}"


@dataclass(frozen=True, slots=True)
class Said:
    """One message, ready to be sent."""

    topic: str
    payload: bytes


def node_death(name: NodeName, bd_seq: int, now_ms: int) -> Said:
    """The will of a connection; its bdSeq is that of the birth it ends. The only message without a seq."""
    payload = encode((_bd_seq(bd_seq, now_ms),), sent_ms=now_ms, seq=None, birth=True)
    return Said(name.node_topic("NDEATH"), payload)


class Session:
    """The messages from one node birth on, numbered without a gap."""

    def __init__(self, name: NodeName, version: str, boot_id: str) -> None:
        self._name, self._version, self._boot_id = name, version, boot_id
        self._seq = 0
        self.device_alive = False

    def births(self, bd_seq: int, latest: Reading | None, now_ms: int) -> list[Said]:
        """NBIRTH, which begins the count at 0, and DBIRTH, with the latest reading as current values.

        A device whose camera was lost in the latest reading is not born yet.
        """
        self._seq = 0
        payload = encode(
            (
                _bd_seq(bd_seq, now_ms),
                # Without an alias, and by name alone: operational-behavior-data-commands-rebirth-name.
                Metric(REBIRTH, Kind.BOOLEAN, value=False, at_ms=now_ms),
                Metric("Properties/Software", Kind.STRING, f"goodpart {self._version}", now_ms),
                Metric("Properties/Boot ID", Kind.STRING, self._boot_id, now_ms),
            ),
            sent_ms=now_ms,
            seq=self._next_seq(),
            birth=True,
        )
        self.device_alive = False
        said = [Said(self._name.node_topic("NBIRTH"), payload)]
        return said if latest and latest.camera_lost else [*said, self.device_birth(latest, now_ms)]

    def device_birth(self, latest: Reading | None, now_ms: int) -> Said:
        """DBIRTH. latest: None while no part was seen."""
        self.device_alive = True
        current = metrics(latest or Reading(now_ms, NOTHING_YET, camera_lost=False))
        payload = encode(current, sent_ms=now_ms, seq=self._next_seq(), birth=True)
        return Said(self._name.device_topic("DBIRTH"), payload)

    def data(self, reading: Reading, *, historical: bool, now_ms: int) -> Said:
        """DDATA: all of one result. historical: it is late, and the current values are others."""
        payload = encode(metrics(reading, historical=historical), sent_ms=now_ms, seq=self._next_seq(), birth=False)
        return Said(self._name.device_topic("DDATA"), payload)

    def device_death(self, now_ms: int) -> Said:
        """DDEATH: the camera is lost, or the run ends."""
        self.device_alive = False
        payload = encode((), sent_ms=now_ms, seq=self._next_seq(), birth=False)
        return Said(self._name.device_topic("DDEATH"), payload)

    def _next_seq(self) -> int:
        seq = self._seq
        self._seq = (seq + 1) % COUNT_TO
        return seq


def _bd_seq(bd_seq: int, now_ms: int) -> Metric:
    return Metric("bdSeq", Kind.INT64, bd_seq, now_ms)
