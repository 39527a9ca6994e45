"""Charts in one style. Drawn by the browser, so they grow and shrink with the page."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from bokeh.core.property.vectorization import Value
from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.models.annotations import BoxAnnotation, LegendItem
from bokeh.plotting import figure
from numpy.typing import NDArray

GOOD, BAD, UNSURE, PLAIN, INK = "#2e7d32", "#c62828", "#ef8f00", "#37618e", "#22272b"
SERIES = (PLAIN, "#b5562c", "#6a4c93", "#1f8a84", "#8a6d1f", "#a23b72", "#5c6b73", "#3f7d20")
"""Colours that stay apart for most colour-blind readers, in the order in which groups take them."""

_HEIGHT = 320
_ROOM = timedelta(hours=12)
_FONT = "13px"
_MOST_BINS = 40
_LINE_LETTERS, _KEY_LETTERS = 42, 4


def plot(x: str, y: str, *, height: int = _HEIGHT, tools: str = "", x_type: str = "auto") -> figure:
    """An empty chart with its axes named; its width is the page's."""
    drawn = figure(
        height=height,
        sizing_mode="stretch_width",
        tools=tools,
        toolbar_location="above" if tools else None,
        x_axis_label=x,
        y_axis_label=y,
        x_axis_type=x_type,  # type: ignore[arg-type] # bokeh's own Literal, which it does not export
    )
    drawn.axis.axis_label_text_font_style = "normal"
    drawn.axis.axis_label_text_font_size = _FONT
    drawn.axis.major_label_text_font_size = "12px"
    drawn.grid.grid_line_color = "#e4e7eb"
    drawn.outline_line_color = None
    return drawn


def legend(drawn: figure) -> figure:
    """The legend above the chart, where it covers nothing."""
    for each in drawn.legend:
        each.orientation = "horizontal"
        each.label_text_font_size = _FONT
        each.border_line_color = None
        each.location = "left"
        # On a phone a line has place for about so many letters; what does not fit would widen the page.
        labels = [i.label.value for i in each.items if isinstance(i, LegendItem) and isinstance(i.label, Value)]
        letters = sum(len(str(label)) + _KEY_LETTERS for label in labels)
        if each.ncols == "auto":
            each.nrows = -(-letters // _LINE_LETTERS)
        drawn.add_layout(each, "above")
    return drawn


def histogram(
    scores: Mapping[str, NDArray[np.float64]],
    *,
    x: str = "score",
    y: str = "pictures",
    threshold: float | None = None,
    band: tuple[float, float] | None = None,
    gray_from: float | None = None,
) -> figure:
    """Scores of one group or several, in common bins. y: what is counted.

    band: an interval around the threshold, its uncertainty; gray_from: where the gray zone below the threshold begins.
    """
    drawn = plot(x, y)
    every = np.concatenate([values[np.isfinite(values)] for values in scores.values()])
    edges = np.histogram_bin_edges(every, bins=min(_MOST_BINS, max(8, int(np.sqrt(every.size) * 2))))
    tallest = 1
    for (name, values), colour in zip(scores.items(), _colours(list(scores)), strict=True):
        counts, _ = np.histogram(values[np.isfinite(values)], edges)
        tallest = max(tallest, int(counts.max()))
        source = ColumnDataSource({"count": counts, "left": edges[:-1], "right": edges[1:]})
        drawn.quad(
            bottom=0,
            top="count",
            left="left",
            right="right",
            source=source,
            fill_color=colour,
            fill_alpha=0.55,
            line_color=colour,
            legend_label=name,
        )
    drawn.add_tools(HoverTool(tooltips=[(x, "@left{0.00} to @right{0.00}"), (y, "@count")]))
    if band is not None:
        drawn.add_layout(BoxAnnotation(left=band[0], right=band[1], fill_color="black", fill_alpha=0.08))
    if gray_from is not None and threshold is not None:
        drawn.add_layout(BoxAnnotation(left=gray_from, right=threshold, fill_color=UNSURE, fill_alpha=0.18))
    if threshold is not None:
        mark(drawn, threshold, f"threshold {threshold:.3g}", (0, tallest * 1.05))
    return legend(drawn)


def mark(
    drawn: figure, at: float, words: str, reach: tuple[float | datetime, float | datetime], *, level: bool = False
) -> None:
    """A dashed line with a name in the legend: upright at x = `at`, or level at y = `at`, from one end to the other."""
    x, y = ([*reach], [at, at]) if level else ([at, at], [*reach])
    drawn.line(x, y, line_dash="dashed", line_color=INK, line_width=1.5, legend_label=words)


def curve(
    x: NDArray[np.float64],
    lines: Mapping[str, NDArray[np.float64]],
    *,
    x_name: str,
    y_name: str,
    threshold: float | None = None,
) -> figure:
    """Lines over a common x, one of each name."""
    drawn = plot(x_name, y_name)
    for (name, values), colour in zip(lines.items(), _colours(list(lines)), strict=True):
        drawn.line(x, values, line_width=2.5, color=colour, legend_label=name)
    drawn.add_tools(HoverTool(tooltips=[(x_name, "$x{0.000}"), (y_name, "$y{0.000}")], mode="mouse"))
    if threshold is not None:
        every = np.concatenate(list(lines.values()))
        mark(drawn, threshold, f"threshold {threshold:.3g}", (float(np.nanmin(every)), float(np.nanmax(every))))
    return legend(drawn)


def roc(false_positive: NDArray[np.float64], true_positive: NDArray[np.float64], name: str) -> figure:
    """Share of defects caught over share of goods rejected, with the diagonal of a coin."""
    drawn = plot("share of goods rejected", "share of defects caught")
    drawn.line([0, 1], [0, 1], color="#9aa5b1", line_dash="dotted")
    drawn.line(false_positive, true_positive, line_width=2.5, color=PLAIN, legend_label=name)
    drawn.add_tools(HoverTool(tooltips=[("goods rejected", "$x{0.0 %}"), ("defects caught", "$y{0.0 %}")]))
    return legend(drawn)


def trend(
    at: Sequence[datetime] | NDArray[np.float64],
    lines: Mapping[str, NDArray[np.float64]],
    *,
    y: str,
    x: str = "time",
    dots: bool = True,
    limits: Mapping[str, float] | None = None,
) -> figure:
    """Values over time or over a running number, with level limits by name."""
    drawn = plot(x, y, x_type="auto" if isinstance(at, np.ndarray) else "datetime")
    _give_room(drawn, at)
    for (name, values), colour in zip(lines.items(), _colours(list(lines)), strict=True):
        if dots:
            drawn.scatter(at, values, size=5, color=colour, alpha=0.7, legend_label=name)
        else:
            drawn.line(at, values, line_width=2, color=colour, legend_label=name)
    for name, value in (limits or {}).items():
        mark(drawn, value, name, (at[0], at[-1]), level=True)
    return legend(drawn)


def pairs(
    groups: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]], *, x: str, y: str, border: float | None = None
) -> figure:
    """Each thing measured twice, x against y, by group, with the line of equality; border: a limit on both axes."""
    drawn = plot(x, y)
    every = np.concatenate([np.concatenate(pair) for pair in groups.values()])
    low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
    drawn.line([low, high], [low, high], color="#9aa5b1", line_dash="dotted")
    for (name, (across, up)), colour in zip(groups.items(), _colours(list(groups)), strict=True):
        drawn.scatter(across, up, size=6, color=colour, alpha=0.55, legend_label=name)
    if border is not None:
        mark(drawn, border, "threshold", (low, high))
        mark(drawn, border, "threshold", (low, high), level=True)
    drawn.add_tools(HoverTool(tooltips=[(x, "$x{0.00}"), (y, "$y{0.00}")]))
    return legend(drawn)


def shares(
    at: Sequence[datetime],
    values: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]],
    *,
    y: str,
    limits: Mapping[str, float] | None = None,
) -> figure:
    """Shares over time, each as (value, low, high) with its interval as an upright line, and level limits by name."""
    drawn = plot("time", y, x_type="datetime")
    _give_room(drawn, at)
    for (name, (value, low, high)), colour in zip(values.items(), _colours(list(values)), strict=True):
        drawn.segment(list(at), low, list(at), high, color=colour, line_width=2, alpha=0.5)
        drawn.scatter(list(at), value, size=7, color=colour, legend_label=name)
    for name, level in (limits or {}).items():
        mark(drawn, level, name, (at[0], at[-1]), level=True)
    return legend(drawn)


def dots(
    groups: Mapping[str, Sequence[float]], *, threshold: float, band: tuple[float, float], stand_out: frozenset[str]
) -> figure:
    """Scores of each group above each other, groups by their mean; those in `stand_out` have another colour.

    band: scores around the threshold that are shaded.
    """
    drawn = plot("parts in order of their mean score", "score")
    ordered = sorted((name for name in groups if groups[name]), key=lambda name: float(np.mean(groups[name])))
    for words, colour, chosen in (("same verdict", PLAIN, False), ("verdict flips", BAD, True)):
        found = [(at, v, name) for at, name in enumerate(ordered, 1) if (name in stand_out) is chosen for v in groups[name]]
        if found:
            at, values, names = zip(*found, strict=True)
            source = ColumnDataSource({"at": at, "score": values, "part": names})
            drawn.scatter("at", "score", source=source, size=6, color=colour, alpha=0.7, legend_label=words)
    drawn.add_tools(HoverTool(tooltips=[("part", "@part"), ("score", "@score{0.000}")]))
    drawn.add_layout(BoxAnnotation(bottom=band[0], top=band[1], fill_color=UNSURE, fill_alpha=0.18))
    mark(drawn, threshold, f"threshold {threshold:.3g}", (0.5, len(ordered) + 0.5), level=True)
    return legend(drawn)


def _give_room(drawn: figure, at: Sequence[datetime] | NDArray[np.float64]) -> None:
    """Around a single time: bokeh would show the microseconds about it."""
    if not isinstance(at, np.ndarray) and len(set(at)) == 1:
        drawn.x_range = Range1d(start=at[0] - _ROOM, end=at[0] + _ROOM)


def _colours(names: list[str]) -> list[str]:
    """Green for goods and red for defects; others take the series in order."""
    fixed = {"good": GOOD, "goods": GOOD, "held-out goods": GOOD, "defect": BAD, "defects": BAD}
    free = iter(SERIES * (1 + len(names) // len(SERIES)))
    return [fixed.get(name) or next(free) for name in names]
