"""One collecting session: which part is next, what is stored, what is not and why. Knows neither camera nor keys."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2

from calibration.collect.hints import Glance, Hint, Odd, glance, hints, no_part
from calibration.collect.outlook import Outlook, outlook
from calibration.collect.sidecar import Sidecar, SourceName
from calibration.collect.store import Folder, digest_of
from edge.errors import BadConfig
from edge.report.wire import StationName
from edge.types import Frame, Reason, Shot, Unfit

DUPLICATE = "DUPLICATE"
"""Why a picture is not stored whose bytes are there already: a frozen camera, or the same file again."""

_NAME = re.compile(r"[A-Za-z0-9](?!.*__)[A-Za-z0-9._-]*")
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for.

    part: the one part that all pictures show; else parts are numbered, each `prefix` and four digits. pictures_per_part:
    after so many the next part begins by itself. count: after so many parts the session ends.
    """

    prefix: str = "part-"
    part: str | None = None
    pictures_per_part: int | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        for option, name in (("--part", self.part), ("--prefix", self.prefix)):
            if name is not None and not (_NAME.fullmatch(name) and len(name) <= _LONGEST):
                raise BadConfig(
                    f"{option}: {name!r} cannot name a part; begin with a letter or digit, then use letters, digits, '.', "
                    f"'-' and single '_', at most {_LONGEST} in all."
                )
        if self.part is not None:
            if self.part.endswith("_"):
                raise BadConfig(f"--part: {self.part} ends with '_', which parts a name from its number; leave it out.")
            if self.pictures_per_part is not None or self.count is not None:
                raise BadConfig("--part names one part for the whole session; leave out --pictures-per-part and --count.")


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture that was stored."""

    sidecar: Sidecar
    seen: Glance
    hints: tuple[Hint, ...]

    @property
    def name(self) -> str:
        """Its file."""
        return f"{self.sidecar.part}__{self.sidecar.picture}.png"


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A shot that was not stored. reason: a `Reason`, or DUPLICATE."""

    shot: str
    reason: str
    detail: str


@dataclass(slots=True)
class Session:
    """What has been taken, and what comes next.

    taken: pictures of this session that were not taken back. finished: there are as many parts as were asked for.
    """

    folder: Folder
    order: Order
    station: StationName
    source: SourceName
    version: str
    taken: list[Taken] = field(default_factory=list)
    not_taken: Counter[str] = field(default_factory=Counter)
    discarded: int = 0
    finished: bool = False
    part: str = ""

    def __post_init__(self) -> None:
        self.part = self.order.part or self._new_part()

    @property
    def pictures_of_part(self) -> int:
        """How many pictures the present part has."""
        return self.folder.parts[self.part]

    @property
    def parts(self) -> int:
        """How many parts this session has pictures of."""
        return len({each.sidecar.part for each in self.taken})

    @property
    def outlook(self) -> Outlook:
        """What all parts in the folder could promise."""
        return outlook(len(self.folder.parts))

    def hints_for(self, seen: Glance) -> tuple[Hint, ...]:
        """What is odd about a picture beside all those in the folder."""
        before = self.folder.sidecars
        last = self.taken[-1].seen if self.taken else None
        return hints(seen, [s.fitness for s in before], {(s.width, s.height) for s in before}, last)

    def hint_counts(self) -> Counter[Odd]:
        """How many of the pictures taken got each hint."""
        return Counter(hint.kind for each in self.taken for hint in each.hints)

    def take(self, shot: Shot) -> Taken | NotTaken:
        """Store a shot as the next picture of the present part, unless it shows none.

        Raises:
            BadConfig: the disk refuses.
        """
        match shot:
            case Unfit(reason=reason, detail=detail):
                return self._refuse(shot, reason, detail)
            case Frame(pixels=pixels):
                seen = glance(pixels)
                if fault := no_part(seen):
                    return self._refuse(shot, *fault)
                png = cv2.imencode(".png", pixels)[1].tobytes()
                if twin := self.folder.digests.get(digest_of(png)):
                    return self._refuse(shot, DUPLICATE, f"the very picture is there already as {twin}")
                return self._store(shot, seen, png)
            case _:
                raise TypeError(f"a source yielded {type(shot).__name__}")

    def next_part(self) -> str | None:
        """Go on to a new part; says why not when that makes no sense."""
        if self.order.part:
            return f"--part names one part, {self.part}; start again for another one"
        if not self.pictures_of_part:
            return f"{self.part} has no picture yet"
        if self.order.count is not None and self.parts >= self.order.count:
            self.finished = True
        else:
            self.part = self._new_part()
        return None

    def undo(self) -> Taken | None:
        """Take back the last picture of this session, whose part is then the present one again; None if there is none.

        Raises:
            BadConfig: it cannot be moved.
        """
        if not self.taken:
            return None
        self.folder.discard(self.taken[-1].sidecar)
        last = self.taken.pop()
        self.discarded += 1
        self.part = last.sidecar.part
        return last

    def _store(self, shot: Frame, seen: Glance, png: bytes) -> Taken:
        sidecar = Sidecar(
            part=self.part,
            picture=self.folder.used.get(self.part, 0) + 1,
            taken_utc=shot.taken_utc,
            station=self.station,
            source=self.source,
            shot=shot.part_id,
            width=seen.size[0],
            height=seen.size[1],
            fitness=seen.fitness,
            goodpart=self.version,
            sha256=digest_of(png),
        )
        taken = Taken(sidecar, seen, self.hints_for(seen))
        self.folder.put(sidecar, png)
        self.taken.append(taken)
        if self.order.pictures_per_part and self.pictures_of_part >= self.order.pictures_per_part:
            self.next_part()
        return taken

    def _refuse(self, shot: Shot, reason: Reason | str, detail: str) -> NotTaken:
        self.not_taken[str(reason)] += 1
        return NotTaken(shot.part_id, str(reason), detail)

    def _new_part(self) -> str:
        return f"{self.order.prefix}{max(self._numbers(), default=0) + 1:04d}"

    def _numbers(self) -> Iterator[int]:
        """Numbers of parts that were ever named like ours."""
        pattern = re.compile(re.escape(self.order.prefix) + r"(\d+)")
        for part in self.folder.used:
            if match := pattern.fullmatch(part):
                yield int(match[1])
