"""Where messages stand in the plant's topic tree."""

from edge.report.wire import StationName

_TEMPLATE = "{prefix}/v1/{site}/{area}/{line}/{station}/{leaf}"


def topic(prefix: str, station: StationName, leaf: str) -> str:
    """`{prefix}/v1/{site}/{area}/{line}/{station}/{leaf}`, for example goodpart/v1/ulm/cells/line-1/el-camera/result."""
    return _TEMPLATE.format(prefix=prefix, leaf=leaf, **station.model_dump())


def topic_of_any(prefix: str, leaf: str) -> str:
    """The same for every station: the names of its levels in braces, as AsyncAPI and RFC 6570 write parameters."""
    return _TEMPLATE.format(prefix=prefix, leaf=leaf, **{level: f"{{{level}}}" for level in StationName.model_fields})
