"""The one property of everything that reads: it answers, or refuses in one readable sentence; nothing else, and in time."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from edge.errors import GoodpartError

PATIENCE_S = 20
"""Decides nothing but when a reader is taken to hang; the slowest needs a hundredth of it."""

LONGEST_SENTENCE = 5000

Found = TypeVar("Found")


def answer_of(read: Callable[[], Found], name: str) -> Found | None:
    """What it read; None where it refused. name: the file or key that a refusal must name."""
    try:
        with _in_time():
            return read()
    except GoodpartError as err:
        words = str(err)
        assert words.isprintable(), f"cannot be shown in one line: {words!r}"
        assert name in words, f"does not name {name}: {words}"
        assert words.endswith((".", "?")), words
        assert len(words) < LONGEST_SENTENCE, f"{len(words)} characters"
        return None


@contextmanager
def _in_time() -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError(f"no answer within {PATIENCE_S} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(PATIENCE_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
