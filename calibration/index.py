"""The search that is fastest for this bank on this computer, and how it compares: an HNSW index, or none.

What is chosen changes no score, only its cost, so the goods held out for the threshold may judge it.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import hnswlib
import numpy as np

from edge.inspect.bank import Bank
from edge.inspect.finder import Finder, HnswFinder, ScanFinder
from edge.inspect.score import Normal, measure
from edge.inspect.sketch import Sketch
from edge.recipe.manifest import INDEX_FILE, AuditCard, IndexCard, SearchCard, TriedCard
from edge.types import Floats, PatchGrid, ScoreKind

_M, _EF_CONSTRUCTION, _EF = 8, 100, 4
"""Measured on 10,000 patches of real cells: the walk repairs what a small index misses for less than a larger one costs."""

_STRIDES = (1, 2)
_SCAN_MOST = 20_000
"""Beyond, comparing everything with everything has never been the fastest, and trying it takes long."""

_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Indexed:
    """The chosen search. raw: the index file's bytes, None for a scan."""

    bank: Bank
    card: SearchCard
    raw: bytes | None


def choose_search(
    matrix: Floats, sketch: Sketch, normal: Normal, kind: ScoreKind, grids: Sequence[PatchGrid], seed: int
) -> Indexed:
    """Try what there is on pictures of good parts and take the fastest by the median picture."""
    sketches = sketch(matrix)
    index = _make_index(sketches, seed)
    finders: dict[str, tuple[Finder, IndexCard | None]] = {}
    for stride in _STRIDES:
        card = IndexCard(m=_M, ef_construction=_EF_CONSTRUCTION, ef=_EF, stride=stride)
        finders[f"hnsw, every {stride}. place" if stride > 1 else "hnsw"] = HnswFinder(sketches, index, _EF, stride), card
    if len(matrix) <= _SCAN_MOST:
        finders["scan"] = ScanFinder(sketches), None
    banks = {name: Bank(matrix, sketch, sketches, finder) for name, (finder, _) in finders.items()}
    seconds = _median_seconds(banks, normal, kind, grids)
    fastest = min(seconds, key=lambda name: seconds[name])
    tried = tuple(
        TriedCard(search=name, time=seconds[name] / seconds[fastest], recall=_recall(banks[name], grids)) for name in banks
    )
    chosen = finders[fastest][1]
    audit = AuditCard(pictures=len(grids), tried=tried, verified=_median_verified(banks[fastest], normal, kind, grids))
    return Indexed(banks[fastest], SearchCard(index=chosen, audit=audit), _index_bytes(index) if chosen else None)


def _make_index(sketches: Floats, seed: int) -> hnswlib.Index:
    """An HNSW index over the rows, the same for the same rows and seed."""
    index = hnswlib.Index(space="l2", dim=sketches.shape[1])
    index.init_index(len(sketches), M=_M, ef_construction=_EF_CONSTRUCTION, random_seed=seed)
    index.add_items(sketches, num_threads=1)  # more threads would insert in another order each time
    return index


def _index_bytes(index: hnswlib.Index) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / INDEX_FILE
        index.save_index(str(path))
        return path.read_bytes()


def _median_seconds(banks: dict[str, Bank], normal: Normal, kind: ScoreKind, grids: Sequence[PatchGrid]) -> dict[str, float]:
    """Of one picture, taken in turns so that a busy computer slows all."""
    taken: dict[str, list[float]] = {name: [] for name in banks}
    for _ in range(_ROUNDS):
        for grid in grids:
            for name, bank in banks.items():
                began = time.perf_counter()
                measure(bank, normal, grid, kind)
                taken[name].append(time.perf_counter() - began)
    return {name: float(np.median(times)) for name, times in taken.items()}


def _recall(bank: Bank, grids: Sequence[PatchGrid]) -> float:
    """Share of places whose nearest good patch was found without measuring exactly."""
    hits = []
    for grid in grids:
        found = bank.find(grid)
        near = found.rows.copy()
        bank.verify(found, np.arange(len(near)))
        hits.append(near == found.rows)
    return float(np.mean(hits))


def _median_verified(bank: Bank, normal: Normal, kind: ScoreKind, grids: Sequence[PatchGrid]) -> int:
    return int(np.median([measure(bank, normal, grid, kind)[0].verified for grid in grids]))
