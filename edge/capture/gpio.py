"""An input line (GPIO) as trigger, through libgpiod 2: each edge is a part."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from edge.capture.trigger_config import GpioConfig
from edge.capture.triggers import Offered, Trigger, Triggers
from edge.errors import BadConfig
from edge.events import EventCode, Events, Trouble
from edge.host.clock import utc_now

log = logging.getLogger(__name__)

_POLL = timedelta(seconds=0.1)
_RETRY_S = 1.0
_GOODBYE_S = 1.0
_NS = 1e-9


class Edge(Protocol):
    """What is used of gpiod.EdgeEvent."""

    @property
    def timestamp_ns(self) -> int:
        """When the kernel saw it, by the monotonic clock, as `time.monotonic` counts."""


class LineRequest(Protocol):
    """What is used of gpiod.LineRequest."""

    def wait_edge_events(self, timeout: timedelta) -> bool:
        """Whether one came in time."""

    def read_edge_events(self) -> Sequence[Edge]:
        """Those that came."""

    def release(self) -> None:
        """Give the line back."""


@contextmanager
def edges(
    config: GpioConfig,
    triggers: Triggers,
    paused: Callable[[], bool],
    events: Events,
    request: Callable[[GpioConfig], LineRequest] | None = None,
) -> Iterator[None]:
    """Take the line's edges as triggers until the end. request: how the line is had, for tests.

    Raises:
        BadConfig: gpiod is not installed, or the line cannot be had.
    """
    ask = request or request_line
    try:
        line = ask(config)
    except OSError as err:
        raise BadConfig(_refused(config, err)) from None
    ended = threading.Event()
    reader = _Reader(config, ask, triggers, paused, events, ended)
    thread = threading.Thread(target=reader.run, args=(line,), name="gpio trigger", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_GOODBYE_S)


def request_line(config: GpioConfig) -> LineRequest:
    """Have the line from the kernel.

    Raises:
        BadConfig: gpiod is not installed.
        OSError, ValueError: the kernel, or the chip, does not have it.
    """
    try:
        import gpiod  # noqa: PLC0415 - an extra: not every station has an input line
        from gpiod.line import Bias, Clock, Direction  # noqa: PLC0415
        from gpiod.line import Edge as Kind  # noqa: PLC0415
    except ModuleNotFoundError:
        raise BadConfig("source.trigger: gpio needs gpiod: install 'goodpart[gpio]'.") from None
    settings = gpiod.LineSettings(
        direction=Direction.INPUT,
        edge_detection={"rising": Kind.RISING, "falling": Kind.FALLING}[config.edge],
        bias={
            "as_is": Bias.AS_IS,
            "pull_up": Bias.PULL_UP,
            "pull_down": Bias.PULL_DOWN,
            "disabled": Bias.DISABLED,
        }[config.bias],
        debounce_period=timedelta(milliseconds=config.debounce_ms),
        event_clock=Clock.MONOTONIC,
    )
    path = config.chip if "/" in config.chip else f"/dev/{config.chip}"
    try:
        found: LineRequest = gpiod.request_lines(path, consumer="goodpart", config={config.line: settings})
    except ValueError as err:
        raise BadConfig(f"source.gpio.line: {path} has no line {config.line}: {err}; `gpioinfo` lists them.") from None
    return found


class _Reader:
    """Reads a line for ever; asks for it again when it is lost, as when an adapter is unplugged."""

    def __init__(
        self,
        config: GpioConfig,
        ask: Callable[[GpioConfig], LineRequest],
        triggers: Triggers,
        paused: Callable[[], bool],
        events: Events,
        ended: threading.Event,
    ) -> None:
        self._config, self._ask, self._triggers, self._paused, self._ended = config, ask, triggers, paused, ended
        self._loss = Trouble(events, EventCode.TRIGGER_LOST, EventCode.TRIGGER_BACK)
        self._miss = Trouble(events, EventCode.TRIGGER_MISSED, EventCode.TRIGGER_SERVED)

    def run(self, line: LineRequest | None) -> None:
        """Until the end, or that of who serves its edges."""
        while not self._ended.is_set():
            try:
                line = line or self._ask(self._config)
                self._loss.end(f"input line {self._name} is back")
                self._read(line)
            except (OSError, BadConfig) as err:
                self._loss.begin(f"{_refused(self._config, err)} Asking again for ever.")
                _released(line)
                line = None
                self._ended.wait(_RETRY_S)
        _released(line)

    @property
    def _name(self) -> str:
        return f"{self._config.chip} {self._config.line}"

    def _read(self, line: LineRequest) -> None:
        while not self._ended.is_set():
            if line.wait_edge_events(_POLL):
                for edge in line.read_edge_events():
                    self._take(edge.timestamp_ns * _NS)

    def _take(self, mono_s: float) -> None:
        if self._paused():
            return
        now = utc_now()
        part_id = f"{now:%Y%m%dT%H%M%S.%f}"
        match self._triggers.offer(Trigger(part_id, None, mono_s, now)):
            case Offered.TAKEN:
                self._miss.end(f"input line {self._name}: parts are served again")
            case Offered.BUSY:
                self._miss.begin(
                    f"input line {self._name}: an edge came while the part before still waited to be served, so a part "
                    "passes without a verdict; lengthen the takt, or gpio.debounce_ms if the line bounces"
                )
            case Offered.ENDED:
                log.warning("input line %s: an edge came when the line had ended; its part has no verdict", self._name)
                self._ended.set()


def _released(line: LineRequest | None) -> None:
    if line:
        line.release()


def _refused(config: GpioConfig, err: Exception) -> str:
    words = (err.strerror or str(err)) if isinstance(err, OSError) else str(err)
    return f"source.gpio: line {config.line} of {config.chip} cannot be had: {words}; check chip, wiring and rights."
