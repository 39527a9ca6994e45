"""The journal of what operators said about rejected parts: lines of JSON that are only ever added."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime

from edge.errors import BadConfig
from edge.host.files import append_whole, open_kept, sync_folder
from edge.report.wire import Message, StationName, to_wire
from edge.types import Decision, Reason


class Ruling(StrEnum):
    """What a person says of a part that the line did not pass."""

    CONFIRMED = "confirmed"  # a real defect
    ACCEPTED = "accepted"  # good after all
    UNDONE = "undone"  # the last ruling was a mistake


class Entry(Message):
    """One line of the journal. The verdict that was sent stays as it is; this is what a person made of it."""

    format: Literal["goodpart.decision/1"] = "goodpart.decision/1"
    result_id: str
    """Of the result that it is about."""

    decision: Ruling
    who: str
    """As the operator called himself; may be empty."""

    address: str
    """The network address of the browser."""

    decided_utc: AwareDatetime
    """RFC 3339, UTC, by the clock of the device."""

    station: StationName
    boot_id: str
    """As in the result, and so is what follows."""

    part_id: str
    job_id: str | None
    verdict: Decision
    reason: Reason
    score: float | None
    threshold: float
    recipe_id: str


class Journal:
    """Appends; each line is on the disk when `add` returns.

    Raises:
        BadConfig: the file cannot be opened for appending.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._fd = open_kept(path, os.O_RDWR | os.O_APPEND, 0o640)
            self._end_torn_line()
            sync_folder(path.parent)
        except OSError as err:
            raise BadConfig(f"page.decisions: {path} cannot be written: {err.strerror}; choose another file.") from None

    def add(self, entry: Entry) -> None:
        """Write one line through to the disk.

        Raises:
            OSError: it is not there, or not for sure; the file is as long as before where that can be helped.
        """
        append_whole(self._fd, to_wire(entry) + b"\n", sync=True)

    def close(self) -> None:
        """Nothing waits. A ruling that comes later is refused, and not written into a file that has the number now."""
        os.close(self._fd)
        self._fd = -1

    def _end_torn_line(self) -> None:
        """What a power cut left half written stays, on a line of its own."""
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            os.write(self._fd, b"\n")
