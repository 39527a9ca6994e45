"""The source that a station file names, and what kind of source it is."""

import threading
from pathlib import Path

from edge.capture.camera import CameraSource
from edge.capture.config import CameraConfig, FolderConfig, SourceConfig, VideoConfig, WatchConfig
from edge.capture.sources import FolderSource, LiveSource, Source
from edge.capture.triggered import TriggeredCameraSource, Triggers
from edge.capture.video import VideoSource
from edge.capture.watch import WatchSource
from edge.command.controls import Controls, PausableLiveSource, PausableSource
from edge.config import StationConfig
from edge.events import Events
from edge.types import Origin


def origin_of(config: StationConfig) -> Origin:
    """What its results say of where the shots come from. A watched folder is a camera that delivers by files."""
    if config.simulated:
        return Origin.SIMULATED
    match config.source:
        case CameraConfig() | WatchConfig():
            return Origin.LIVE
        case FolderConfig() | VideoConfig():
            return Origin.REPLAY


def make_pausable(source: Source, controls: Controls, stop: threading.Event, *, live: bool) -> Source:
    """The source, resting while a command has paused the line."""
    if isinstance(source, LiveSource):
        return PausableLiveSource(source, controls, stop, live=live)
    return PausableSource(source, controls, stop, live=live)


def free_running(config: SourceConfig) -> SourceConfig:
    """The same source where no command will come to ask for a part."""
    return config.model_copy(update={"trigger": "interval"}) if isinstance(config, CameraConfig) else config


def waits_for_triggers(config: SourceConfig) -> bool:
    """Whether a part is judged only when a command asks for it."""
    return isinstance(config, CameraConfig) and config.trigger == "command"


def make_source(config: SourceConfig, stop: threading.Event, triggers: Triggers, events: Events | None = None) -> Source:
    """The source that the configuration names."""
    match config:
        case FolderConfig():
            return FolderSource(Path(config.path), stop)
        case WatchConfig():
            return WatchSource(Path(config.path), config.poll_s, stop, events=events)
        case VideoConfig():
            return VideoSource(Path(config.path), config.every, stop)
        case CameraConfig() if waits_for_triggers(config):
            return TriggeredCameraSource(config.device, config.timeout_s, triggers, stop, events)
        case CameraConfig():
            return CameraSource(config.device, config.interval_s, config.timeout_s, stop, events)
