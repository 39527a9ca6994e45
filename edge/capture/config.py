"""The station file's part about where pictures come from."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge.capture.settings import SettingsConfig
from edge.capture.trigger_config import GpioConfig, HttpTriggerConfig, MotionConfig
from edge.strict import Place, Strict, Text

_FOURCC = 4

TriggerKind = Literal["interval", "motion", "command", "http", "gpio"]


class FolderConfig(Strict):
    """Every picture of a folder once, by name; then the run ends."""

    kind: Literal["folder"]
    path: Place


class WatchConfig(Strict):
    """Files as they arrive; judged ones are moved to processed/ and failed/.

    quota_mb: of those two together, in millions of bytes; beyond it the oldest are deleted. in_work_file: where is kept
    which file is in work, through a kill; None: beside the outbox, with the station file's name.
    """

    kind: Literal["watch"]
    path: Place
    poll_s: float = Field(default=0.2, ge=0.01, le=60)
    quota_mb: int = Field(default=2000, ge=1, le=100_000_000)
    in_work_file: Place | None = None

    def with_in_work_file(self, usual: Path) -> Self:
        """The same, with a place for what is in work in any case."""
        return self if self.in_work_file else self.model_copy(update={"in_work_file": str(usual)})


class VideoConfig(Strict):
    """Every n-th frame of a video file; then the run ends."""

    kind: Literal["video"]
    path: Place
    every: int = Field(default=1, ge=1)


class LiveConfig(Strict):
    """What every live camera has.

    trigger: what asks for a part. timeout_s: how long opening or one frame may take. settings: set at each opening and read
    back. frozen_frames: so many byte-identical frames in a row are a frozen camera; None: 20, once it has shown noise.
    noise_file: where is kept that it has; None: beside the outbox, with the station file's name.
    """

    trigger: TriggerKind = "interval"
    interval_s: float = Field(default=1.0, ge=0, le=3600)
    timeout_s: float = Field(default=5.0, ge=0.1, le=120)
    settings: SettingsConfig = SettingsConfig()
    frozen_frames: Annotated[int, Field(ge=2, le=100_000)] | None = None
    noise_file: Place | None = None
    motion: MotionConfig | None = None
    http: HttpTriggerConfig | None = None
    gpio: GpioConfig | None = None

    def with_noise_file(self, usual: Path) -> Self:
        """The same, with a place for what is known of the camera's noise in any case."""
        return self if self.noise_file else self.model_copy(update={"noise_file": str(usual)})

    @model_validator(mode="after")
    def _trigger_has_its_keys(self) -> Self:
        for kind in ("motion", "http", "gpio"):
            if getattr(self, kind) is not None and self.trigger != kind:
                raise ValueError(f"{kind}: belongs to trigger: {kind}, and trigger is {self.trigger}; correct one of them")
        if self.trigger == "http" and self.http is None:
            raise ValueError("trigger: http needs a port; add http: {port: …}")
        if self.trigger == "gpio" and self.gpio is None:
            raise ValueError("trigger: gpio needs a line; add gpio: {chip: …, line: …}")
        return self


class CameraConfig(LiveConfig):
    """A live camera through OpenCV: index, /dev path, URL, or gst:// and a GStreamer pipeline."""

    kind: Literal["camera"]
    device: Annotated[int, Field(ge=0, le=255)] | Text
    rtsp_transport: Literal["tcp", "udp"] = "tcp"

    @model_validator(mode="after")
    def _settings_can_be_set(self) -> "CameraConfig":
        if isinstance(self.device, str) and "://" in self.device:
            for key, _ in self.settings.wished():
                if key not in {"width", "height", "fps"}:
                    raise ValueError(f"settings.{key}: cannot be set over {self.device.split(':')[0]}; set it in the camera")
        if self.settings.pixel_format and len(self.settings.pixel_format.encode()) > _FOURCC:
            raise ValueError("settings.pixel_format: is a FOURCC of at most 4 letters here, such as MJPG or YUYV")
        return self


class GenicamConfig(LiveConfig):
    """A GenICam camera. producer: its maker's GenTL producer, a .cti file; serial: None where that sees one camera only."""

    kind: Literal["genicam"]
    producer: Place
    serial: Text | None = None


SourceConfig = Annotated[
    FolderConfig | WatchConfig | VideoConfig | CameraConfig | GenicamConfig, Field(discriminator="kind")
]
