"""Cameras through OpenCV: V4L2 by index or path, RTSP and HTTP through FFmpeg, and pipelines of GStreamer."""

import os
import re
from typing import Any, Literal, Protocol

import cv2
from numpy.typing import NDArray

from edge.capture.settings import Deviation, SettingsConfig, Value, apply
from edge.capture.stream import Traits
from edge.errors import BadConfig, CameraLost

PIPELINE = "gst://"

_V4L2_EXPOSURE_US = 100.0
"""V4L2_CID_EXPOSURE_ABSOLUTE counts 100 µs (Linux media documentation, "Camera Control Reference")."""

_EXPOSURE_MANUAL, _EXPOSURE_AUTO = 1.0, (3.0, 0.0)
"""Of V4L2_CID_EXPOSURE_AUTO: manual; aperture priority, which is what UVC cameras call automatic, and automatic."""

_UNKNOWN = -1.0
"""What OpenCV's V4L2 back end says of a control that the device does not have."""

_NUMBERS = {
    "width": cv2.CAP_PROP_FRAME_WIDTH,
    "height": cv2.CAP_PROP_FRAME_HEIGHT,
    "fps": cv2.CAP_PROP_FPS,
    "exposure_us": cv2.CAP_PROP_EXPOSURE,
    "gain": cv2.CAP_PROP_GAIN,
    "white_balance_k": cv2.CAP_PROP_WB_TEMPERATURE,
}


class Capture(Protocol):
    """What is used of cv2.VideoCapture."""

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether it is open."""

    def read(self) -> tuple[bool, NDArray[Any] | None]:
        """The next frame."""

    def get(self, prop: int, /) -> float:
        """A property."""

    def set(self, prop: int, value: float, /) -> bool:
        """Ask for a property; True does not mean that the camera obeys."""

    def release(self) -> None:
        """Close it."""


class OpenCvCamera:
    """A camera that OpenCV opens; frames as `cv2.VideoCapture.read` gives them.

    Args:
        device: index (0), device path (/dev/v4l/by-id/…), URL (rtsp://…, http://…), or gst:// and a pipeline that ends with
            appsink.
        timeout_s: how long opening or one frame may take.
        settings: set at each opening and read back; over a network and in a pipeline, size and rate are only read.
        rtsp_transport: what RTSP's pictures travel by.
        frozen_frames: as in `Traits`.

    Raises:
        BadConfig: a pipeline, and this OpenCV was built without GStreamer.
    """

    def __init__(
        self,
        device: int | str,
        timeout_s: float,
        settings: SettingsConfig | None = None,
        rtsp_transport: Literal["tcp", "udp"] = "tcp",
        frozen_frames: int | None = None,
    ) -> None:
        self._device, self._settings = device, settings or SettingsConfig()
        self.traits = Traits(
            without_secrets(device), timeout_s, frozen_frames, compresses=is_url(device) and not is_pipeline(device)
        )
        if is_pipeline(device) and not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
            raise BadConfig(
                "source.device: gst:// needs an OpenCV that was built with GStreamer, and opencv-python-headless is not; "
                "build it with -D WITH_GSTREAMER=ON, or give the camera's rtsp:// URL or /dev path."
            )
        # The only way in that OpenCV offers; one process has one camera. Here, and not when it is opened: the environment is
        # not to be changed while another thread may read it, which has ended the process (setenv(3), "MT-Unsafe const:env").
        if is_url(device):
            os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = f"rtsp_transport;{rtsp_transport}"

    def open(self) -> "OpenCvStream":
        """Open it and tell it its settings.

        Raises:
            CameraLost: it cannot be opened now.
        """
        capture = self._capture()
        if not capture.isOpened():
            capture.release()
            raise CameraLost(f"camera {self.traits.name} cannot be opened; is it plugged in, and may this user read it?")
        if not is_url(self._device):
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return OpenCvStream(capture, self._settings)

    def _capture(self) -> cv2.VideoCapture:
        device = self._device
        if not is_url(device):
            return cv2.VideoCapture(device, cv2.CAP_V4L2)
        # Timeouts count only with the back end named and given at opening.
        timeout_ms = round(self.traits.timeout_s * 1000)
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms]
        if is_pipeline(device):
            return cv2.VideoCapture(str(device).removeprefix(PIPELINE), cv2.CAP_GSTREAMER, limits)
        return cv2.VideoCapture(str(device), cv2.CAP_FFMPEG, limits)


class OpenCvStream:
    """An open capture."""

    def __init__(self, capture: Capture, settings: SettingsConfig) -> None:
        self._capture = capture
        self.deviations: tuple[Deviation, ...] = apply(settings, OpenCvKnobs(capture))

    def read(self) -> NDArray[Any] | None:
        """The next frame; OpenCV may say that it has one and give nothing."""
        found, pixels = self._capture.read()
        return pixels if found and pixels is not None and pixels.size else None

    def release(self) -> None:
        """Give the camera back."""
        self._capture.release()


class OpenCvKnobs:
    """The settings of a capture in the station file's units."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def set(self, key: str, value: Value) -> None:
        """Ask the camera for it."""
        match key, value:
            case "pixel_format", str(name):
                self._capture.set(cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*name.ljust(4))))
            case _, str():
                self._set_automatic(key, on=True)
            case _, _:
                self._set_automatic(key, on=False)
                self._capture.set(_NUMBERS[key], value / _V4L2_EXPOSURE_US if key == "exposure_us" else value)

    def get(self, key: str) -> Value | None:
        """What the camera says it has."""
        if key == "pixel_format":
            code = int(self._capture.get(cv2.CAP_PROP_FOURCC))
            return code.to_bytes(4, "little", signed=False).decode("ascii", "replace").strip() if code > 0 else None
        if self._is_automatic(key):
            return "auto"
        value = self._capture.get(_NUMBERS[key])
        if value == _UNKNOWN:
            return None
        return value * _V4L2_EXPOSURE_US if key == "exposure_us" else value

    def _set_automatic(self, key: str, *, on: bool) -> None:
        match key:
            case "exposure_us" if on:
                for mode in _EXPOSURE_AUTO:
                    if self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, mode):
                        return
            case "exposure_us":
                self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _EXPOSURE_MANUAL)
            case "white_balance_k":
                self._capture.set(cv2.CAP_PROP_AUTO_WB, float(on))

    def _is_automatic(self, key: str) -> bool:
        match key:
            case "exposure_us":
                return self._capture.get(cv2.CAP_PROP_AUTO_EXPOSURE) in _EXPOSURE_AUTO
            case "white_balance_k":
                return self._capture.get(cv2.CAP_PROP_AUTO_WB) == 1.0
            case _:
                return False


def without_secrets(device: int | str) -> int | str:
    """The address of a network camera often holds its password, which journals, events and pictures must not pass on."""
    return re.sub(r"//[^/\s]*@", "//", device) if isinstance(device, str) else device


def is_url(device: int | str) -> bool:
    """Whether it is reached by a URL; a pipeline is written as one."""
    return isinstance(device, str) and "://" in device


def is_pipeline(device: int | str) -> bool:
    """Whether it is a pipeline of GStreamer."""
    return isinstance(device, str) and device.startswith(PIPELINE)
