"""A recipe that judges alongside, as a station file asks for it."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from edge.errors import GoodpartError
from edge.events import EventCode, Events
from edge.loop import Sink
from edge.recipe.opener import Opener
from edge.recipe.recipe import Recipe
from edge.recipe.rehearsal import Patience
from edge.report.books import Linked
from edge.report.jsonl import JsonLines
from edge.report.wire import to_wire
from edge.shadow.config import ShadowConfig
from edge.shadow.message import ShadowReport
from edge.shadow.shadow import Shadow

log = logging.getLogger(__name__)

_PATIENCE = Patience(wall_s=90, cpu_s=90)
"""The line is not ready before: twice this, and its own recipe, must end within TimeoutStartSec= of the unit, 300 s."""


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

    challenger = _opened(Path(shadow.recipe), opener)
    if not isinstance(challenger, Recipe):
        events.say(EventCode.SHADOW_ENDED, f"shadow: the line goes on without a challenger: {challenger}")
        return None
    found = Shadow(challenger, shadow.every, tell, events)
    stack.callback(found.close)
    return found


def _opened(folder: Path, opener: Opener) -> Recipe | str:
    """The challenger, opened in a process of its own first, or why there is none: whatever it does, the line begins."""
    try:
        return replace(opener, threads=1).open_new(folder, _PATIENCE)
    except GoodpartError as err:
        return str(err)
    except Exception as err:
        log.exception("shadow: %s cannot be opened", folder)
        return f"{folder}: {type(err).__name__}; the journal says more."
