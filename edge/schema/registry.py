"""Every kind of message there is: the one list from which schemas and the AsyncAPI document are generated."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from edge.command.models import COMMAND, Response
from edge.health.message import Health
from edge.report.event import Event
from edge.report.message import Result
from edge.report.status import StatusMessage
from edge.shadow.message import ShadowReport


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message.

    leaf: the last level of its topic, and its name. model: what it is made of, one model or a union of several. direction:
    seen from the device. retain: whether the broker keeps the last one for whoever comes later. answer: leaf of the
    message that comes back, for one that is received.
    """

    leaf: str
    model: TypeAdapter[Any]
    direction: Literal["send", "receive"] = "send"
    retain: bool = False
    answer: str | None = None


KINDS: tuple[Kind, ...] = (
    Kind("result", TypeAdapter(Result)),
    Kind("event", TypeAdapter(Event)),
    Kind("shadow", TypeAdapter(ShadowReport)),
    Kind("status", TypeAdapter(StatusMessage), retain=True),
    Kind("command", COMMAND, direction="receive", answer="response"),
    Kind("response", TypeAdapter(Response)),
    Kind("health", TypeAdapter(Health), retain=True),
)
