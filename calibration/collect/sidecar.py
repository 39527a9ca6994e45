"""What is known of a picture that was taken: a JSON file beside it."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from edge.capture.config import CameraConfig, GenicamConfig, SourceConfig
from edge.capture.opencv import without_secrets
from edge.errors import BadConfig
from edge.report.wire import StationName
from edge.strict import Strict, load_json

SUFFIX = ".json"

Share = Annotated[float, Field(ge=0, le=1)]


class Fitness(Strict):
    """How a picture looks, in numbers.

    brightness, contrast: mean and standard deviation in grey levels, as the device measures them (`edge.capture.fitness`).
    sharpness: variance of the Laplacian. white, black: shares of clipped pixels (see `calibration.collect.hints`).
    """

    brightness: float = Field(ge=0, le=255)
    contrast: float = Field(ge=0, le=255)
    sharpness: float = Field(ge=0)
    white: Share
    black: Share


class SourceName(Strict):
    """Where a picture came from. device: index, path or URL, without name and password."""

    kind: Literal["folder", "watch", "video", "camera", "genicam"]
    device: int | str


class Sidecar(Strict):
    """One good picture: which part, when, where, and how it looked. Times are RFC 3339 in UTC.

    shot: what the source called it, for example the name of the file it read. sha256: of the PNG.
    """

    format: Literal["goodpart.picture/1"] = "goodpart.picture/1"
    part: str
    picture: int = Field(ge=1)
    taken_utc: AwareDatetime
    station: StationName
    source: SourceName
    shot: str
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    fitness: Fitness
    goodpart: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def source_name(config: SourceConfig) -> SourceName:
    """The source as a sidecar names it."""
    match config:
        case CameraConfig():
            return SourceName(kind=config.kind, device=without_secrets(config.device))
        case GenicamConfig():
            return SourceName(kind=config.kind, device=config.serial or config.producer)
        case _:
            return SourceName(kind=config.kind, device=config.path)


def sidecar_of(picture: Path) -> Path:
    """Where the sidecar of a picture stands."""
    return picture.with_suffix(SUFFIX)


def read_sidecar(picture: Path) -> Sidecar | None:
    """What stands beside a picture; None when nothing does.

    Raises:
        BadConfig: it is damaged or from another version.
    """
    path = sidecar_of(picture)
    return load_json(path, Sidecar, BadConfig) if path.exists() else None
