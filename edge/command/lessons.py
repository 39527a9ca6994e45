"""Teaching by command: in a thread, one part at a time, while the line goes on."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from edge.errors import NotTaught
from edge.host.ending import abandon

log = logging.getLogger(__name__)

Ended = Callable[[bool, str], None]
"""How it ended: whether it was done, and a sentence."""


class Teaching(Protocol):
    """Who teaches parts and takes them back; each returns a sentence, or raises NotTaught with one."""

    def accept(self, part: str, who: str, reason: str) -> str:
        """Teach a part, named by its result's id or its picture."""

    def undo(self, who: str, reason: str, part: str | None = None) -> str:
        """Take it back, the last one where none is named."""


class Lessons:
    """teaching: None where nothing can be taught."""

    def __init__(self, teaching: Teaching | None) -> None:
        self._teaching = teaching
        self._thread: threading.Thread | None = None

    @property
    def possible(self) -> bool:
        """Whether there is anybody who teaches."""
        return self._teaching is not None

    @property
    def going_on(self) -> bool:
        """Whether a part is being taught."""
        return self._thread is not None and self._thread.is_alive()

    def give(self, lesson: Callable[[Teaching], str], ended: Ended) -> None:
        """Teach a part, or take one back."""
        assert self._teaching is not None  # noqa: S101 - asked before
        teaching = self._teaching
        self._thread = threading.Thread(target=lambda: ended(*_given(teaching, lesson)), name="teach-command", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Wait for a part that is being taught, but not for ever."""
        if self._thread:
            self._thread.join(timeout_s)
            abandon(self._thread)


def _given(teaching: Teaching, lesson: Callable[[Teaching], str]) -> tuple[bool, str]:
    try:
        return True, lesson(teaching)
    except NotTaught as err:
        return False, str(err)
    except Exception as err:
        # The sender hears of it, and the next command is heard.
        log.exception("a lesson failed")
        return False, f"{type(err).__name__}; the journal says more"
