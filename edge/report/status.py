"""The status message: whether a station is there."""

from typing import Literal

from edge.report.wire import Message

State = Literal["online", "offline"]


class StatusMessage(Message):
    """Whether a station is there. Retained, so that whoever comes later is told at once; `offline` is its last will, too."""

    format: Literal["goodpart.status/1"] = "goodpart.status/1"
    state: State
    boot_id: str
    """As in the results of the program that says it."""
