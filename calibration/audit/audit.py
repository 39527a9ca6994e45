"""A folder of goods is audited: read → encode → same pictures → strange pictures → drift → groups → what to leave out."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from calibration.audit.drift import Drift, drift
from calibration.audit.duplicates import Pair, connected, duplicates, same_part
from calibration.audit.exclude import Exclusion
from calibration.audit.fitness import Misfit, misfits
from calibration.audit.groups import Grouping, groups
from calibration.audit.leaks import Leak, leaks
from calibration.audit.neighbours import compare, gather
from calibration.audit.seen import Seen, see
from calibration.audit.suspects import Suspicion, suspect
from calibration.goods import PART_PATTERN, Good, find_goods
from calibration.progress import Steps
from calibration.threshold.order import MIN_BANK_PARTS
from edge.errors import TooFewGoods
from edge.inspect.encoder import DEFAULT_ENCODER, Encoder, read_encoder


@dataclass(frozen=True, slots=True)
class Request:
    """What the line engineer asked for."""

    goods: Path
    held_out: Path | None = None
    encoder: Path = DEFAULT_ENCODER
    part_pattern: str = PART_PATTERN
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found. Numbers in pairs, leaks, suspects, drift and groups are places in `seen`.

    everything: all files of both sides; compared: which pictures the scores of `suspicion` belong to; exclusions: what to
    leave out.
    """

    everything: tuple[Good, ...]
    seen: tuple[Seen, ...]
    misfits: tuple[Misfit, ...]
    pairs: tuple[Pair, ...]
    leaks: tuple[Leak, ...]
    compared: tuple[int, ...]
    suspicion: Suspicion
    drift: Drift
    grouping: Grouping
    exclusions: tuple[Exclusion, ...]


def audit(request: Request, steps: Steps) -> Audit:
    """Look at every picture of the goods, and of those held out if they have a folder of their own.

    Raises:
        TooFewGoods: fewer fit parts than can be compared with each other.
        BadConfig, BadEncoder: a folder, a sidecar or the encoder cannot be used.
    """
    bank = find_goods(request.goods, request.part_pattern)
    held_out = find_goods(request.held_out, request.part_pattern) if request.held_out else []
    raw_model, card = read_encoder(request.encoder)
    seen, unreadable = see(bank, held_out, steps)
    unfit = misfits(seen, unreadable)
    teach = np.array([i not in unfit for i in range(len(seen))], np.bool_)
    fit = np.flatnonzero(teach)
    _require_enough([seen[i] for i in fit])
    goods = [one.good for one in seen]
    with threadpool_limits(1):  # more would wait for each other between products as small as these
        gathered = gather(goods, teach, Encoder(raw_model, card), request.seed, steps)
        pairs = duplicates(seen, gathered.embeddings, steps)
        parts = same_part(seen, pairs)
        suspicion = suspect(compare(goods, parts, fit, gathered, steps), gathered.embeddings, parts)
        grouping = groups(seen, gathered.embeddings, fit, request.seed)
    leaking = leaks(seen, pairs)
    return Audit(
        everything=(*bank, *held_out),
        seen=tuple(seen),
        misfits=tuple(unfit.values()),
        pairs=pairs,
        leaks=leaking,
        compared=tuple(int(i) for i in fit),
        suspicion=suspicion,
        drift=drift(seen),
        grouping=grouping,
        exclusions=_exclusions(seen, tuple(unfit.values()), pairs, leaking, suspicion),
    )


def _require_enough(fit: Sequence[Seen]) -> None:
    parts = len({one.good.part_id for one in fit})
    if parts < MIN_BANK_PARTS:
        raise TooFewGoods(
            f"GOOD_DIR: {parts} different parts with fit pictures are too few to be compared with each other; "
            f"give at least {MIN_BANK_PARTS}."
        )


def _exclusions(
    seen: Sequence[Seen],
    unfit: Sequence[Misfit],
    pairs: Sequence[Pair],
    leaking: Sequence[Leak],
    suspicion: Suspicion,
) -> tuple[Exclusion, ...]:
    """Suspects first, strangest first; then unfit pictures, leaks and copies."""
    reasons: defaultdict[Good, list[str]] = defaultdict(list)
    for one in suspicion.suspects:
        like = seen[one.like].good.path.name
        said = f"suspicious: score {one.score:.2f}, goods reach {suspicion.limit:.2f}; most like {like}"
        reasons[seen[one.number].good].append(said)
    for misfit in unfit:
        reasons[misfit.good].append(misfit.detail)
    for leak in leaking:
        reasons[seen[leak.bank].good].append(f"leak: {leak.why} as {seen[leak.held_out].good.path.name} held out")
    for copy, kept in _copies(seen, pairs, frozenset(reasons)):
        reasons[seen[copy].good].append(f"duplicate of {seen[kept].good.path.name}")
    return tuple(Exclusion(good, tuple(said)) for good, said in reasons.items())


def _copies(seen: Sequence[Seen], pairs: Sequence[Pair], out: frozenset[Good]) -> list[tuple[int, int]]:
    """Of pictures that are the same all but one, each with the one that stays; those held out stay first."""
    group = connected(len(seen), [(pair.one, pair.other) for pair in pairs])
    members: defaultdict[int, list[int]] = defaultdict(list)
    for number, of in enumerate(group):
        if seen[number].good not in out:
            members[int(of)].append(number)
    copies = []
    for numbers in members.values():
        kept, *others = sorted(numbers, key=lambda i: (not seen[i].held_out, i))
        copies += [(other, kept) for other in others]
    return sorted(copies)
