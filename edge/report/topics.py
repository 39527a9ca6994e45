"""Where messages stand in the plant's topic tree."""

from edge.report.message import StationName


def topic(prefix: str, station: StationName, leaf: str) -> str:
    """`{prefix}/v1/{site}/{area}/{line}/{station}/{leaf}`, for example goodpart/v1/ulm/cells/line-1/el-camera/result."""
    return f"{prefix}/v1/{station.site}/{station.area}/{station.line}/{station.station}/{leaf}"
