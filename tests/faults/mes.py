"""A MES: hears every result and keeps of each what it takes to compare copies."""

import hashlib
import json
import time
from dataclasses import dataclass
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
    """One result as it was written or arrived. digest: of its bytes, but for whether it says that it comes late."""

    key: Key
    digest: bytes


def read_letter(payload: str) -> Letter:
    """What is kept of a result message."""
    said = json.loads(payload)
    plain = payload.replace(_LATE, _PROMPT, 1)
    return Letter(Key(intern(said["boot_id"]), said["seq"]), hashlib.blake2b(plain.encode(), digest_size=16).digest())


class Mes(Subscriber):
    """Eclipse's client, not ours. Of results letters are kept, of health the whole, in the order of arrival."""

    def __init__(self, *args: Any, **more: Any) -> None:  # the subscriber's own
        self.letters: list[Letter] = []
        self.known: set[Key] = set()
        self.newest_s = float("-inf")
        """Monotonic, when the last result came that had not come before."""
        super().__init__(*args, **more)

    def hear(self, topic: str, payload: str) -> None:
        if topic.endswith("/result"):
            letter = read_letter(payload)
            if letter.key not in self.known:
                self.known.add(letter.key)
                self.newest_s = time.monotonic()
            self.letters.append(letter)
        else:
            super().hear(topic, payload)

    def wait_for_mark(self, mark: str) -> None:
        wait_until(lambda: (MARK, mark) in self.messages[-100:], f"the mark {mark} at the MES")
