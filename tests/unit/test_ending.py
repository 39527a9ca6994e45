"""A process ends with its own exit code though a camera never comes back from its driver."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from edge.capture.camera import NewestFrame
from edge.host import ending
from tests.brokers import wait_until
from tests.fake_cameras import HandedCamera

PROGRAM = """
import atexit, sys, threading
from edge.host.ending import abandon, end_if_abandoned

atexit.register(print, "the interpreter winds up")
blocks = threading.Event()
thread = threading.Thread(target=blocks.wait, daemon=True)
thread.start()
abandon(thread)
if "ends" in sys.argv:
    blocks.set()
    thread.join()
print("judged 17")
end_if_abandoned(4)
sys.exit(4)
"""


@pytest.mark.parametrize(("more", "said"), [([], "judged 17\n"), (["ends"], "judged 17\nthe interpreter winds up\n")])
def test_the_interpreter_does_not_wind_up_around_a_thread_in_native_code(more: list[str], said: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *more], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (4, said, "")


@pytest.fixture
def camera() -> Iterator[HandedCamera]:
    hung = HandedCamera()
    yield hung
    hung.hand(None)


def test_a_camera_that_hangs_is_left_behind(camera: HandedCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(ending, "_abandoned", [])  # other tests in this process have left threads behind, too
    monkeypatch.setattr(ending.os, "_exit", codes.append)
    stop = threading.Event()
    frames = NewestFrame(camera, stop)
    wait_until(lambda: camera.streams, "the reader to wait for the driver")
    ending.end_if_abandoned(1)
    assert codes == [], "somebody still waits for it"
    stop.set()
    frames.join()
    for code in (0, None, 4, "words"):
        ending.end_if_abandoned(code)
    assert codes == [0, 0, 4, 1]
