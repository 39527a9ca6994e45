"""How far each place of each good picture is from the good patches of the other parts, with the recipe's own features.

The bank is a coreset of all pictures, as a recipe's, with features scaled and z taken as in `calibration.judgement.DEFAULT`.
Pictures pass the encoder twice, so that no more than a coreset of their patches is held.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.coreset import Coreset, Gathering
from calibration.goods import Good, sample
from calibration.judgement import DEFAULT, scale_of
from calibration.memory import SAMPLE_PARTS, Sample, learn_sketch
from calibration.progress import Steps
from calibration.reader import Reader
from calibration.view import ViewPlan, choose_view
from edge.inspect.encoder import Encoder
from edge.inspect.eye import Eye
from edge.inspect.sketch import squares
from edge.types import Doubles, Floats

NEAREST = 3
"""Other parts whose distances are averaged, so that two defects of one kind do not excuse each other. AUROC of suspects when
5 % of mixed defects or 10 % of one kind stand among 160 goods, several seeds, for 1 / 2 / 3 / 5 parts: cells 0.962 / 0.962 /
0.959 / 0.952 and 0.949 / 0.950 / 0.950 / 0.946; blowholes in tiles, seed 0: 0.777 / 0.806 / 0.828 / 0.855. Scoring again
without the worst tenth of the pictures gained nothing on cells and lost on tiles and on few goods."""

_BANK_SHARE, _BANK_MOST = 0.2, 4000


@dataclass(frozen=True, slots=True)
class Gathered:
    """All N pictures passed the encoder once. coreset: of those that were to teach; embeddings: N×D float32."""

    coreset: Coreset
    reader: Reader
    embeddings: Floats
    watched: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Of M pictures.

    numbers: which of all they are; apart: M×rows×cols float32, mean distance to the `NEAREST` other parts; nearest:
    M×rows×cols, the number of the picture whose patch comes nearest among other parts; to_picture: as in `PatchGrid`.
    """

    numbers: NDArray[np.intp]
    apart: Floats
    nearest: NDArray[np.int32]
    to_picture: tuple[Doubles, ...]
    watched: NDArray[np.bool_]


def gather(goods: Sequence[Good], teach: NDArray[np.bool_], encoder: Encoder, seed: int, steps: Steps) -> Gathered:
    """Encode N pictures and choose a coreset of those that `teach`.

    Raises:
        BadEncoder: the encoder gives NaN.
    """
    teachers = [good for good, fit in zip(goods, teach, strict=True) if fit]
    view = choose_view(ViewPlan(), teachers, encoder, seed, steps)
    places = np.flatnonzero(view.watched)
    plain = Reader(view.eye)
    some = [teachers[i] for i in sample(teachers, SAMPLE_PARTS, seed)]
    raw = [plain.kept(good)[0] for good in steps.track(some, "encoding a sample")]
    scale = scale_of(np.concatenate([grid.patches for grid in raw]), DEFAULT.scaling)
    scaled = tuple(replace(grid, patches=grid.patches * scale) for grid in raw)
    sketch = learn_sketch(Sample(scaled, np.arange(len(scaled), dtype=np.int32)), places)
    size = min(_BANK_MOST, max(1, round(_BANK_SHARE * len(teachers) * len(places))))
    gathering = Gathering(size, sketch, seed, steps.counter(size, "choosing the coreset"))
    reader = Reader(Eye(view.eye.encoder, view.eye.card, view.reference, scale))
    embeddings = []
    for number, good in enumerate(steps.track(goods, "encoding goods")):
        grid = reader(good)[0]
        embeddings.append(grid.embedding.copy())
        if teach[number]:
            gathering.add(grid.patches, number, places)
    return Gathered(gathering.finish(), reader, np.stack(embeddings), view.watched)


def compare(
    goods: Sequence[Good], parts: NDArray[np.int32], numbers: NDArray[np.intp], gathered: Gathered, steps: Steps
) -> Neighbours:
    """Measure some of the N pictures against the other parts. parts: the number of the part each of the N shows."""
    ruler = _Ruler(gathered.coreset, parts)
    apart, nearest, places = [], [], []
    for number in steps.track(numbers, "comparing goods"):
        grid = gathered.reader(goods[number])[0]
        distances, pictures = ruler(grid.patches, int(parts[number]))
        apart.append(distances.reshape(gathered.watched.shape))
        nearest.append(pictures.reshape(gathered.watched.shape))
        places.append(grid.to_picture)
    return Neighbours(numbers, np.stack(apart), np.stack(nearest), tuple(places), gathered.watched)


class _Ruler:
    """Measures patches against the coreset, part by part."""

    def __init__(self, coreset: Coreset, parts: NDArray[np.int32]) -> None:
        owners = parts[coreset.origin[:, 0]]
        order = np.argsort(owners, kind="stable")
        self._matrix, self._pictures = coreset.matrix[order], coreset.origin[order, 0]
        self._parts, self._starts = np.unique(owners[order], return_index=True)
        self._turned = np.ascontiguousarray(-2 * self._matrix.T)
        self._squares = squares(self._matrix)

    def __call__(self, patches: Floats, own: int) -> tuple[Floats, NDArray[np.int32]]:
        """P×d to P mean distances to the `NEAREST` other parts, and P numbers of the nearest picture among them."""
        lower = patches @ self._turned
        lower += self._squares
        mine = np.searchsorted(self._parts, own)
        if mine < len(self._parts) and self._parts[mine] == own:
            end = self._starts[mine + 1] if mine + 1 < len(self._parts) else lower.shape[1]
            lower[:, self._starts[mine] : end] = np.inf
        of_parts = np.minimum.reduceat(lower, self._starts, axis=1)
        others = int(np.isfinite(of_parts[0]).sum())
        wanted = min(NEAREST, others)
        lowest = np.partition(of_parts, wanted - 1, axis=1)[:, :wanted]
        distances = np.sqrt(np.maximum(lowest + squares(patches)[:, None], 0)).mean(axis=1)
        return np.asarray(distances, np.float32), self._pictures[lower.argmin(axis=1)]
