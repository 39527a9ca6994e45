"""An audit in words, as the command and the page say it."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from calibration.audit.audit import Audit
from calibration.audit.drift import FEWEST, Drift, Trend
from calibration.audit.groups import Grouping
from calibration.page.blocks import Tone

_MOST_LINES = 12
_CLOCKS = {
    "sidecar": "by taken_utc beside the pictures",
    "file": "by the files' modification times",
    "name": "in the order of names, since neither sidecars nor the files' times say when",
}


def lead(found: Audit) -> tuple[str, Tone]:
    """What to do, and how urgent it is."""
    out, total = len(found.exclusions), len(found.everything)
    what = _listed(
        (len(found.suspicion.suspects), "suspicious picture", "suspicious pictures"),
        (len(found.misfits), "unfit picture", "unfit pictures"),
        (_copies(found), "copy", "copies"),
        (len(found.leaks), "leak between bank and held-out goods", "leaks between bank and held-out goods"),
    )
    if not out:
        return f"Nothing speaks against these {total} pictures: build a recipe from them.", "good"
    advice = "look at each, take what is good off the exclude list, and build with --exclude"
    tone: Tone = "bad" if found.leaks or 10 * out > total else "warn"
    return f"{out} of {total} pictures should not teach a recipe ({what}): {advice}.", tone


def audit_in_words(found: Audit) -> str:
    """The findings for people, a line each."""
    lines = [lead(found)[0]]
    seen = found.seen
    lines += _some("suspicious", [f"{seen[s.number].good.path.name}  score {s.score:.2f}" for s in found.suspicion.suspects])
    lines += _some("unfit", [f"{misfit.good.path.name}  {misfit.detail}" for misfit in found.misfits])
    lines += _some(
        "the same",
        [
            f"{seen[p.one].good.path.name}  {seen[p.other].good.path.name}  {sameness(p.sameness, p.agreement)}"
            for p in found.pairs
        ],
    )
    lines += _some(
        "in the bank and held out",
        [f"{seen[k.bank].good.path}  {seen[k.held_out].good.path}  {k.why}" for k in found.leaks],
    )
    return "\n".join([*lines, *drift_in_words(found.drift), groups_in_words(found.grouping, len(seen))])


def sameness(kind: str, agreement: float) -> str:
    """How two pictures are the same."""
    return {"bytes": "same bytes", "pixels": "same pixels"}.get(kind, f"look the same, agreement {agreement:.2f}")


def drift_in_words(found: Drift) -> list[str]:
    """A sentence for each clear trend; one that there is none."""
    if not found.trends:
        return [f"drift: fewer than {FEWEST} pictures say nothing of it."]
    clock = _CLOCKS[found.clock]
    clear = [trend for trend in found.trends if trend.clear]
    if not clear:
        return [f"drift: brightness, contrast and colour show no trend, {clock}."]
    span = _span(found.times)
    return [f"drift: {_trend(trend)}{span}, {clock}." for trend in clear]


def groups_in_words(found: Grouping, total: int) -> str:
    """One sentence."""
    if not found.groups:
        return "groups: the pictures are of one kind, or fall into no clear groups."
    parts = ", ".join(
        f"{len(g.numbers)} of {g.size[0]}×{g.size[1]} pixels and brightness {g.brightness:.0f}" for g in found.groups
    )
    return (
        f"groups: {total} pictures fall into {len(found.groups)} groups by {found.by} ({parts}; "
        f"silhouette {found.silhouette:.2f}); if these are different products or stations, build a recipe for each."
    )


def _trend(trend: Trend) -> str:
    rises = "rises" if trend.change > 0 else "falls"
    name = {"chroma": "colour"}.get(trend.look, trend.look)
    odds = "p < 0.0001" if trend.p < 1e-4 else f"p = {trend.p:.4f}"  # noqa: PLR2004 - the last digit shown
    return (
        f"{name} {rises} by {abs(trend.change):.1f} grey levels ({odds}, Kendall's tau {trend.tau:.2f}, "
        f"usual spread {trend.spread:.1f})"
    )


def _span(times: Sequence[datetime] | None) -> str:
    return f" from {times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M} UTC" if times else " from first to last"


def _copies(found: Audit) -> int:
    return sum(any(reason.startswith("duplicate") for reason in e.reasons) for e in found.exclusions)


def _listed(*counts: tuple[int, str, str]) -> str:
    return ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n)


def _some(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return [f"{title}:", *(f"  {line}" for line in lines[:_MOST_LINES]), *more]


def kinds_in_words(found: Audit) -> str:
    """How many unfit pictures there are of each kind."""
    return ", ".join(f"{count} {kind}" for kind, count in Counter(m.kind for m in found.misfits).most_common())
