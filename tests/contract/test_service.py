"""`goodpart run` as systemd sees it: a real process, and the test holds the other end of its socket."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers import PATIENCE_S, wait_until
from tests.conftest import station_file, write_parts

PERIOD_S = 1.0
AWAY = {"host": "127.0.0.1", "port": 1, "close_s": 0}

HANGING_ENCODER = """
from edge.inspect.encoder import Encoder
encode, parts = Encoder.encode, [0]
def hang(self):
    parts[0] += 1
    return ctypes.CDLL(None).pause() if parts[0] > 4 else encode(self)
Encoder.encode = hang
"""

HANGING_COMMIT = """
from edge.report.outbox.lasting import LastingOutbox
put = LastingOutbox.put
def hang(self, entries, overflowed=0):
    return ctypes.CDLL(None).pause() if entries else put(self, entries, overflowed)
LastingOutbox.put = hang
"""

HANGING_EVIDENCE = """
from edge.evidence.ring import Ring
Ring.add = lambda *_: ctypes.CDLL(None).pause()
"""

HANGING_CAMERA = """
import cv2
class Camera:
    def __init__(self, *_): pass
    def isOpened(self): return True
    def set(self, *_): pass
    def read(self): return ctypes.CDLL(None).pause()
cv2.VideoCapture = Camera
"""


class Watched:
    """A running line whose systemd is the test."""

    def __init__(self, folder: Path, config: Path, first: str = "") -> None:
        # An abstract address, which systemd may use as well as a path; paths are what the machine of its own is told.
        name = f"goodpart-{os.getpid()}-{time.monotonic_ns()}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{name}")
        self._socket.settimeout(PATIENCE_S)
        self._err = folder / "stderr"
        environment = {**os.environ, "NOTIFY_SOCKET": f"@{name}", "WATCHDOG_USEC": str(round(PERIOD_S * 1e6))}
        lines = [
            "import ctypes, signal, sys",
            # Whoever runs the tests may have been started to outlive its terminal.
            "signal.signal(signal.SIGHUP, signal.SIG_DFL)",
            first,
            "from edge.cli import main",
            f"sys.argv[1:] = ['run', {str(config)!r}]",
            "main()",
        ]
        with self._err.open("wb") as err:
            self.process = subprocess.Popen([sys.executable, "-c", "\n".join(lines)], env=environment, stderr=err)

    @property
    def err(self) -> str:
        return self._err.read_text()

    def told(self) -> dict[str, str]:
        """The next datagram."""
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().split("\n"))

    def until(self, key: str, part: str = "") -> str:
        """Wait until it tells `key` with that in its value."""
        deadline_s = time.monotonic() + PATIENCE_S
        while part not in (value := self.told().get(key, "\0")) or value == "\0":
            assert time.monotonic() < deadline_s, f"waited in vain for {key} {part}: {self.err}"
        return value

    def pings_within(self, seconds: float) -> int:
        deadline_s, pings = time.monotonic() + seconds, 0
        while (left_s := deadline_s - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            try:
                pings += "WATCHDOG" in self.told()
            except TimeoutError:
                break
        self._socket.settimeout(PATIENCE_S)
        return pings

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._socket.close()


@pytest.fixture
def watched() -> Iterator[list[Watched]]:
    lines: list[Watched] = []
    yield lines
    for line in lines:
        line.end()


def watch_of(folder: Path) -> dict[str, object]:
    return {"kind": "watch", "path": str(write_parts(folder / "incoming", range(300, 303))), "poll_s": 0.01}


def test_ready_comes_once_and_pings_go_on_while_broker_and_camera_are_away(
    watched: list[Watched], recipe_dir: Path, tmp_path: Path
) -> None:
    camera = {"kind": "camera", "device": "/dev/goodpart-no-camera", "interval_s": 0, "timeout_s": 0.2}
    watched.append(line := Watched(tmp_path, station_file(tmp_path, recipe_dir, camera, mqtt=AWAY)))
    assert line.told().keys() == {"READY", "STATUS"}, "nothing is told before all is good"
    assert "; waits for the broker" in line.until("STATUS", "source is lost")
    for _ in range(3):
        line.until("WATCHDOG")
    line.process.send_signal(signal.SIGTERM)
    line.until("STOPPING")
    assert line.process.wait(PATIENCE_S) == 4, "the lost camera was a result, and it waits"


def test_a_configuration_that_is_refused_is_never_ready(watched: list[Watched], tmp_path: Path) -> None:
    source: dict[str, object] = {"kind": "folder", "path": "nowhere"}
    watched.append(line := Watched(tmp_path, station_file(tmp_path, tmp_path, source, mqtt=AWAY)))
    assert line.process.wait(PATIENCE_S) == 2
    assert line.pings_within(0.1) == 0
    assert line.err.startswith("error: ")


@pytest.mark.parametrize(
    ("first", "name"), [(HANGING_ENCODER, "inference"), (HANGING_COMMIT, "outbox"), (HANGING_EVIDENCE, "evidence")]
)
def test_a_native_call_that_does_not_come_back_ends_the_pings_and_is_named(
    watched: list[Watched], recipe_dir: Path, tmp_path: Path, first: str, name: str
) -> None:
    evidence = {"path": "evidence", "keep": ["OK", "NOK", "NOT_DECIDABLE"]}
    config = station_file(tmp_path, recipe_dir, watch_of(tmp_path), mqtt=AWAY, evidence=evidence)
    watched.append(line := Watched(tmp_path, config, first))
    line.until("READY")
    # Who waits for a commit, as a watched folder does, may be named beside it.
    assert name in line.until("STATUS", "stuck").removeprefix("stuck: ").split(", ")
    wait_until(lambda: f"{name} has not moved for" in line.err, "the journal to say it")
    assert line.pings_within(PERIOD_S) == 0


def test_a_camera_that_hangs_in_read_is_lost_and_pings_go_on(
    watched: list[Watched], recipe_dir: Path, tmp_path: Path
) -> None:
    camera = {"kind": "camera", "device": 0, "interval_s": 0, "timeout_s": 0.2}
    watched.append(line := Watched(tmp_path, station_file(tmp_path, recipe_dir, camera, mqtt=AWAY), HANGING_CAMERA))
    line.until("STATUS", "source is lost")
    for _ in range(3):
        line.until("WATCHDOG")


def test_a_closed_terminal_ends_the_line_after_the_part_in_work(
    watched: list[Watched], recipe_dir: Path, tmp_path: Path
) -> None:
    watched.append(line := Watched(tmp_path, station_file(tmp_path, recipe_dir, watch_of(tmp_path), mqtt=AWAY)))
    line.until("STATUS", "3 OK")
    line.process.send_signal(signal.SIGHUP)
    line.until("STOPPING")
    assert line.process.wait(PATIENCE_S) == 4
    assert "3 waiting in the outbox" in line.err
