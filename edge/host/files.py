"""Files that must be there after the power went."""

import os
from pathlib import Path


def write_through(path: Path, raw: bytes) -> None:
    """Write a whole file and wait until the disk has it.

    Raises:
        OSError: the disk refuses.
    """
    with path.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
