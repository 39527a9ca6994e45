"""What may be taught: the last rejected parts by their result, kept in memory and looked up in the file of results."""

import logging
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from edge.report.message import Result
from edge.teach.guard import Rabbits
from edge.teach.lesson import is_reject
from edge.types import Decision

log = logging.getLogger(__name__)

_MOST_KEPT = 1000
_TAIL_BYTES = 64 * 2**20
"""Of a file of results, which grows for ever: about 40,000 of the newest."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A rejected part that somebody names. picture: in the evidence folder; result: None where only the picture is named."""

    picture: str
    sha256: str | None
    result: Result | None


class Rejects:
    """A sink that remembers which parts were not OK, and the red rabbits' pictures of every shift check.

    results: the file of results, where parts of before the start are found; None: there is none. pictures: the evidence
    folder, where a picture may be named of which nobody has the result; None: it may not.
    """

    waiting = lost = 0

    def __init__(self, rabbits: Rabbits, results: Path | None, pictures: Path | None = None) -> None:
        self._rabbits, self._file, self._pictures = rabbits, results, pictures
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Result] = OrderedDict()

    def put(self, result: Result) -> None:
        """Remember it if it may be asked for."""
        if result.evidence is None:
            return
        if result.purpose == "red_rabbit" and result.sample and result.verdict is Decision.NOK:
            self._rabbits.keep(result.sample, result.evidence.path)
        elif result.purpose is None and is_reject(result.reason):
            with self._lock:
                self._kept[result.result_id] = result
                if len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)

    def close(self) -> None:
        """Nothing waits here."""

    def find(self, key: str) -> Reject | None:
        """The part with this result id, or this name of its picture."""
        with self._lock:
            kept = tuple(self._kept.values())
        found = next((r for r in reversed(kept) if _is_called(r, key)), None) or self._find_in_file(key)
        if found is None or found.evidence is None:
            is_there = self._pictures is not None and (self._pictures / key).is_file()
            return Reject(key, None, None) if is_there else None
        return Reject(found.evidence.path, found.evidence.sha256, found)

    def _find_in_file(self, key: str) -> Result | None:
        if self._file is None or not self._file.is_file():
            return None
        try:
            with self._file.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
                lines = [line for line in file if key.encode() in line]
        except OSError as err:
            log.warning(
                "results.path: %s cannot be read: %s; parts of before the start are not found", self._file, err.strerror
            )
            return None
        for line in reversed(lines):
            try:
                result = Result.model_validate_json(line)
            except ValidationError:  # torn, or of another version
                continue
            if _is_called(result, key):
                return result
        return None


def _is_called(result: Result, key: str) -> bool:
    return result.result_id == key or (result.evidence is not None and result.evidence.path == key)
