"""Does the light change over time? Mann-Kendall's test for a trend, and Theil-Sen's slope for its size.

The test (Mann 1945, Kendall 1975) asks how often a later picture is brighter than an earlier one, so it needs no straight
line and no normal distribution: it is Kendall's rank correlation with time (`scipy.stats.kendalltau`). The slope is the
median of those between all pairs (Sen 1968, `scipy.stats.theilslopes`). Three looks are tested, so a p value counts below
0.01/3 (Bonferroni).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.stats import kendalltau, theilslopes

from calibration.audit.robust import TO_SIGMA
from calibration.audit.seen import Seen
from edge.errors import BadConfig
from edge.types import Doubles

Clock = Literal["sidecar", "file", "name"]
"""Where the times come from: `taken_utc` beside the pictures, the files' modification times, or the order of names."""

FEWEST = 20
"""With fewer pictures a trend is neither found nor ruled out."""

_P_BELOW = 0.01 / 3
_LEAST_TAU = 0.2
_LEAST_CHANGE = 3.0
"""Grey levels from the first to the last picture. A trend that is weak or smaller than this needs no mending."""

_COPIED_FASTER_S = 0.1
"""Seconds from file to file: a line takes longer, a copy does not, and its times say nothing of when pictures were taken."""

_MOST = 2000
"""Pictures for the slope, evenly drawn: it looks at all pairs."""

_LOOKS = ("brightness", "contrast", "chroma")


@dataclass(frozen=True, slots=True)
class Trend:
    """One look over time. change: from first to last by the median slope and spread: sigma of the values, in grey levels."""

    look: str
    tau: float
    p: float
    change: float
    spread: float
    clear: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """order: numbers of the pictures, earliest first; times: theirs, None where only the order of names is known."""

    clock: Clock
    order: tuple[int, ...]
    times: tuple[datetime, ...] | None
    trends: tuple[Trend, ...]


def drift(seen: Sequence[Seen]) -> Drift:
    """Look for trends.

    Raises:
        BadConfig: a sidecar cannot be used.
    """
    clock, times = _times(seen)
    order = np.argsort([time.timestamp() for time in times], kind="stable") if times else np.argsort(_natural(seen))
    ordered = tuple(times[i] for i in order) if times else None
    at = np.array([time.timestamp() for time in ordered]) if ordered else np.arange(len(seen), dtype=np.float64)
    values = {look: np.array([getattr(seen[i].look, look) for i in order], np.float64) for look in _LOOKS}
    trends = tuple(_trend(look, at, of) for look, of in values.items()) if len(seen) >= FEWEST else ()
    return Drift(clock, tuple(int(i) for i in order), ordered, trends)


def _trend(look: str, at: Doubles, values: Doubles) -> Trend:
    spread = TO_SIGMA * float(np.median(np.abs(values - np.median(values))))
    if np.ptp(values) == 0 or np.ptp(at) == 0:
        return Trend(look, 0.0, 1.0, 0.0, spread, clear=False)
    tau, p = kendalltau(at, values)
    drawn = np.unique(np.linspace(0, len(at) - 1, min(len(at), _MOST)).astype(int))
    slope = float(theilslopes(values[drawn], at[drawn])[0])
    change = slope * float(at[-1] - at[0])
    clear = bool(p < _P_BELOW and abs(tau) >= _LEAST_TAU and abs(change) >= _LEAST_CHANGE)
    return Trend(look, float(tau), float(p), change, spread, clear)


def _times(seen: Sequence[Seen]) -> tuple[Clock, list[datetime] | None]:
    beside = [_beside(one.good.path) for one in seen]
    known = [time for time in beside if time is not None]
    if len(known) == len(seen):
        return "sidecar", known
    stamps = [one.good.path.stat().st_mtime for one in seen]
    if max(stamps) - min(stamps) >= _COPIED_FASTER_S * len(stamps):
        return "file", [datetime.fromtimestamp(stamp, UTC) for stamp in stamps]
    return "name", None


def _beside(picture: Path) -> datetime | None:
    """`taken_utc` of NAME.json beside NAME.png; None where there is no such file."""
    path = picture.with_suffix(".json")
    try:
        read = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as err:
        raise BadConfig(f"{path}: is no JSON file that can be read ({err}); mend or remove it.") from None
    said = read.get("taken_utc") if isinstance(read, dict) else None
    try:
        time = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise BadConfig(
            f"{path}: needs taken_utc with a time such as 2026-11-24T06:51:07Z, found {said!r}; mend or remove it."
        )
    return time


def _natural(seen: Sequence[Seen]) -> list[int]:
    """The rank of each name, part-9 before part-10."""
    keys = [[(len(t), t) if t.isdigit() else (0, t) for t in re.split(r"(\d+)", one.good.path.name)] for one in seen]
    ranks = [0] * len(seen)
    for rank, number in enumerate(sorted(range(len(seen)), key=keys.__getitem__)):
        ranks[number] = rank
    return ranks
