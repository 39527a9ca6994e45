"""The likely defects hiding among the goods: pictures that lie further from all other parts than goods do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.audit.neighbours import Neighbours
from calibration.audit.robust import upper_limit
from calibration.judgement import DEFAULT
from calibration.normal import learn_normal
from edge.errors import BadConfig
from edge.inspect.score import counted
from edge.types import AnomalyMap, Doubles, Floats

SPREADS = 3.5
"""Above the median, see `robust.upper_limit`. With 5 % of defects mixed among goods, 4 to 6 seeds, this names 62 % of the
defects in cells, 83 % of broken cookies and 20 % of the mostly faint defects of tiles, and of the goods 0.8, 0.8 and 1.1 %;
of goods without defects 0.6, 1.7 and 1.2 %. With 10 % of one kind it names 59, 42 and 7 %. Two other rules, spreads
on both sides and of logarithms, named as many only where they named more goods."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One picture.

    number, like: of all pictures, it and the other part most like it that is no suspect; heat: how strange each place is.
    """

    number: int
    score: float
    heat: AnomalyMap
    like: int


@dataclass(frozen=True, slots=True)
class Suspicion:
    """scores: of the M pictures that were compared; limit: what a suspect's exceeds; suspects: strangest first."""

    scores: Doubles
    limit: float
    suspects: tuple[Suspect, ...]


def suspect(found: Neighbours, embeddings: Floats, parts: NDArray[np.int32]) -> Suspicion:
    """Score every picture against the other parts, and name those far beyond the rest.

    embeddings, parts: of all pictures, those too that were not compared.

    Raises:
        BadConfig: all pictures are the same.
    """
    try:
        normal = learn_normal(found.apart, found.watched, DEFAULT.smoothing)
    except BadConfig:
        raise BadConfig("GOOD_DIR: the pictures are all the same picture; give pictures of different parts.") from None
    z = (found.apart - normal.mean) / normal.std
    wanted = counted(DEFAULT.score, int(found.watched.sum()))
    scores = np.sort(z[:, found.watched], axis=1)[:, -wanted:].mean(axis=1, dtype=np.float64)
    limit = upper_limit(scores, SPREADS)
    usual = found.numbers[scores <= limit]
    named = []
    for at in (int(i) for i in np.argsort(-scores) if scores[i] > limit):
        number = int(found.numbers[at])
        others = usual[parts[usual] != parts[number]]
        like = others[np.linalg.norm(embeddings[others] - embeddings[number], axis=1).argmin()]
        heat = AnomalyMap(z[at], found.nearest[at].astype(np.intp), found.to_picture[at])
        named.append(Suspect(number, float(scores[at]), heat, int(like)))
    return Suspicion(scores, limit, tuple(named))
