"""`goodpart run` in a process of its own that a test may watch, signal and kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from tests.brokers import PATIENCE_S, wait_until


class Device(AbstractContextManager["Device"]):
    """One running device; what is left of it at the end of the test is killed. more_env: beside this process's own."""

    def __init__(self, config: Path, more_env: Mapping[str, str] | None = None) -> None:
        self._err = config.with_suffix(".stderr")
        with self._err.open("wb") as err:
            command = [sys.executable, "-W", "error", "-m", "edge.cli", "run", str(config)]
            env = {**os.environ, **(more_env or {})}
            # A group of its own: Ctrl-C is for who runs the test.
            self._process = subprocess.Popen(command, stderr=err, env=env, process_group=0)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def err(self) -> str:
        return self._err.read_text()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def catches(self, number: signal.Signals) -> bool:
        """Whether the process has a handler of its own for this signal."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) >> (number - 1) & 1)

    def ended(self, patience_s: float = PATIENCE_S) -> int:
        """Its exit code, when it has come to its end; there must be no traceback."""
        code = self._process.wait(patience_s)
        assert "Traceback" not in self.err, self.err
        return code

    def wait_for_line(self, part: str) -> None:
        wait_until(lambda: part in self.err, f"{part!r} in {self.err}")

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
