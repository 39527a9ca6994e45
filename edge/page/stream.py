"""What the page is told, as Server-Sent Events: the newest only, built once for all who look.

Not a WebSocket: nothing is said in the other direction, browsers reconnect by themselves, and it is plain HTTP, so cookies,
Host and proxies are treated as everywhere else and no further package is needed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from edge.page.news import News
from edge.page.rulings import Rulings
from edge.page.shelf import Shelf
from edge.report.wire import Message, to_wire

TICK_S = 0.25
"""At most four times a second something is built and sent, however fast the line is."""

_HEALTH_S = 5.0


class Desk:
    """The newest of everything as bytes. Used by the page's thread alone; it does nothing while nobody looks."""

    def __init__(self, news: News, shelf: Shelf, rulings: Rulings) -> None:
        self._news, self._shelf, self._rulings = news, shelf, rulings
        self._told: dict[str, bytes] = {}
        self._built_s = self._checked_s = -float("inf")
        self._seen: tuple[object, ...] = ()
        self._checking: asyncio.Task[None] | None = None
        self.viewers = 0
        self._ended = False

    @contextmanager
    def viewer(self) -> Iterator[None]:
        """Somebody looks, for as long as the block runs."""
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    def end(self) -> None:
        """Every stream comes to its end soon. Any thread may call."""
        self._ended = True

    async def events(self) -> AsyncIterator[bytes]:
        """For one viewer, until the page ends. One who takes slowly misses what became old meanwhile."""
        sent: dict[str, bytes] = {}
        yield b"retry: 1000\n\n"
        while not self._ended:
            for name, payload in self._latest().items():
                if sent.get(name) is not payload:
                    sent[name] = payload
                    yield b"event: %b\ndata: %b\n\n" % (name.encode(), payload)
            await asyncio.sleep(TICK_S)

    def _latest(self) -> dict[str, bytes]:
        if (now_s := time.monotonic()) - self._built_s >= TICK_S:
            self._built_s = now_s
            self._build(now_s)
        # A copy, since other viewers' turns come between its items.
        return self._told.copy()

    def _build(self, now_s: float) -> None:
        self._tell("now", self._news.now())
        # The minute is in it for the time in which a ruling may be undone.
        newest = self._shelf.newest
        seen = (newest and newest.result.result_id, self._rulings.version, now_s // 60)
        if seen != self._seen:
            self._seen = seen
            self._tell("trend", self._news.trend())
            self._tell("gallery", self._news.gallery())
        if now_s - self._checked_s >= _HEALTH_S and self._checking is None:
            self._checked_s = now_s
            self._checking = asyncio.create_task(self._check())

    def _tell(self, name: str, message: Message) -> None:
        payload = to_wire(message)
        if self._told.get(name) != payload:
            self._told[name] = payload

    async def _check(self) -> None:
        # In a thread of its own: it may wait for the line, and for the disk.
        try:
            self._tell("health", await asyncio.to_thread(self._news.health))
        finally:
            self._checking = None
