"""What flows through the house, in the order in which it flows.

``Frame → (fit to judge?) → PatchGrid → AnomalyMap, Score → Verdict``

Arrays are never written to after they are put into one of these.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""H×W×3 uint8, channels blue-green-red, as OpenCV gives them."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

ScoreKind = Literal["top1", "max"]
"""How patch values become one number: the mean of the highest 1 % of them, or the highest."""


class Decision(StrEnum):
    """What the line is told (terms of OPC 40100-1, OPC UA for machine vision)."""

    OK = "OK"
    NOK = "NOK"
    NOT_DECIDABLE = "NOT_DECIDABLE"


class Origin(StrEnum):
    """Where the shots of a run come from, so that nobody takes a rehearsal for production."""

    LIVE = "live"  # a camera, or pictures that are handed over as they are taken
    REPLAY = "replay"  # pictures or a video of before
    SIMULATED = "simulated"  # no parts at all: a demo, or a trial of what listens


class Reason(StrEnum):
    """Why a verdict is what it is; a NOT_DECIDABLE says what a person must look at."""

    WITHIN_THRESHOLD = "WITHIN_THRESHOLD"
    ABOVE_THRESHOLD = "ABOVE_THRESHOLD"
    GRAY_ZONE = "GRAY_ZONE"  # between clearly good and clearly not: a person decides
    UNREADABLE = "UNREADABLE"  # no picture in the file: empty, truncated, another format
    WRONG_DEPTH = "WRONG_DEPTH"  # not 8 bits a channel
    WRONG_SIZE = "WRONG_SIZE"  # unlike the good parts of the recipe
    WRONG_COLOUR = "WRONG_COLOUR"  # grey where the goods have colour, or the other way round
    TOO_DARK = "TOO_DARK"
    TOO_BRIGHT = "TOO_BRIGHT"
    OVER_EXPOSED = "OVER_EXPOSED"  # more of it is pure white than of the goods
    NO_CONTRAST = "NO_CONTRAST"  # one flat tone: lens cap, dead sensor
    TOO_BLURRED = "TOO_BLURRED"  # out of focus, moving, or a dirty lens
    NOT_ALIGNED = "NOT_ALIGNED"  # the part is not where the recipe can find it
    CAMERA_LOST = "CAMERA_LOST"
    FROZEN = "FROZEN"  # the camera repeats its last frame byte by byte
    WRONG_SETTINGS = "WRONG_SETTINGS"  # the camera did not take exposure, gain, … of the station file
    LATE = "LATE"  # judged after the takt's deadline, or its trigger was taken when its picture was gone
    NOT_FINITE = "NOT_FINITE"  # the encoder or the search gave NaN or infinity
    NO_RECIPE = "NO_RECIPE"  # the part's job has no recipe, or it cannot be used
    SHIFT_CHECK_DUE = "SHIFT_CHECK_DUE"  # a sample is awaited, and this shot came while it was being laid down
    SHIFT_CHECK_FAILED = "SHIFT_CHECK_FAILED"  # samples came out wrong; the line is blocked


@dataclass(frozen=True, slots=True)
class Order:
    """What the plant asked for: the job a part belongs to, the `trigger` that wanted it judged, and what kind of part it is.

    command_id: None for a part that came without a trigger, after a `set_job`; part_type: None where the plant does not say.
    """

    job_id: str
    command_id: str | None
    part_type: str | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """One trigger: which part, when. Base of what a source yields.

    order: None where the plant did not ask for the part; asked_mono_s: when a trigger asked for it, None where none did;
    arrived_mono_s: when its file came at the earliest, a pause since then left out, None where that is not known or the
    picture was taken here; result_id: what its result is to be called, where somebody was told so before.
    """

    part_id: str  # file name, or a running number for live cameras
    seq: int  # equal seq = same exposure
    taken_mono_s: float  # ages and timeouts
    taken_utc: datetime  # for people; may step
    order: Order | None = field(default=None, kw_only=True)
    asked_mono_s: float | None = field(default=None, kw_only=True)
    arrived_mono_s: float | None = field(default=None, kw_only=True)
    result_id: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Frame(Shot):
    """A shot that gave a picture. pixels: H×W×3 uint8 BGR."""

    pixels: Pixels


@dataclass(frozen=True, slots=True)
class Unfit(Shot):
    """A shot that gave nothing to judge, and why in words."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """What the encoder sees.

    patches: (rows·cols)×d float32, row by row; embedding: D float32, the picture as a whole; to_picture: 3×3 float64, from
    places (the first one covers 0..1 × 0..1) to points of the picture (see `edge.inspect.geometry`).
    """

    patches: Floats
    rows: int
    cols: int
    embedding: Floats
    to_picture: Doubles = field(default_factory=lambda: np.eye(3))


@dataclass(frozen=True, slots=True)
class AnomalyMap:
    """z: rows×cols float32, how many standard deviations a place lies further from good than goods do there.

    nearest: rows×cols, the row of the bank each place was compared with. Places the exact walk did not visit hold an upper
    bound of their value and a near good patch instead of the nearest (see `edge.inspect.score`); those that are not watched
    hold the lowest value of the others. to_picture: as in `PatchGrid`.
    """

    z: Floats
    nearest: NDArray[np.intp]
    to_picture: Doubles = field(default_factory=lambda: np.eye(3))


@dataclass(frozen=True, slots=True)
class Score:
    """value: the exact score of a picture; verified: how many patches were measured exactly for it."""

    value: float
    kind: ScoreKind
    verified: int


@dataclass(frozen=True, slots=True)
class Region:
    """Where the defect is: a box in pixels of the picture, the highest z inside, and the row of the bank nearest to that."""

    x: int
    y: int
    width: int
    height: int
    peak: float
    nearest: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one part. score and heat are None when nothing was measured."""

    decision: Decision
    reason: Reason
    detail: str = ""
    score: Score | None = None
    regions: tuple[Region, ...] = field(default=())
    heat: AnomalyMap | None = None

    @classmethod
    def not_decidable(cls, reason: Reason, detail: str) -> "Verdict":
        """A person must look; `detail` says why in words."""
        return cls(Decision.NOT_DECIDABLE, reason, detail)
