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


def replace_through(path: Path, raw: bytes) -> None:
    """Put a whole file in the place of another: after a power cut there is the old one or the new one.

    Raises:
        OSError: the disk refuses; the old file is as it was.
    """
    draft = path.with_name(f".{path.name}.new")
    write_through(draft, raw)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
