"""Everything that is said about two recipes, from what both said of each picture."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from calibration.compare.latency import Ratio, time_ratio
from calibration.compare.paired import Pair, by_part, ratios
from calibration.compare.shadow import OnLine
from calibration.compare.statistics import (
    Agreement,
    AurocDifference,
    Discordant,
    agreement,
    delong,
    mcnemar,
    spearman,
)
from calibration.evaluate.folders import GOOD
from calibration.known import Known, known_among
from calibration.rates import Rate
from edge.recipe.manifest import Manifest
from edge.types import Decision


@dataclass(frozen=True, slots=True)
class Contrast:
    """The rates of both recipes for one thing, over the same parts, and whether they differ."""

    a: Rate
    b: Rate
    test: Discordant


@dataclass(frozen=True, slots=True)
class Undecided:
    """Pictures that only one of the recipes, or neither, can judge."""

    only_a: int
    only_b: int
    both: int

    @property
    def total(self) -> int:
        """All that cannot be compared."""
        return self.only_a + self.only_b + self.both


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two recipes on the same pictures. Rates, tests, AUROC and kappa count parts; flips count pictures.

    rejects: NOK, of everything; false_rejects: NOK of goods; escapes: OK of defects; None where there are no such parts.
    known: for A and for B, which pictures it was made from. line: where the parts come from if a line has judged them; then
    pictures are parts.
    """

    labelled: bool
    pictures: int
    parts: int
    flips: Counter[tuple[Decision, Decision, str | None]]
    agreement: Agreement
    rank_correlation: float | None
    rejects: Contrast
    false_rejects: Contrast | None
    escapes: Contrast | None
    auroc: AurocDifference | None
    undecided: Undecided
    latency: Ratio | None
    known: tuple[Known, Known]
    line: OnLine | None
    pairs: tuple[Pair, ...] = field(repr=False)


def compare(pairs: tuple[Pair, ...], a: Manifest, b: Manifest, line: OnLine | None = None) -> Comparison:
    """Count and test; `pairs` are not empty. line: who has judged them, if it was not done for this."""
    parts = by_part(pairs)
    goods = tuple(p for p in parts if p.picture.kind == GOOD)
    bads = tuple(p for p in parts if p.picture.kind not in (GOOD, None))
    measured = tuple(p for p in parts if p.measured)
    files = [pair.picture.file for pair in pairs]
    return Comparison(
        labelled=pairs[0].picture.kind is not None,
        pictures=len(pairs),
        parts=len(parts),
        flips=Counter((p.a.decision, p.b.decision, p.picture.kind) for p in pairs if p.flipped),
        agreement=agreement([p.a.decision for p in parts], [p.b.decision for p in parts]),
        rank_correlation=spearman(*ratios(measured)),
        rejects=_contrast(parts, Decision.NOK),
        false_rejects=_contrast(goods, Decision.NOK) if goods else None,
        escapes=_contrast(bads, Decision.OK) if bads else None,
        auroc=_auroc(goods, bads),
        undecided=_undecided(pairs),
        latency=time_ratio(pairs),
        known=(known_among(a.goods, files), known_among(b.goods, files)),
        line=line,
        pairs=pairs,
    )


def flips_by_change(pairs: tuple[Pair, ...]) -> list[Pair]:
    """Pictures whose verdict changes, the largest change of ratio first; those without a ratio last."""
    return sorted((p for p in pairs if p.flipped), key=lambda p: math.inf if math.isnan(p.change) else -abs(p.change))


def _contrast(parts: tuple[Pair, ...], what: Decision) -> Contrast:
    def count(wanted: Callable[[bool, bool], bool]) -> int:
        return sum(wanted(p.a.decision is what, p.b.decision is what) for p in parts)

    test = mcnemar(count(lambda a, b: a and not b), count(lambda a, b: b and not a))
    return Contrast(_rate(count(lambda a, _: a), len(parts)), _rate(count(lambda _, b: b), len(parts)), test)


def _rate(count: int, total: int) -> Rate:
    rate = Rate.of(count, total)
    assert rate is not None  # noqa: S101 - there are parts
    return rate


def _auroc(goods: tuple[Pair, ...], bads: tuple[Pair, ...]) -> AurocDifference | None:
    """Over the parts that both recipes have measured: without those in a gray zone it would flatter."""
    good, bad = tuple(p for p in goods if p.measured), tuple(p for p in bads if p.measured)
    return delong(ratios(good), ratios(bad)) if good and bad else None


def _undecided(pairs: tuple[Pair, ...]) -> Undecided:
    counted = Counter(
        (p.a.decision is Decision.NOT_DECIDABLE, p.b.decision is Decision.NOT_DECIDABLE) for p in pairs if not p.decided
    )
    return Undecided(counted[True, False], counted[False, True], counted[True, True])
