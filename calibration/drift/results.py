"""Result files of `goodpart run`, as arrays of numbers."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.jsonl import Lines
from calibration.progress import Steps
from edge.errors import BadConfig
from edge.report.message import Result
from edge.types import Decision, Doubles, Origin, Reason

DECISIONS, REASONS = tuple(Decision), tuple(Reason)
"""What the numbers in `Results.decision` and `Results.reason` mean."""


class Aside(StrEnum):
    """Why a result of the recipe says nothing of production as the recipe judges it."""

    GOLDEN_SAMPLE = "golden_sample"
    RED_RABBIT = "red_rabbit"
    REPLAY = "replay"
    SIMULATED = "simulated"
    BY_COMMAND = "judged_by_command"  # with a threshold that a command has set


_ASIDES = tuple(Aside)
_OURS, _OTHER = -1, -2
"""Kinds of results beside the numbers in `_ASIDES`: those that count, and those of other recipes."""

_MOST_SEQ = 1 << 40


@dataclass(frozen=True, slots=True)
class Boot:
    """One run of the device: results first to last by `seq`, and how many between them are not in the files."""

    boot_id: str
    first: int
    last: int
    missing: int


@dataclass(frozen=True, slots=True)
class Results:
    """What one recipe said, in the order of time; arrays of one length.

    taken_s: seconds since 1970, UTC; score: NaN where nothing was measured; decision, reason: numbers in `DECISIONS` and
    `REASONS`. others: results of other recipes by name and identity; aside: results of this one that are left out as well,
    by the reason; taught: those of this one, kept, that were judged beside parts taught on the device; repeated: results
    that were there before; cut_off: unfinished lines; boots: of all results, also of those left out; stations: names of
    all cameras whose results are kept.
    """

    taken_s: Doubles
    score: Doubles
    inspect_ms: Doubles
    decision: NDArray[np.int8]
    reason: NDArray[np.int8]
    others: Counter[tuple[str, str]]
    aside: Counter[Aside]
    taught: int
    repeated: int
    cut_off: int
    boots: tuple[Boot, ...]
    stations: tuple[str, ...]

    def where(self, *decisions: Decision) -> NDArray[np.bool_]:
        """Which results have one of these verdicts."""
        return np.isin(self.decision, [DECISIONS.index(decision) for decision in decisions])


def read_results(paths: Sequence[Path], recipe_id: str, steps: Steps) -> Results:
    """The results of production with this recipe in any number of files, each result once.

    Memory grows by 60 bytes a result, whatever the length of its line.

    Raises:
        BadConfig: a file cannot be read, a line is damaged, or no result is of production with this recipe.
    """
    taken, lines = _Taken(recipe_id), Lines(Result)
    for path in paths:
        for where, result in lines.read(path, steps):
            if not 0 < result.seq < _MOST_SEQ:
                raise BadConfig(f"{where}: damaged (seq: {result.seq} is no running number); remove it or the file.")
            taken.add(result)
    found = taken.finish(lines.cut_off)
    if not len(found.taken_s):
        raise BadConfig(f"{paths[0]}: holds {_nothing_of(found, recipe_id)}.")
    return found


def _nothing_of(found: Results, recipe_id: str) -> str:
    """What there is instead of results of production with the recipe, and the mend."""
    recipe = f"recipe {recipe_id[:12]}"
    if found.aside:
        counts = ", ".join(f"{why} {count}" for why, count in found.aside.most_common())
        return f"no result of production with {recipe}, but others ({counts}); give what the line has written with it"
    others = ", ".join(f"{name} {identity[:12]}" for name, identity in found.others) or "no results at all"
    return f"no result of {recipe}, but {others}; give the recipe that was used"


def _aside(result: Result) -> Aside | None:
    """Why a result does not count; the first of several reasons."""
    if result.purpose is not None:
        return Aside(result.purpose)
    if result.origin is not Origin.LIVE:
        return Aside(result.origin)
    return Aside.BY_COMMAND if result.threshold_command_id is not None else None


class _Taken:
    """Results as they are read, in columns."""

    def __init__(self, recipe_id: str) -> None:
        self._recipe_id = recipe_id
        self._boots: dict[str, int] = {}
        self._boot, self._seq = array("q"), array("q")
        self._kind, self._taught = array("b"), array("b")
        self._numbers = tuple(array("d") for _ in range(3))
        self._codes = array("b"), array("b")
        self._stations: set[str] = set()
        self._others: Counter[tuple[str, str]] = Counter()

    def add(self, result: Result) -> None:
        self._boot.append(self._boots.setdefault(result.boot_id, len(self._boots)))
        self._seq.append(result.seq)
        self._taught.append(result.taught > 0)
        if result.recipe_id != self._recipe_id:
            self._kind.append(_OTHER)
            self._others[result.recipe_name, result.recipe_id] += 1
        elif aside := _aside(result):
            self._kind.append(_ASIDES.index(aside))
        else:
            self._kind.append(_OURS)
            station = result.station
            self._stations.add(f"{station.site}/{station.area}/{station.line}/{station.station}")
        score = np.nan if result.score is None else result.score
        for column, value in zip(self._numbers, (result.taken_utc.timestamp(), score, result.inspect_ms), strict=True):
            column.append(value)
        self._codes[0].append(DECISIONS.index(result.verdict))
        self._codes[1].append(REASONS.index(result.reason))

    def finish(self, cut_off: int) -> Results:
        boot, seq = np.frombuffer(self._boot, np.int64), np.frombuffer(self._seq, np.int64)
        _, first = np.unique(boot * _MOST_SEQ + seq, return_index=True)
        kind = np.frombuffer(self._kind, np.int8)[first]
        ours = first[kind == _OURS]
        taken_s, score, inspect_ms = (np.frombuffer(column, np.float64)[ours] for column in self._numbers)
        decision, reason = (np.frombuffer(column, np.int8)[ours] for column in self._codes)
        order = np.argsort(taken_s, kind="stable")
        return Results(
            taken_s=taken_s[order],
            score=score[order],
            inspect_ms=inspect_ms[order],
            decision=decision[order],
            reason=reason[order],
            others=self._others,
            aside=Counter({why: n for at, why in enumerate(_ASIDES) if (n := int((kind == at).sum()))}),
            taught=int(np.frombuffer(self._taught, np.int8)[ours].sum()),
            repeated=len(seq) - len(first),
            cut_off=cut_off,
            boots=_boots(list(self._boots), boot[first], seq[first]),
            stations=tuple(sorted(self._stations)),
        )


def _boots(names: list[str], boot: NDArray[np.int64], seq: NDArray[np.int64]) -> tuple[Boot, ...]:
    """From results that stand sorted by boot and seq, each once."""
    starts = np.searchsorted(boot, np.arange(len(names) + 1))
    found = []
    for name, start, end in zip(names, starts[:-1], starts[1:], strict=True):
        first, last = int(seq[start]), int(seq[end - 1])
        found.append(Boot(name, first, last, last - first + 1 - int(end - start)))
    return tuple(found)
