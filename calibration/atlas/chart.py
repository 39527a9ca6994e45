"""The map as a chart: pan, zoom, select, and a thumbnail under the pointer."""

import base64
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, LinearColorMapper
from bokeh.models.annotations import ColorBar, Legend, LegendItem
from bokeh.models.renderers import DataRenderer, GlyphRenderer
from bokeh.palettes import Viridis256
from bokeh.plotting import figure
from bokeh.transform import transform

from calibration.atlas.gather import Seen
from calibration.atlas.reduce import Plane
from calibration.page.charts import BAD, GOOD, INK, SERIES, legend, plot
from edge.types import Decision

Colour = Literal["group", "score"]

_HEIGHT = 560
_SIZE = 9
_COLUMNS = 3
_UNKNOWN = "#b8bec4"
_MARKERS = {Decision.OK: "circle", Decision.NOK: "triangle", Decision.NOT_DECIDABLE: "x"}

_HOVER = """
<div style="max-width:14rem">
<img src="@jpeg" alt="" style="display:block;max-width:100%;margin-bottom:.3rem">
<b>@name</b><br>@group<br>@verdict&ensp;@score
</div>"""

_ON_SELECTION = """
let box = document.getElementById("goodpart-selected")
if (box === null) {
  box = document.createElement("textarea")
  box.id = "goodpart-selected"
  box.readOnly = true
  box.setAttribute("aria-label", "names of the selected pictures")
  box.style.cssText = "width:100%;font:13px monospace;border:1px solid #e4e7eb;padding:.5rem"
  document.querySelector(".chart").after(box)
}
const names = sources.flatMap((source) => source.selected.indices.map((i) => source.data.name[i]))
box.rows = Math.min(Math.max(names.length, 2), 12)
box.value = names.join("\\n")
box.hidden = names.length === 0
"""
"""Names a line each, as an exclude list has them."""


def scatter(plane: Plane, seen: Sequence[Seen], colour: Colour) -> figure:
    """One mark a picture: its shape the verdict, its colour the group or the score."""
    drawn = plot(*axis_names(plane), height=_HEIGHT, tools="pan,wheel_zoom,box_zoom,lasso_select,tap,reset,save")
    if plane.method != "pca":
        # Neither the numbers nor the directions mean anything.
        drawn.axis.major_label_text_font_size = "0px"
        drawn.axis.major_tick_line_color = drawn.axis.minor_tick_line_color = None
    groups = list(dict.fromkeys(each.picture.group for each in seen))
    by_score = _score_mapper(seen) if colour == "score" else None
    sources: list[ColumnDataSource] = []
    marks: list[DataRenderer] = []
    items: list[LegendItem] = []
    for group, tint in zip(groups, _tints(groups), strict=True):
        source = _source(plane, seen, group)
        fill = transform("value", by_score) if by_score else tint
        mark = drawn.scatter(
            "x",
            "y",
            source=source,
            marker="marker",
            size=_SIZE,
            fill_color=fill,
            line_color=fill,
            fill_alpha=0.65,
            nonselection_fill_alpha=0.1,
            nonselection_line_alpha=0.15,
        )
        sources.append(source)
        marks.append(mark)
        sample = _sample(drawn, "square", INK if by_score else tint)
        items.append(LegendItem(label=group, renderers=[sample, mark]))  # type: ignore[list-item] # a kind of what is asked
    for source in sources:
        source.selected.js_on_change("indices", CustomJS(args={"sources": sources}, code=_ON_SELECTION))
    drawn.add_tools(HoverTool(renderers=marks, tooltips=_HOVER))
    if by_score:
        drawn.add_layout(ColorBar(color_mapper=by_score, title="score", width=12, padding=4), "right")
    items += [
        LegendItem(label=str(decision), renderers=[_sample(drawn, _MARKERS[decision], INK, filled=False)])
        for decision in dict.fromkeys(each.decision for each in seen)
    ]
    drawn.add_layout(Legend(items=items, click_policy="hide", ncols=_COLUMNS))
    return legend(drawn)


def _sample(drawn: figure, marker: str, colour: str, *, filled: bool = True) -> GlyphRenderer:  # type: ignore[type-arg] # generic for type checkers alone
    """A mark for the legend alone: it is drawn nowhere."""
    nowhere = [math.nan]
    return drawn.scatter(nowhere, nowhere, marker=marker, size=_SIZE, color=colour, fill_alpha=1.0 if filled else 0.0)


def axis_names(plane: Plane) -> tuple[str, str]:
    """What the axes are; those of PCA say how much of the variance they hold."""
    if plane.explained is None:
        name = {"tsne": "t-SNE", "umap": "UMAP"}[plane.method]
        return f"{name} 1 (no unit)", f"{name} 2 (no unit)"
    first, second = plane.explained
    return f"first principal axis ({first:.0%} of the variance)", f"second ({second:.0%})"


def _score_mapper(seen: Sequence[Seen]) -> LinearColorMapper:
    scores = np.array([each.score for each in seen])
    low, high = (float(np.nanmin(scores)), float(np.nanmax(scores))) if np.isfinite(scores).any() else (0.0, 1.0)
    return LinearColorMapper(palette=Viridis256, low=low, high=max(high, low + 1e-9), nan_color=_UNKNOWN)


def _source(plane: Plane, seen: Sequence[Seen], group: str) -> ColumnDataSource:
    numbers = [number for number, each in enumerate(seen) if each.picture.group == group]
    chosen = [seen[number] for number in numbers]
    return ColumnDataSource(
        {
            "x": plane.points[numbers, 0],
            "y": plane.points[numbers, 1],
            "value": np.array([each.score for each in chosen]),
            "name": [each.picture.path.name for each in chosen],
            "group": [group] * len(chosen),
            "verdict": [f"{each.decision} {each.reason}" for each in chosen],
            "score": [f"score {each.score:.2f}" if np.isfinite(each.score) else "" for each in chosen],
            "marker": [_MARKERS[each.decision] for each in chosen],
            "jpeg": [f"data:image/jpeg;base64,{base64.b64encode(each.jpeg).decode()}" for each in chosen],
        }
    )


def _tints(groups: list[str]) -> list[str]:
    """Green for good, red for a single kind of defect, the series for all others."""
    fixed = {"good": GOOD, "processed": GOOD, "defect": BAD, "failed": BAD}
    free = iter(SERIES * (1 + len(groups) // len(SERIES)))
    return [fixed.get(group) or next(free) for group in groups]
