"""What a page is made of. Commands compose these; `calibration.page.render` alone knows HTML."""

from dataclasses import dataclass
from typing import Literal

from bokeh.plotting import figure

Tone = Literal["plain", "good", "warn", "bad"]
"""How a block is coloured: nothing to say, as it should be, look at it, act on it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, without markup."""

    words: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and their values, a line each."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells as they are shown. Columns in `numeric`, counted from 0, are set to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with a sentence that says what to see in it."""

    plot: figure
    caption: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in a gallery. jpeg: the encoded bytes (see `calibration.page.pictures`)."""

    jpeg: bytes
    title: str
    caption: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures side by side, as many in a row as fit."""

    pictures: tuple[Shown, ...]


Block = Text | Facts | Table | Chart | Gallery


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page. lead: the sentence one would sign or act on; it stands first and stands out."""

    title: str
    lead: Text
    sections: tuple[Section, ...]
