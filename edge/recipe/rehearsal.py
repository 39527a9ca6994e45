"""A new recipe is opened in a process of its own first, which may die of it."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadRecipe
from edge.recipe.child import REFUSED

_LONGEST_SENTENCE = 2000


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a recipe may take to open: seconds on the wall, and of the processor for each thread."""

    wall_s: int = 240
    cpu_s: int = 180


def rehearse(folder: Path, threads: int, patience: Patience | None = None) -> str:
    """Verify, open and reproduce golden pictures with limits on memory and time; returns the recipe's id.

    Raises:
        BadRecipe: the recipe was refused, or the process that opened it died, hung, or could not be started.
    """
    patience = patience or Patience()
    limits = (str(threads), str(threads * patience.cpu_s), str(patience.wall_s))
    command = [sys.executable, "-P", "-m", "edge.recipe.child", str(folder), *limits]
    # -P keeps the working directory out of its path; it finds this program where this process has found it.
    # One thread of the matrix library, as in the line: the buffers of the others would count as memory it takes.
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "OPENBLAS_NUM_THREADS": "1",
    }
    try:
        # Its standard error is the journal's: what native code says before it dies.
        done = subprocess.run(  # noqa: S603 - this program itself, with a path and numbers
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment, timeout=patience.wall_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise BadRecipe(
            f"{folder}: could not be opened within {patience.wall_s} s in a process of its own; build it again."
        ) from None
    except OSError as err:
        raise BadRecipe(
            f"{folder}: the process that opens it first cannot be started: {err.strerror}; try again later."
        ) from None
    said = done.stdout[:_LONGEST_SENTENCE].decode(errors="replace").strip()
    if done.returncode == 0 and said:
        return said
    if done.returncode == REFUSED and said:
        raise BadRecipe(said)
    raise BadRecipe(
        f"{folder}: the process that opened it first ended with {_ending(done.returncode)}; do not use it, build it again."
    )


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
