"""The source that a station file names, and what kind of source it is."""

import threading
from collections.abc import Callable
from pathlib import Path

from edge.capture.camera import CameraSource
from edge.capture.config import CameraConfig, FolderConfig, GenicamConfig, LiveConfig, SourceConfig, VideoConfig, WatchConfig
from edge.capture.genicam import GenicamCamera
from edge.capture.motion_watch import MotionWatch, make_motion
from edge.capture.noise import NoiseMemory
from edge.capture.opencv import OpenCvCamera
from edge.capture.sources import FolderSource, LiveSource, Source
from edge.capture.stream import Camera
from edge.capture.trigger_config import MotionConfig
from edge.capture.triggered import TriggeredCameraSource
from edge.capture.triggers import Triggers
from edge.capture.video import VideoSource
from edge.capture.watch import WatchSource
from edge.command.controls import Controls, OrderedLiveSource, PausableLiveSource, PausableSource
from edge.config import StationConfig
from edge.events import Events
from edge.types import Origin


def origin_of(config: StationConfig) -> Origin:
    """What its results say of where the shots come from. A watched folder is a camera that delivers by files."""
    if config.simulated:
        return Origin.SIMULATED
    match config.source:
        case CameraConfig() | GenicamConfig() | WatchConfig():
            return Origin.LIVE
        case FolderConfig() | VideoConfig():
            return Origin.REPLAY


def open_source(
    config: StationConfig, stop: threading.Event, triggers: Triggers, controls: Controls, events: Events
) -> Source:
    """The line's source; where commands are heard, it rests while one has paused the line, and a camera takes no triggers.

    Raises:
        BadConfig: it cannot be used.
    """
    source = make_source(config.source, stop, triggers, events, lambda: controls.paused, noise_of(config.source))
    if config.commands is None or waits_for_commands(config.source):
        return source
    live = isinstance(config.source, LiveConfig)
    if isinstance(source, LiveSource):
        if isinstance(config.source, LiveConfig) and config.source.trigger != "interval":
            return OrderedLiveSource(source, controls)
        return PausableLiveSource(source, controls, stop, live=live)
    return PausableSource(source, controls, stop, live=live)


def moves_files(config: SourceConfig) -> bool:
    """Whether a part that is done is not offered again after a restart."""
    return isinstance(config, WatchConfig)


def free_running(config: SourceConfig) -> SourceConfig:
    """The same source where nothing will come to ask for a part."""
    return config.model_copy(update={"trigger": "interval"}) if isinstance(config, LiveConfig) else config


def waits_for_commands(config: SourceConfig) -> bool:
    """Whether a part is judged only when a command asks for it."""
    return isinstance(config, LiveConfig) and config.trigger == "command"


def make_camera(config: CameraConfig | GenicamConfig) -> Camera:
    """The camera that the configuration names, closed.

    Raises:
        BadConfig: an extra or a file is missing.
    """
    match config:
        case CameraConfig():
            return OpenCvCamera(
                config.device, config.timeout_s, config.settings, config.rtsp_transport, config.frozen_frames
            )
        case GenicamConfig():
            producer = Path(config.producer)
            return GenicamCamera(producer, config.serial, config.timeout_s, config.settings, config.frozen_frames)


def noise_of(config: SourceConfig, *, keeps: bool = True) -> NoiseMemory | None:
    """What is known of a camera's noise; None where the station file names no place for it. keeps: what is seen now, too."""
    if not isinstance(config, LiveConfig) or config.noise_file is None:
        return None
    return NoiseMemory(Path(config.noise_file), keeps=keeps)


def make_source(
    config: SourceConfig,
    stop: threading.Event,
    triggers: Triggers,
    events: Events | None = None,
    paused: Callable[[], bool] = lambda: False,
    noise: NoiseMemory | None = None,
) -> Source:
    """The source that the configuration names. paused: whether motion asks for no part. noise: what is known of a camera's.

    Raises:
        BadConfig: it cannot be used.
    """
    match config:
        case FolderConfig():
            return FolderSource(Path(config.path), stop)
        case WatchConfig():
            return WatchSource(
                Path(config.path),
                config.poll_s,
                stop,
                events=events,
                in_work_file=Path(config.in_work_file) if config.in_work_file else None,
                quota_bytes=config.quota_mb * 1_000_000,
            )
        case VideoConfig():
            return VideoSource(Path(config.path), config.every, stop)
        case CameraConfig() | GenicamConfig() if config.trigger == "interval":
            return CameraSource(make_camera(config), config.interval_s, stop, events, noise)
        case CameraConfig() | GenicamConfig():
            watch = None
            if config.trigger == "motion":
                watch = MotionWatch(make_motion(config.motion or MotionConfig()), triggers, paused, stop)
            return TriggeredCameraSource(make_camera(config), triggers, stop, events, watch, noise)
