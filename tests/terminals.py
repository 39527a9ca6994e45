"""A command on a terminal of its own, with somebody at the keys."""

import os
import pty
import subprocess
import sys
import termios
import threading
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType

from tests.brokers import PATIENCE_S, wait_until


class AtTerminal(AbstractContextManager["AtTerminal"]):
    """`goodpart` with keys and screen on a pseudo-terminal and standard output in a pipe.

    screen: everything written to the terminal so far.
    """

    def __init__(self, *args: object, cwd: Path) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (40, 200))
        self._slave, self._calm = slave, termios.tcgetattr(slave)
        self._lock, self._heard = threading.Lock(), bytearray()
        # setsid makes it the controlling terminal, which turns Ctrl-C into a signal.
        command = ["setsid", "--ctty", sys.executable, "-W", "error", "-m", "edge.cli", *map(str, args)]
        environment = {**os.environ, "TERM": "xterm-256color"}
        self._process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=slave, stderr=slave, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def screen(self) -> str:
        with self._lock:
            return self._heard.decode(errors="replace")

    @property
    def is_calm(self) -> bool:
        """Whether the terminal is as it was before the command."""
        return termios.tcgetattr(self._slave) == self._calm

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.screen, f"{words} on the screen")

    def ended(self) -> tuple[int, str]:
        """Exit code and standard output."""
        out, _ = self._process.communicate(timeout=PATIENCE_S)
        return self._process.returncode, out

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
        os.close(self._slave)
        os.close(self._master)

    def _listen(self) -> None:
        with suppress(OSError):
            while raw := os.read(self._master, 4096):
                with self._lock:
                    self._heard += raw
