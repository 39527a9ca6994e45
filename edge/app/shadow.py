"""A recipe that judges alongside, as a station file asks for it."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from edge.errors import GoodpartError
from edge.events import EventCode, Events
from edge.loop import Sink
from edge.recipe.opener import Opener
from edge.report.books import Linked
from edge.report.jsonl import JsonLines
from edge.report.wire import to_wire
from edge.shadow.config import ShadowConfig
from edge.shadow.message import ShadowReport
from edge.shadow.shadow import Shadow


def make_shadow(
    shadow: ShadowConfig, opener: Opener, sinks: Sequence[Sink], events: Events, stack: ExitStack
) -> Shadow | None:
    """The challenger, closed with `stack`; None, which the events tell, where it cannot be opened: the line goes on.

    Raises:
        BadConfig: `shadow.results` cannot be written.
    """
    linked = [sink for sink in sinks if isinstance(sink, Linked)]
    file = JsonLines(Path(shadow.results), "shadow.results") if shadow.results else None
    if file:
        stack.callback(file.close)

    def tell(report: ShadowReport) -> None:
        if file:
            file.write(report)
        if report.champion.verdict is not report.challenger.verdict:
            for sink in linked:
                sink.tell("shadow", to_wire(report), retain=False)

    try:
        challenger = replace(opener, threads=1).open(Path(shadow.recipe))
    except GoodpartError as err:
        events.say(EventCode.SHADOW_ENDED, f"shadow: the line goes on without a challenger: {err}")
        return None
    found = Shadow(challenger, shadow.every, tell, events)
    stack.callback(found.close)
    return found
