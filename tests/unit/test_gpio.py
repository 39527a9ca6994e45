"""Edges of an input line, as libgpiod hands them over; the kernel below is played."""

import inspect
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import gpiod
import pytest

from edge.capture.gpio import edges, request_line
from edge.capture.trigger_config import GpioConfig
from edge.capture.triggers import Triggers
from edge.errors import BadConfig
from edge.events import Events
from tests.brokers import wait_until

CONFIG = GpioConfig(chip="gpiochip0", line=17)


@dataclass(frozen=True)
class Edge:
    timestamp_ns: int


class Line:
    """A requested line; an exception that is handed in is raised when it is read."""

    def __init__(self) -> None:
        self.coming: queue.Queue[Edge | Exception] = queue.Queue()
        self.released = False
        self._next: Edge | Exception | None = None

    def wait_edge_events(self, timeout: timedelta) -> bool:
        try:
            self._next = self.coming.get(timeout=timeout.total_seconds())
        except queue.Empty:
            return False
        return True

    def read_edge_events(self) -> Sequence[Edge]:
        if isinstance(self._next, Exception):
            raise self._next
        assert self._next
        return [self._next]

    def release(self) -> None:
        self.released = True


class Kernel:
    """Gives lines out, or refuses."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.refuses: Exception | None = None

    def __call__(self, _config: GpioConfig) -> Line:
        if self.refuses:
            raise self.refuses
        self.lines.append(Line())
        return self.lines[-1]


@contextmanager
def reading(kernel: Kernel, triggers: Triggers, paused: Callable[[], bool] = lambda: False) -> Iterator[list[str]]:
    said: list[str] = []
    events = Events()
    events.listen(lambda happening: said.append(happening.code))
    with edges(CONFIG, triggers, paused, events, kernel):
        yield said


def waiting(triggers: Triggers) -> float | None:
    trigger = triggers.waiting(threading.Event())
    return trigger.mono_s if trigger else None


def test_an_edge_is_a_trigger_of_the_moment_at_which_the_kernel_saw_it() -> None:
    kernel, triggers = Kernel(), Triggers()
    with reading(kernel, triggers):
        kernel.lines[0].coming.put(Edge(12_500_000_000))
        wait_until(lambda: not triggers.free, "a trigger")
        assert waiting(triggers) == pytest.approx(12.5)
    assert kernel.lines[0].released


def test_a_part_that_passes_while_the_one_before_waits_is_said_once_and_counted() -> None:
    kernel, triggers = Kernel(), Triggers()
    with reading(kernel, triggers) as said:
        for second in (1, 2, 3):
            kernel.lines[0].coming.put(Edge(second * 10**9))
        wait_until(lambda: triggers.refused == 2, "two refusals")
        assert waiting(triggers) == 1.0
        triggers.taken()
        kernel.lines[0].coming.put(Edge(4 * 10**9))
        wait_until(lambda: len(said) == 2, "the end of the trouble")
    assert said == ["TRIGGER_MISSED", "TRIGGER_SERVED"]


def test_an_edge_of_after_the_line_s_end_is_said_to_have_no_verdict_and_ends_the_reading(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kernel, triggers = Kernel(), Triggers()
    with reading(kernel, triggers) as said:
        triggers.close()
        kernel.lines[0].coming.put(Edge(10**9))
        wait_until(lambda: kernel.lines[0].released, "the line to be given back")
    assert (triggers.refused, said) == (0, [])
    assert "input line gpiochip0 17: an edge came when the line had ended; its part has no verdict" in caplog.text


def test_while_the_line_is_paused_edges_are_let_pass() -> None:
    kernel, triggers = Kernel(), Triggers()
    with reading(kernel, triggers, lambda: True) as said:
        kernel.lines[0].coming.put(Edge(10**9))
        wait_until(kernel.lines[0].coming.empty, "the edge to be read")
    assert (triggers.free, triggers.refused, said) == (True, 0, [])


def test_a_line_that_goes_away_is_said_once_and_asked_for_until_it_is_back() -> None:
    kernel, triggers = Kernel(), Triggers()
    with reading(kernel, triggers) as said:
        kernel.refuses = OSError(19, "No such device")
        kernel.lines[0].coming.put(OSError(19, "No such device"))
        wait_until(lambda: said, "the loss")
        kernel.refuses = None
        wait_until(lambda: len(kernel.lines) == 2, "a second request")
        kernel.lines[1].coming.put(Edge(10**9))
        wait_until(lambda: not triggers.free, "a trigger")
    assert said == ["TRIGGER_LOST", "TRIGGER_BACK"]
    assert kernel.lines[0].released


def test_a_line_that_cannot_be_had_at_the_start_is_refused_with_the_mend() -> None:
    kernel = Kernel()
    kernel.refuses = OSError(16, "Device or resource busy")
    words = "line 17 of gpiochip0 cannot be had: Device or resource busy"
    with pytest.raises(BadConfig, match=words), reading(kernel, Triggers()):
        pass


def test_the_real_library_takes_what_is_asked_and_says_that_there_is_no_such_chip() -> None:
    config = GpioConfig(chip="goodpart-absent", line="PART", edge="falling", bias="pull_up", debounce_ms=3)
    with pytest.raises(OSError, match="No such file"):
        request_line(config)


def test_the_real_library_offers_what_is_used_of_it() -> None:
    request = gpiod.LineRequest
    assert list(inspect.signature(request.wait_edge_events).parameters) == ["self", "timeout"]
    assert "max_events" in inspect.signature(request.read_edge_events).parameters
    assert callable(request.release)
    assert "timestamp_ns" in gpiod.EdgeEvent.__annotations__
