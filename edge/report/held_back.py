"""What is told on topics at which a broker may have hung up: it waits apart, so that no result depends on it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from edge.report.hangups import GUILTY
from edge.report.notices import Notice, Notices

_FIRST_S, _LONGEST_S = 10.0, 3600.0


@dataclass(slots=True)
class _Topic:
    """until_s: when it is tried next. ends: how many connections ended while one of its messages was tried."""

    until_s: float
    pause_s: float
    ends: int = 0
    waiting: Notices = field(default_factory=Notices)


class HeldBack:
    """Of these topics one message at a time is tried, with nothing else on its way, after pauses that double to an hour.

    One that was answered frees its topic: something else made the broker hang up.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._tried: str | None = None

    def __contains__(self, topic: object) -> bool:
        return topic in self._topics

    def hold(self, topic: str) -> None:
        """What is told on this topic waits apart from now on."""
        self._topics.setdefault(topic, _Topic(self._clock() + _FIRST_S, _FIRST_S))

    def put(self, notice: Notice) -> None:
        """Let it wait; its topic is held."""
        self._topics[notice.topic].waiting.put(notice)

    def take_back(self, notice: Notice) -> bool:
        """A connection left this unanswered; it waits again in front of what has come since, as in `Notices.put_back`.

        False: it is given up, since it was tried by itself, and not for the first time.
        """
        topic = self._topics[notice.topic]
        if self._tried == notice.topic:
            self._tried = None
            topic.ends += 1
            topic.pause_s = min(2 * topic.pause_s, _LONGEST_S)
            topic.until_s = self._clock() + topic.pause_s
            if topic.ends >= GUILTY:
                return False
        topic.waiting.put_back([notice])
        return True

    @property
    def trying(self) -> bool:
        """Whether a message is tried, or is to be as soon as nothing else is on its way."""
        return self._tried is not None or self._due() is not None

    def fetch(self) -> Notice | None:
        """The message to try now."""
        if self._tried is not None or (name := self._due()) is None:
            return None
        self._tried = name
        return self._topics[name].waiting.fetch(1)[0]

    def free(self, topic: str) -> list[Notice]:
        """The broker has answered a message of this topic, held or not; what has waited apart goes with all else again."""
        if self._tried == topic:
            self._tried = None
        held = self._topics.pop(topic, None)
        return held.waiting.fetch(len(held.waiting)) if held else []

    def _due(self) -> str | None:
        now_s = self._clock()
        return next((name for name, topic in self._topics.items() if topic.waiting and now_s >= topic.until_s), None)
