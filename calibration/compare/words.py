"""A comparison in words, for people."""

from datetime import datetime

from calibration.compare.comparison import Comparison, Contrast, flips_by_change
from calibration.compare.latency import Ratio
from calibration.compare.paired import Pair, Side
from calibration.compare.shadow import LeftOut, OnLine
from calibration.compare.statistics import AurocDifference, Discordant
from calibration.known import warnings
from calibration.rates import Rate
from edge.shadow.message import ShadowReport

MOST_SHOWN = 24
"""Parts or pictures whose verdicts differ."""

SCALE = (
    "Scores of two recipes are not on one scale, so ratios are compared: the score divided by the recipe's own threshold; "
    "above 1 is NOK. AUROC and rank correlation use ranks only."
)


def verdict(found: Comparison) -> str:
    """The sentence to decide by."""
    undecided = found.undecided
    if not any(pair.measured for pair in found.pairs):
        if found.line:
            return "No part was measured by both recipes."
        return "No picture can be judged by both recipes: they are for pictures of another size, colour or light."
    said = f" {undecided.only_b} that A can judge are NOT_DECIDABLE for B." if undecided.only_b else ""
    return f"{_by_labels(found)}{said}"


def _by_labels(found: Comparison) -> str:
    if not found.labelled:
        rejects = _change(found.rejects.test, "rejects", "part", "does not")
        return f"{rejects}, of {found.parts}. Without labels this does not say which is right."
    said = []
    if found.false_rejects:
        said.append(_change(found.false_rejects.test, "rejects", "good", "does not"))
    if found.escapes:
        # A defect that escapes with A only is one that B catches.
        turned = Discordant(found.escapes.test.only_b, found.escapes.test.only_a, found.escapes.test.p)
        said.append(_change(turned, "catches", "defect", "lets through"))
    return f"{'; '.join(said)}. {_auroc_sentence(found.auroc)}".rstrip()


def in_words(found: Comparison, a: str, b: str) -> str:
    """All of it, a line each; a, b: what the recipes are called."""
    lines = [
        verdict(found),
        f"A              {a}",
        f"B              {b}",
        f"{unit(found):<14} {counted(found)}",
        f"flips          {sum(found.flips.values())} {unit(found)}",
        *(f"  {was} → {now}{f' ({kind})' if kind else ''}: {n}" for (was, now, kind), n in sorted_flips(found)),
        f"agreement      {agreement(found)}",
        f"ranks          {rank_correlation(found)}",
    ]
    lines += [f"{name:<14} {contrast(each)}" for name, each in contrasts(found)]
    if found.auroc:
        lines.append(f"AUROC          {auroc(found.auroc)}")
    if found.line:
        lines += [
            f"  {when(report.taken_utc)} {report.part_id}: {flip_caption(pair)}" for pair, report in disagreements(found)
        ]
    else:
        lines.append(f"time           {time(found.latency)}")
    return "\n".join(lines + notes(found))


def unit(found: Comparison) -> str:
    """What is counted: a line judges parts."""
    return "parts" if found.line else "pictures"


def counted(found: Comparison) -> str:
    """How many there are, and where they come from."""
    if found.line is None:
        return f"{found.pictures} of {found.parts} parts"
    first, last = when(found.line.first_utc), when(found.line.last_utc)
    return f"{found.parts:,} judged by both on the line, {first} to {last}, at {', '.join(found.line.stations)}"


def disagreements(found: Comparison) -> list[tuple[Pair, ShadowReport]]:
    """On a line, the parts whose verdicts differ most, and what was reported of each."""
    told = found.line.disagreements if found.line else {}
    return [(pair, told[pair.picture.part_id]) for pair in flips_by_change(found.pairs)[:MOST_SHOWN] if told]


def when(time: datetime) -> str:
    """In UTC, to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S UTC}"


def contrasts(found: Comparison) -> list[tuple[str, Contrast]]:
    """What both recipes are compared by, with its name."""
    if not found.labelled:
        return [("rejects", found.rejects)]
    named = (("false rejects", found.false_rejects), ("escapes", found.escapes))
    return [(name, each) for name, each in named if each]


def notes(found: Comparison) -> list[str]:
    """What must be known to believe the rest."""
    said = []
    one, many = ("part is", "parts are") if found.line else ("picture is", "pictures are")
    for who, other, count in (("A", "B", found.undecided.only_a), ("B", "A", found.undecided.only_b)):
        if count:
            said.append(
                f"{count} {_plural(count, one, many)} NOT_DECIDABLE for {who} only, {other} can judge "
                f"{_plural(count, 'it', 'them')}."
            )
    if both := found.undecided.both:
        said.append(f"{both} {_plural(both, one, many)} NOT_DECIDABLE for both.")
    if found.undecided.total:
        said.append("AUROC, ranks and times leave out those without a score; rates count all as neither OK nor NOK.")
    if found.line:
        said += _left_out(found.line)
    for who, known in zip("AB", found.known, strict=True):
        said += warnings(known, f"{who}'s")
    return said


_LEFT_OUT = {
    LeftOut.BY_COMMAND: "in which a threshold set by command has judged for A",
    LeftOut.LATE: "in which A's verdict came too late, whatever it was",
    LeftOut.REPLAY: "that are replays",
    LeftOut.SIMULATED: "that are simulated",
}


def _left_out(line: OnLine) -> list[str]:
    said = []
    if line.others:
        names = ", ".join(f"{champion} with {challenger}: {n}" for (champion, challenger), n in line.others.most_common())
        said.append(f"{line.others.total()} left out that compare other recipes ({names}).")
    said += [f"{count} left out {_LEFT_OUT[why]}." for why, count in line.left_out.items()]
    if line.taught:
        said.append(f"In {line.taught} of these A had been taught parts on the device, which lowers its scores.")
    said.append("Parts of which A measured nothing are never compared.")
    if line.repeated:
        said.append(f"{line.repeated} left out that the files hold already.")
    if line.cut_off:
        said.append(
            f"{line.cut_off} unfinished {_plural(line.cut_off, 'line', 'lines')} left out, as a power cut leaves them."
        )
    return said


def sorted_flips(found: Comparison) -> list[tuple[tuple[str, str, str | None], int]]:
    """Kinds of flips with their counts, most frequent first."""
    return sorted(found.flips.items(), key=lambda flip: (-flip[1], str(flip[0])))


def agreement(found: Comparison) -> str:
    """Share of equal verdicts and Cohen's kappa."""
    kappa = found.agreement.kappa
    beyond = "kappa not defined: all verdicts are the same" if kappa is None else f"Cohen's kappa {kappa:.3f}"
    return f"{found.agreement.same:.1%} of parts get the same verdict; {beyond}"


def rank_correlation(found: Comparison) -> str:
    """Spearman's."""
    value = found.rank_correlation
    return "- (needs three parts that both can judge)" if value is None else f"Spearman's rank correlation {value:.3f}"


def contrast(each: Contrast) -> str:
    """Both rates and McNemar's test."""
    return f"A {rate(each.a)}, B {rate(each.b)}; {discordant(each.test)}"


def rate(share: Rate) -> str:
    """A share with its interval."""
    return f"{share.value:.1%} ({share.count} of {share.total}; 95 % interval {share.low:.1%} to {share.high:.1%})"


def discordant(test: Discordant) -> str:
    """McNemar's test as a fact."""
    return f"{test.only_a} with A only, {test.only_b} with B only, {p_value(test.p)} (McNemar, exact)"


def auroc(found: AurocDifference) -> str:
    """Both AUROCs and their difference."""
    return f"A {found.a:.4f}, B {found.b:.4f}; B - A = {found.value:+.4f}, {_interval(found)}"


def time(ratio: Ratio | None) -> str:
    """As a ratio, for milliseconds of this computer say nothing of the device."""
    if ratio is None:
        return "- (needs more pictures that both can judge)"
    return (
        f"B takes {ratio.median:.2f} times as long as A (half of {ratio.pictures} pictures: {ratio.low:.2f} to "
        f"{ratio.high:.2f}), as a ratio, measured on this computer, one thread"
    )


def flip_caption(pair: Pair) -> str:
    """Why a picture is shown."""
    return f"{pair.picture.kind or ''} A: {side(pair.a)}; B: {side(pair.b)}".strip()


def side(told: Side) -> str:
    """A verdict, and by how much."""
    return f"{told.decision} {told.ratio:.2f}" if told.ratio == told.ratio else f"{told.decision} {told.reason}"


def p_value(p: float) -> str:
    """As it is usually written."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"  # noqa: PLR2004 - three digits are shown


def _change(test: Discordant, does: str, what: str, other: str) -> str:
    if test.only_a == test.only_b == 0:
        return f"B {does} the same {what}s as A"
    return (
        f"B {does} {test.only_b or 'no'} {_plural(test.only_b, what, f'{what}s')} that A {other}, A {test.only_a or 'none'} "
        f"that B {other} "
        f"({p_value(test.p)}, {_beyond(test.beyond_chance)})"
    )


def _beyond(is_beyond: bool) -> str:
    return "beyond chance" if is_beyond else "not beyond chance"


def _auroc_sentence(found: AurocDifference | None) -> str:
    if found is None:
        return ""
    if found.a == found.b:
        return f"AUROC is the same ({found.a:.4f})."
    if found.low is None:
        return f"AUROC differs by {found.value:+.4f}; these parts do not allow an interval."
    return f"AUROC differs by {found.value:+.4f} ({_interval(found)}), {_beyond(found.beyond_chance)}."


def _interval(found: AurocDifference) -> str:
    if found.low is None or found.high is None:
        return "no interval: too few parts, or both rank them alike"
    return f"95 % interval {found.low:+.4f} to {found.high:+.4f}"


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many
