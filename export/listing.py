"""What `goodpart export inspect` shows: a source's layers and the taps it proposes."""

from edge.inspect.card import PreparationCard
from edge.strict import Strict
from export.graph import check_size
from export.sources import Wanted, open_source, size_for
from export.stages import Layers
from export.tracing import trace


class StageRow(Strict):
    """One layer; see `export.stages.Stage`."""

    name: str
    kind: str
    stride: int
    channels: int
    shape: tuple[int, ...]


class Listing(Strict):
    """A source's layers that have places of the picture, and the taps an export would take."""

    source: str
    height: int
    width: int
    preparation: PreparationCard
    stages: tuple[StageRow, ...]
    taps: tuple[str, ...]


def list_stages(wanted: Wanted, size: tuple[int, int] | None) -> Listing:
    """Open and trace a source at `size`, height and width; None takes its own.

    Raises:
        BadEncoder: as `export.build.build`, before anything is exported.
        BadConfig: the size does not work.
    """
    source = open_source(wanted, size)
    height, width = size_for(source, size)
    check_size(height, width)
    layers = Layers(trace(source, (height, width)).graph, (height, width))
    said = source.preparation
    return Listing(
        source=source.origin,
        height=height,
        width=width,
        preparation=PreparationCard(mean=said.mean, std=said.std, colour=said.colour, origin=said.origin),
        stages=tuple(
            StageRow(name=s.name, kind=s.kind, stride=s.stride, channels=s.channels, shape=s.shape)
            for s in layers.distinct()
        ),
        taps=source.taps or layers.propose(),
    )


def in_words(listing: Listing) -> str:
    """A table of the layers as deep as the proposed taps lie."""
    depth = max((tap.count(".") for tap in listing.taps), default=0)
    rows = [row for row in listing.stages if row.name.count(".") <= depth or row.name in listing.taps]
    wide = max([len(row.name) for row in rows], default=0)
    said = listing.preparation
    return "\n".join(
        [
            f"source    {listing.source}",
            f"input     {listing.height}×{listing.width}; {preparation_in_words(said)}",
            *(
                f"{'tap' if row.name in listing.taps else '':9} {row.name:{wide}}  stride {row.stride:2}, "
                f"{row.channels:4} channels, {row.kind} {'×'.join(map(str, row.shape))}"
                for row in rows
            ),
            f"proposed  --taps {','.join(listing.taps)}"
            if listing.taps
            else "proposed  none; no layer fits, name two with --taps",
        ]
    )


def preparation_in_words(said: PreparationCard) -> str:
    """Colour order, mean and std in one line."""
    mean, std = ([f"{value:g}" for value in values] for values in (said.mean, said.std))
    return f"{said.colour.upper()}, mean {' '.join(mean)}, std {' '.join(std)} of 0..255 ({said.origin})"
