"""A MES: hears every result and keeps of each what it takes to compare copies."""

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern
from typing import Any

from tests.brokers import Subscriber, wait_until

MARK = "goodpart/mark"
"""Beside the device's topics; what is published here is heard after everything the broker had taken before."""

_LATE, _PROMPT = '"historical":true', '"historical":false'


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which result: the number of a boot's."""

    boot_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Letter:
    """One result as it was written or arrived. digest: of its bytes, but for whether it says that it comes late.

    late: whether it says so. age_s: of one that arrived, how long before its part was taken, at least, without the time for
    which the way was blocked: what had left the device by then could not be marked any more.
    """

    key: Key
    digest: bytes
    late: bool = field(default=False, compare=False)
    age_s: float | None = field(default=None, compare=False)


class Way:
    """What the MES must know to tell how old a result is: when bytes on their way were held, and how clocks were stepped.

    All times are the computer's, in seconds since 1970. Any thread may ask or tell.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead_s = {0}
        self._held: list[tuple[float, float]] = []  # ended
        self._held_since: list[float] = []

    def step(self, ahead_s: int) -> None:
        """The device's clock is so far ahead of the computer's from now on."""
        with self._lock:
            self._ahead_s.add(ahead_s)

    def hold(self, now_s: float) -> None:
        """Bytes are held from now on; each `hold` has its `let_go`."""
        with self._lock:
            self._held_since.append(now_s)

    def let_go(self, now_s: float) -> None:
        """The latest `hold` is over."""
        with self._lock:
            self._held.append((self._held_since.pop(), now_s))

    def age_s(self, taken_utc: datetime, now_s: float) -> float:
        """The youngest that a result can be that comes now, by any clock its device has had; time held does not count."""
        with self._lock:
            ahead = tuple(self._ahead_s)
            held = [*self._held, *((since, now_s) for since in self._held_since)]
        taken_s = max((taken for ahead_s in ahead if (taken := taken_utc.timestamp() - ahead_s) <= now_s), default=now_s)
        return now_s - taken_s - sum(max(0.0, min(end, now_s) - max(begin, taken_s)) for begin, end in held)


def read_letter(payload: str, way: Way | None = None) -> Letter:
    """What is kept of a result message. way: by which it has come at this moment."""
    said = json.loads(payload)
    age_s = way.age_s(datetime.fromisoformat(said["taken_utc"]), time.time()) if way else None
    plain = payload.replace(_LATE, _PROMPT, 1)
    digest = hashlib.blake2b(plain.encode(), digest_size=16).digest()
    return Letter(Key(intern(said["boot_id"]), said["seq"]), digest, plain != payload, age_s)


class Mes(Subscriber):
    """Eclipse's client, not ours. Of results letters are kept, of health the whole, in the order of arrival."""

    def __init__(self, *args: Any, way: Way | None = None, **more: Any) -> None:  # the subscriber's own
        self._way = way or Way()
        self.letters: list[Letter] = []
        self.known: set[Key] = set()
        self.newest_s = float("-inf")
        """Monotonic, when the last result came that had not come before."""
        super().__init__(*args, **more)

    def hear(self, topic: str, payload: str) -> None:
        if topic.endswith("/result"):
            letter = read_letter(payload, self._way)
            if letter.key not in self.known:
                self.known.add(letter.key)
                self.newest_s = time.monotonic()
            self.letters.append(letter)
        else:
            super().hear(topic, payload)

    def wait_for_mark(self, mark: str) -> None:
        wait_until(lambda: (MARK, mark) in self.messages[-100:], f"the mark {mark} at the MES")
