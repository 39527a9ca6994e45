"""A page becomes one HTML file: style, charts and pictures inside, nothing fetched."""

import base64
from importlib.metadata import version
from pathlib import Path

from bokeh.embed import components
from bokeh.resources import Resources
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from calibration.page.blocks import Block, Chart, Facts, Gallery, Page, Table, Text
from edge.errors import BadConfig
from edge.host.clock import utc_now
from edge.host.files import write_through

_KINDS: dict[type, str] = {Text: "text", Facts: "facts", Table: "table", Chart: "chart", Gallery: "gallery"}


def write_page(page: Page, path: Path) -> None:
    """Write a page; a file that was there is replaced whole.

    Raises:
        BadConfig: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        try:
            write_through(draft, as_html(page).encode())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as err:
        raise BadConfig(f"--page: {path} cannot be written: {err.strerror}.") from None


def as_html(page: Page) -> str:
    """The whole file."""
    charts = [block for section in page.sections for block in section.blocks if isinstance(block, Chart)]
    script, drawn = components([chart.plot for chart in charts]) if charts else ("", ())
    places = {id(chart): Markup(place) for chart, place in zip(charts, drawn, strict=True)}  # noqa: S704 - bokeh's own
    return _ENVIRONMENT.get_template("page.html.j2").render(
        page=page,
        kind=_kind,
        data_uri=_data_uri,
        place=lambda chart: places[id(chart)],
        chart_script=Markup(script),  # noqa: S704 - bokeh's own, data inside is JSON that it escapes
        library=Markup("".join(f"<script>{code}</script>" for code in _LIBRARY.js_raw) if charts else ""),  # noqa: S704
        version=version("goodpart"),
        made=utc_now(),
    )


def _kind(block: Block) -> str:
    return _KINDS[type(block)]


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


_ENVIRONMENT = Environment(
    loader=PackageLoader("calibration.page", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_LIBRARY = Resources(mode="inline", components=["bokeh"])
"""The part of bokeh's script that draws; widgets, tables and formulas stay out."""
