"""What asks for parts from outside, as a station file names it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from edge.capture.config import LiveConfig, SourceConfig
from edge.capture.gpio import edges
from edge.capture.http_trigger import listening
from edge.capture.triggers import Triggers
from edge.events import Events


def taking_triggers(
    config: SourceConfig, triggers: Triggers, paused: Callable[[], bool], events: Events
) -> AbstractContextManager[object]:
    """Take the triggers of an HTTP port or an input line while it is open; the others need nothing.

    Raises:
        BadConfig: on entering, the port or the line cannot be had.
    """
    match config:
        case LiveConfig(trigger="http", http=http) if http:
            return listening(http, triggers, paused)
        case LiveConfig(trigger="gpio", gpio=gpio) if gpio:
            return edges(gpio, triggers, paused, events)
        case _:
            return nullcontext()
