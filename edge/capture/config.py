"""The station file's part about where pictures come from."""

from typing import Annotated, Literal

from pydantic import Field

from edge.strict import Place, Strict, Text


class FolderConfig(Strict):
    """Every picture of a folder once, by name; then the run ends."""

    kind: Literal["folder"]
    path: Place


class WatchConfig(Strict):
    """Files as they arrive; judged ones are moved to processed/ and failed/."""

    kind: Literal["watch"]
    path: Place
    poll_s: float = Field(default=0.2, ge=0.01, le=60)


class VideoConfig(Strict):
    """Every n-th frame of a video file; then the run ends."""

    kind: Literal["video"]
    path: Place
    every: int = Field(default=1, ge=1)


class CameraConfig(Strict):
    """A live camera: index, /dev path or URL. trigger: whether a part is taken each `interval_s`, or on command."""

    kind: Literal["camera"]
    device: Annotated[int, Field(ge=0, le=255)] | Text
    trigger: Literal["interval", "command"] = "interval"
    interval_s: float = Field(default=1.0, ge=0, le=3600)
    timeout_s: float = Field(default=5.0, ge=0.1, le=120)


SourceConfig = Annotated[FolderConfig | WatchConfig | VideoConfig | CameraConfig, Field(discriminator="kind")]
