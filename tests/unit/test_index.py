"""Every search gives the same score; the fastest is chosen and the others are on record."""

import numpy as np
import pytest

from calibration.index import choose_search
from calibration.memory import Sample, learn_sketch
from edge.inspect.score import Normal, measure
from edge.types import PatchGrid
from tests import oracle


@pytest.mark.parametrize("vectors", [3, 900])
def test_the_chosen_search_scores_as_brute_force_and_its_audit_tells_of_all(vectors: int) -> None:
    rng = np.random.default_rng(vectors)
    matrix = rng.normal(size=(vectors, 60)).astype(np.float32)
    grids = [PatchGrid(rng.normal(size=(144, 60)).astype(np.float32), 12, 12, np.zeros(1, np.float32)) for _ in range(3)]
    normal = Normal(*np.ones((2, 12, 12), np.float32), np.ones((12, 12), np.bool_))
    sketch = learn_sketch(Sample(tuple(grids), np.arange(3, dtype=np.int32)), np.arange(144))
    chosen = choose_search(matrix, sketch, normal, "top1", grids, seed=0)
    for grid in grids:
        z = oracle.z(matrix, normal, grid.patches)
        assert measure(chosen.bank, normal, grid, "top1")[0].value == oracle.score(z, "top1")
    audit = chosen.card.audit
    assert {tried.search for tried in audit.tried} == {"hnsw", "hnsw, every 2. place", "scan"}
    assert min(tried.time for tried in audit.tried) == 1
    assert (chosen.raw is None) == (chosen.card.index is None)
    assert 2 <= audit.verified <= 144
