"""What happened day by day, or hour by hour where the results span a few days only."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from calibration.drift.results import REASONS, Results
from calibration.rates import Rate
from edge.types import Decision, Reason

_HOUR_S, _DAY_S = 3600, 86400
_FEW_DAYS = 3


@dataclass(frozen=True, slots=True)
class Period:
    """A day or an hour in UTC. rejects: NOK of what could be decided; inspect_ms: median of those, NaN without any."""

    begins: datetime
    parts: int
    rejects: Rate | None
    undecided: Counter[Reason]
    inspect_ms: float


def periods_of(results: Results) -> tuple[str, tuple[Period, ...]]:
    """`day` or `hour`, and every one that has a result."""
    span_s = float(results.taken_s[-1] - results.taken_s[0])
    name, length_s = ("day", _DAY_S) if span_s > _FEW_DAYS * _DAY_S else ("hour", _HOUR_S)
    numbers, starts = np.unique(results.taken_s // length_s, return_index=True)
    ends = np.append(starts[1:], len(results.taken_s))
    bounds = zip(numbers.tolist(), starts.tolist(), ends.tolist(), strict=True)
    return name, tuple(_period(results, slice(start, end), number * length_s) for number, start, end in bounds)


def _period(results: Results, part: slice, begins_s: float) -> Period:
    decided = results.where(Decision.OK, Decision.NOK)[part]
    rejected = int(results.where(Decision.NOK)[part].sum())
    times = results.inspect_ms[part][decided]
    return Period(
        begins=datetime.fromtimestamp(begins_s, UTC),
        parts=len(decided),
        rejects=Rate.of(rejected, int(decided.sum())),
        undecided=Counter(REASONS[code] for code in results.reason[part][~decided].tolist()),
        inspect_ms=float(np.median(times)) if len(times) else float("nan"),
    )
