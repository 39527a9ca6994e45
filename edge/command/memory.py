"""What has been done already, so that a command that comes twice is done once."""

import os
import threading
from collections import OrderedDict
from datetime import datetime
from pathlib import Path
from typing import Literal

from edge.command.gatekeeper import Admitted
from edge.command.models import CHANGES_NOTHING, MUST_BE_SIGNED, Code, LineState
from edge.errors import BadConfig
from edge.host.files import may_be_there, put_in_place
from edge.report.wire import StationName
from edge.strict import Strict, Time, load_json

MOST_KEPT = 1000
"""Of each sort, those that must be signed and others."""


class Deed(Strict):
    """A command that was begun, and how it ended; code is null until it has. digest: sha256 of its signed form."""

    command_id: str
    digest: str
    issued_utc: Time
    boot_id: str
    code: Code | None = None
    detail: str = ""
    line: LineState | None = None


class Ledger(Strict):
    """The file of one station. forgotten_utc: when the newest was issued of those that made room for others."""

    format: Literal["goodpart.commands/1"] = "goodpart.commands/1"
    station: StationName
    forgotten_utc: Time | None = None
    deeds: tuple[Deed, ...] = ()


class Memory:
    """The last commands by their number: what must be signed also in a file, written through before it is done.

    A command as old as one of its sort that was forgotten counts as done: even a clock that is set back cannot bring it
    back. What changes nothing is not remembered.

    Raises:
        BadConfig: the file is there and cannot be read, is another station's, or cannot be written.
    """

    def __init__(self, path: Path | None, station: StationName, boot_id: str) -> None:
        self._path, self._station, self._boot_id = path, station, boot_id
        self._lock = threading.Lock()
        self._quick: OrderedDict[str, Deed] = OrderedDict()
        ledger = read_ledger(path, station) if path else Ledger(station=station)
        self._kept = OrderedDict((deed.command_id, deed) for deed in ledger.deeds)
        self._forgotten_utc = ledger.forgotten_utc
        self._quick_forgotten_utc: datetime | None = None

    def recall(self, command_id: str) -> Deed | None:
        """What is known of it."""
        with self._lock:
            return self._kept.get(command_id) or self._quick.get(command_id)

    def outlived(self, admitted: Admitted) -> bool:
        """Whether nobody can tell any more if a command has been done."""
        command = admitted.command
        if command.command in CHANGES_NOTHING:
            return False
        with self._lock:
            oldest = self._forgotten_utc if command.command in MUST_BE_SIGNED else self._quick_forgotten_utc
        return oldest is not None and command.issued_utc <= oldest

    def begin(self, admitted: Admitted) -> None:
        """Note it before it is done.

        Raises:
            OSError: the file cannot be written; the command must not be done.
        """
        command = admitted.command
        if command.command in CHANGES_NOTHING:
            return
        deed = Deed(
            command_id=command.command_id,
            digest=admitted.digest,
            issued_utc=command.issued_utc,
            boot_id=self._boot_id,
        )
        with self._lock:
            if command.command not in MUST_BE_SIGNED:
                self._quick[command.command_id] = deed
                self._quick_forgotten_utc = _make_room(self._quick, self._quick_forgotten_utc)
                return
            kept = OrderedDict(self._kept)
            kept[command.command_id] = deed
            forgotten = _make_room(kept, self._forgotten_utc)
            self._write(kept, forgotten)
            self._kept, self._forgotten_utc = kept, forgotten

    def end(self, command_id: str, code: Code, detail: str, line: LineState | None) -> None:
        """Note how it ended.

        Raises:
            OSError: the file cannot be written; it is remembered until the process ends, and as begun after that.
        """
        how = {"code": code, "detail": detail, "line": line}
        with self._lock:
            if deed := self._quick.get(command_id):
                self._quick[command_id] = deed.model_copy(update=how)
            elif deed := self._kept.get(command_id):
                self._kept[command_id] = deed.model_copy(update=how)
                self._write(self._kept, self._forgotten_utc)

    def forget(self, command_id: str) -> None:
        """Nothing was done after all: a command that need not be signed may come again under its number."""
        with self._lock:
            self._quick.pop(command_id, None)

    def _write(self, kept: OrderedDict[str, Deed], forgotten: Time | None) -> None:
        if self._path is None:
            raise FileNotFoundError("commands.memory_file is not given")
        ledger = Ledger(station=self._station, forgotten_utc=forgotten, deeds=tuple(kept.values()))
        put_in_place(self._path, ledger.model_dump_json().encode())


def _make_room(deeds: OrderedDict[str, Deed], forgotten_utc: datetime | None) -> datetime | None:
    """Forget the oldest beyond the limit; when the newest was issued of all that were forgotten."""
    if len(deeds) <= MOST_KEPT:
        return forgotten_utc
    _, deed = deeds.popitem(last=False)
    return max(forgotten_utc, deed.issued_utc) if forgotten_utc else deed.issued_utc


def read_ledger(path: Path, station: StationName) -> Ledger:
    """What the file says, nothing where it is not there yet; only looks.

    Raises:
        BadConfig: it cannot be read, is another station's, or its folder cannot be written.
    """
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise BadConfig(f"commands.memory_file: {path.parent} cannot be written; choose a folder that can.")
    ledger = load_json(path, Ledger, BadConfig) if may_be_there(path) else Ledger(station=station)
    if ledger.station != station:
        raise BadConfig(f"commands.memory_file: {path} belongs to another station; give each its own.")
    return ledger
