"""Pulses, and what systemd is told because of them."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.events import EventCode, Events, Happening
from edge.health.watchdog import Watchdog
from edge.host.notify import Notifier, make_notifier, watchdog_s
from edge.host.pulse import Pulse, PulsingStop, place_of


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        yield heard


def heard(systemd: socket.socket) -> list[str]:
    said: list[str] = []
    while True:
        try:
            said.append(systemd.recv(4096).decode())
        except BlockingIOError:
            return said


def test_a_thread_is_stuck_when_its_last_beat_is_old_and_never_while_it_rests(clock: Clock) -> None:
    pulse = Pulse(clock)
    clock.now_s = 100
    assert pulse.stuck(1) is None
    pulse.beat("inference")
    clock.now_s = 101.5
    stuck = pulse.stuck(1)
    assert stuck
    assert (stuck.doing, stuck.mono_s) == ("inference", 100)
    pulse.rest()
    assert pulse.stuck(1) is None


def test_what_may_take_long_is_not_stuck_before_and_only_as_long_as_it_lasts(clock: Clock) -> None:
    pulse = Pulse(clock)
    pulse.beat("changeover", 600)
    clock.now_s = 599
    assert pulse.stuck(15) is None
    clock.now_s = 601
    assert pulse.stuck(15)
    pulse.beat("inference")
    clock.now_s = 617
    assert pulse.stuck(15)


def test_asking_whether_to_stop_is_a_beat_of_the_asking_thread_alone(clock: Clock) -> None:
    pulse, stop = Pulse(clock), threading.Event()
    asked = PulsingStop(stop, pulse)
    pulse.beat("camera loop")
    clock.now_s = 10
    helper = threading.Thread(target=asked.is_set)
    helper.start()
    helper.join()
    assert pulse.stuck(5), "a camera's reader does not vouch for the line"
    assert not asked.is_set()
    assert pulse.stuck(5) is None
    assert not asked.wait(0.001)
    stop.set()
    assert asked.wait()


def test_the_place_of_a_thread_is_the_innermost_line_of_ours() -> None:
    asked = PulsingStop(threading.Event(), Pulse())
    thread = threading.Thread(target=asked.wait, daemon=True)
    thread.start()
    assert "edge/host/pulse.py:" in place_of(thread.ident or 0)
    asked.set()
    thread.join()
    assert place_of(thread.ident or 0) == ""


def test_pings_come_at_half_the_period_and_only_while_every_thread_goes_on(
    clock: Clock, systemd: socket.socket, tmp_path: Path
) -> None:
    line, outbox, events = Pulse(clock), Pulse(clock), Events()
    said: list[Happening] = []
    events.listen(said.append)
    dog = Watchdog([line, outbox], lambda: "judging", Notifier(str(tmp_path / "notify")), 8, events, clock)
    dog.ready()
    pinged = []
    for clock.now_s in range(20):
        if clock.now_s < 10 or clock.now_s > 16:
            line.beat("inference")
        outbox.beat("outbox")
        dog.look()
        pinged += [clock.now_s for state in heard(systemd) if "WATCHDOG=1" in state]
    # Its last beat is at 9, and is fresh for half the period; the ping of 12 is the last one.
    assert pinged == [0, 4, 8, 12, 17]
    assert [(one.code, one.detail.split(" (")[0]) for one in said] == [
        (EventCode.STUCK, "stuck: inference has not moved for 5 s"),
        (EventCode.MOVES_AGAIN, "the line moves again"),
    ]


def test_systemd_hears_what_the_line_does_when_it_changes(clock: Clock, systemd: socket.socket, tmp_path: Path) -> None:
    words = ["judging"]
    pulse = Pulse(clock)
    dog = Watchdog([pulse], lambda: words[0], Notifier(str(tmp_path / "notify")), None, Events(), clock)
    dog.ready()
    dog.look()
    words[0] = "paused"
    dog.look()
    pulse.beat("outbox")
    clock.now_s = 60
    dog.look()
    dog.stopping()
    assert heard(systemd) == [
        "READY=1\nSTATUS=judging",
        "STATUS=paused",
        "STATUS=stuck: outbox",
        "STOPPING=1\nSTATUS=ends: brings out the results that wait",
    ]


def test_nobody_is_told_where_systemd_does_not_listen(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    assert not make_notifier({}).heard
    make_notifier({}).tell("READY=1")
    assert caplog.messages == []
    gone = make_notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    gone.tell("READY=1")
    gone.tell("WATCHDOG=1")
    assert len(caplog.messages) == 1
    assert "NotifyAccess=" in caplog.messages[0]


@pytest.mark.parametrize(
    ("environ", "period_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_period_is_the_units_and_only_for_the_process_that_is_watched(
    environ: dict[str, str], period_s: float | None
) -> None:
    assert watchdog_s(environ) == period_s
