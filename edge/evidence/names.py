"""What the files of evidence are called: sorted by name they are sorted by time, and no part id leads out of the folder."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.host.files import DRAFT

RAW, OVERLAY = ".png", "-overlay.jpg"
"""Ends of the names of a picture as it was judged, and of the one for people."""

_LONGEST_PART = 60
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FILE = re.compile(
    rf"(\d{{8}}T\d{{6}}\.\d{{6}}Z-\d{{9,}}-[A-Za-z0-9._-]{{0,{_LONGEST_PART}}})(?:{RAW}|{OVERLAY})(?:{DRAFT})?"
)


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """Of one part's files. day: their folder; stem: what both begin with."""

    day: str
    stem: str

    @property
    def raw(self) -> str:
        """Of the picture as it was judged, relative to the evidence folder."""
        return f"{self.day}/{self.stem}{RAW}"

    @property
    def overlay(self) -> str:
        """Of the picture for people, relative to the evidence folder."""
        return f"{self.day}/{self.stem}{OVERLAY}"


def name_of(taken_utc: datetime, seq: int, part_id: str) -> Name:
    """Time, number and what is safe of the part's id, such as 2026-11-24/20261124T065107.123456Z-000000017-cell0404."""
    taken_utc = taken_utc.astimezone(UTC)
    part = _FOREIGN.sub("_", part_id)[:_LONGEST_PART]
    return Name(f"{taken_utc:%Y-%m-%d}", f"{taken_utc:%Y%m%dT%H%M%S.%fZ}-{seq:09d}-{part}")


def is_day(folder: str) -> bool:
    """Whether a folder is called like one of ours."""
    return _DAY.fullmatch(folder) is not None


def stem_of(file: str) -> str | None:
    """What the names of a part's files begin with; None for a file that is not called like one of ours."""
    found = _FILE.fullmatch(file)
    return found[1] if found else None


def is_draft(file: str) -> bool:
    """Whether a power cut left this file half written."""
    return file.endswith(DRAFT)
