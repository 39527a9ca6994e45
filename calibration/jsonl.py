"""Files of JSON lines that a device has written, read strictly, line by line.

A line that a power cut left unfinished is no fault of its reader: at the end of a file and without an end of its own,
or with the next run's first line right behind it, it is counted and left out. Any other damage is an error.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from calibration.progress import Steps
from edge.errors import BadConfig
from edge.report.wire import Message

Kind = TypeVar("Kind", bound=Message)

_TELL_EVERY = 1000
_LONGEST_LINE = 1 << 20
"""Of a file that is none of ours; a message has a few kilobytes."""


class Lines(Generic[Kind]):
    """Messages of one kind, from any number of files. cut_off: unfinished lines until now."""

    def __init__(self, model: type[Kind]) -> None:
        self._model = model
        # Of every line; inside a text its quotation marks would be escaped.
        self._beginning = f'{{"format":"{model.model_fields["format"].default}"'.encode()
        self.cut_off = 0

    def read(self, path: Path, steps: Steps) -> Iterator[tuple[str, Kind]]:
        """Each message of a file, with its place in words.

        Raises:
            BadConfig: the file cannot be read, or a line is damaged.
        """
        try:
            told = steps.counter(path.stat().st_size, f"reading {path.name}")
            read, number = 0, 1
            with path.open("rb") as file:
                line = file.readline(_LONGEST_LINE)
                while line:
                    following = file.readline(_LONGEST_LINE)
                    where = f"{path}, line {number}"
                    if message := self._parsed(line, where, torn=not line.endswith(b"\n")):
                        yield where, message
                    read += len(line)
                    if number % _TELL_EVERY == 0 or not following:
                        told(read)
                    line, number = following, number + 1
        except OSError as err:
            raise BadConfig(f"{path}: cannot be read: {err.strerror}; give a file that `goodpart run` writes.") from None

    def _parsed(self, line: bytes, where: str, *, torn: bool) -> Kind | None:
        try:
            return self._model.model_validate_json(line)
        except ValidationError as err:
            self.cut_off += 1
            behind = line.rfind(self._beginning)
            if behind > 0:
                return self._parsed(line[behind:], where, torn=torn)
            if torn:
                return None
            first = err.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "the line"
            raise BadConfig(
                f"{where}: damaged, or from another version of goodpart ({key}: {first['msg']}); remove it or the file."
            ) from None
