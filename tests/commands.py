"""The command line as its user meets it, in a process of its own."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line of an error; fails the test when there is a traceback or more than one."""
        assert self.code == 2, (self.code, self.out, self.err)
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        return lines[0]


def goodpart(*args: object, cwd: Path | None = None, timeout_s: float = 120, warnings: str = "error") -> Ended:
    """Run `goodpart` with these arguments to its end; warnings: what Python does with them."""
    command = [sys.executable, "-W", warnings, "-m", "edge.cli", *map(str, args)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout_s, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)
