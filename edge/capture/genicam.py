"""GenICam cameras through `harvesters`: any camera whose maker gives a GenTL producer, a .cti file."""

import importlib.util
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.capture.settings import Deviation, SettingsConfig, Value, apply
from edge.capture.stream import Traits
from edge.errors import BadConfig, CameraLost

_BUFFERS = 4
"""The producer fills one while the newest is read; the others keep it from ever waiting for us."""

_AT_ONCE_S = 1e-6
"""Zero would mean for ever."""

_COLOURS: dict[str, int | None] = {
    "Mono8": None,
    "BGR8": None,
    "RGB8": cv2.COLOR_RGB2BGR,
    "BayerRG8": cv2.COLOR_BayerRGGB2BGR,
    "BayerGR8": cv2.COLOR_BayerGRBG2BGR,
    "BayerGB8": cv2.COLOR_BayerGBRG2BGR,
    "BayerBG8": cv2.COLOR_BayerBGGR2BGR,
}
"""Pixel formats by their names in the Pixel Format Naming Convention, and what makes BGR of them. OpenCV's names with four
letters say the order of the first two rows, as the convention's do."""

_CHANNELS = {"BGR8": 3, "RGB8": 3}

_NODES = {
    "pixel_format": "PixelFormat",
    "width": "Width",
    "height": "Height",
    "fps": "AcquisitionFrameRate",
    "exposure_us": "ExposureTime",
    "gain": "Gain",
}
"""Names of the Standard Features Naming Convention. White balance has none in kelvin."""

_AUTO_NODES = {"exposure_us": "ExposureAuto", "gain": "GainAuto", "white_balance_k": "BalanceWhiteAuto"}
_ON, _OFF = "Continuous", "Off"


class GenicamCamera:
    """A camera of one producer. The newest frame only: older ones in the producer's buffers are handed back unread.

    Args:
        producer: the .cti file; it and the camera's driver come from the camera's maker.
        serial: the camera's serial number; None where the producer sees one camera only.
        timeout_s, frozen_frames: as in `Traits`.
        settings: set at each opening and read back, by the names of GenICam's standard features.

    Raises:
        BadConfig: harvesters is not installed, or the producer's file is not there.
    """

    def __init__(
        self,
        producer: Path,
        serial: str | None,
        timeout_s: float,
        settings: SettingsConfig | None = None,
        frozen_frames: int | None = None,
    ) -> None:
        if importlib.util.find_spec("harvesters") is None:
            raise BadConfig("source.kind: genicam needs harvesters: install 'goodpart[genicam]'.")
        if not producer.is_file():
            raise BadConfig(
                f"source.producer: {producer} is not there; install the camera maker's GenTL producer and name it."
            )
        self._producer, self._serial, self._settings = producer, serial, settings or SettingsConfig()
        self.traits = Traits(f"genicam {serial or producer.name}", timeout_s, frozen_frames)

    def open(self) -> "GenicamStream":
        """Open it, tell it its settings and start it.

        Raises:
            CameraLost: the producer cannot be loaded or sees no such camera, or the camera's pixel format is none that can
                be judged.
        """
        # An extra: not every station has such a camera.
        from genicam.genapi import GenericException as NodeError  # noqa: PLC0415
        from genicam.gentl import GenericException as TransportError  # noqa: PLC0415
        from harvesters.core import Harvester  # noqa: PLC0415

        harvester = Harvester()
        try:
            harvester.add_file(str(self._producer))
            harvester.update()
            device = self._find(harvester)
            return GenicamStream(harvester, harvester.create(device), self._settings, self.traits.timeout_s)
        except CameraLost:
            harvester.reset()
            raise
        except (TransportError, NodeError, OSError, ValueError, RuntimeError) as err:
            harvester.reset()
            raise CameraLost(f"camera {self.traits.name} cannot be opened: {_first_line(err)}") from None

    def _find(self, harvester: Any) -> int:  # noqa: ANN401 - harvesters ships no types
        serials = [str(info.serial_number) for info in harvester.device_info_list]
        if not serials:
            raise CameraLost(f"{self._producer} sees no camera; is it plugged in, and does another program have it?")
        if self._serial is None and len(serials) > 1:
            raise CameraLost(f"{self._producer} sees cameras {', '.join(serials)}; name one with source.serial")
        if self._serial is None:
            return 0
        if self._serial not in serials:
            raise CameraLost(f"{self._producer} sees no camera {self._serial}, but {', '.join(serials)}")
        return serials.index(self._serial)


class GenicamStream:
    """A started camera."""

    def __init__(self, harvester: Any, acquirer: Any, settings: SettingsConfig, timeout_s: float) -> None:  # noqa: ANN401
        self._harvester, self._acquirer, self._timeout_s = harvester, acquirer, timeout_s
        try:
            nodes = acquirer.remote_device.node_map
            self.deviations: tuple[Deviation, ...] = apply(settings, NodeKnobs(nodes))
            _require_known(nodes.PixelFormat.value)
            acquirer.num_buffers = max(_BUFFERS, acquirer.min_num_buffers)
            acquirer.start()
        except Exception:
            # Whatever went wrong, the camera must be free for the next try.
            acquirer.destroy()
            raise

    def read(self) -> NDArray[Any] | None:
        """The newest frame, H×W or H×W×3, as a copy: its buffer is the producer's again at once.

        Raises:
            CameraLost: none comes in the camera's time.
        """
        from genicam.gentl import GenericException, TimeoutException  # noqa: PLC0415 - as in `GenicamCamera.open`

        try:
            buffer = self._acquirer.fetch(timeout=self._timeout_s)
            for _ in range(_BUFFERS):
                if (newer := self._acquirer.try_fetch(timeout=_AT_ONCE_S)) is None:
                    break
                buffer.queue()
                buffer = newer
            try:
                return picture(buffer.payload.components[0])
            finally:
                buffer.queue()
        except TimeoutException:
            raise CameraLost(f"no frame within {self._timeout_s:g} s") from None
        except GenericException as err:
            raise CameraLost(_first_line(err)) from None

    def release(self) -> None:
        """Stop and free it."""
        self._acquirer.destroy()
        self._harvester.reset()


class Component(Protocol):
    """What is used of harvesters' Component2DImage. data: the pixels in a row."""

    @property
    def width(self) -> int:
        """In pixels."""

    @property
    def height(self) -> int:
        """In pixels."""

    @property
    def data_format(self) -> str:
        """By the Pixel Format Naming Convention."""

    @property
    def data(self) -> NDArray[Any]:
        """All of them, row by row."""


def picture(component: Component) -> NDArray[Any]:
    """A frame in memory of its own: H×W grey or H×W×3 BGR uint8; deeper ones keep their depth, and are then not judged.

    Raises:
        CameraLost: a pixel format that cannot be taken apart.
    """
    name, height, width = component.data_format, component.height, component.width
    if component.data.dtype != np.uint8:
        return component.data.reshape(height, width, -1).copy()
    _require_known(name)
    channels = _CHANNELS.get(name)
    pixels = component.data.reshape((height, width, channels) if channels else (height, width))
    code = _COLOURS[name]
    return pixels.copy() if code is None else cv2.cvtColor(pixels, code)


class NodeKnobs:
    """The settings of a node map in the station file's units."""

    def __init__(self, nodes: Any) -> None:  # noqa: ANN401 - harvesters ships no types
        self._nodes = nodes

    def set(self, key: str, value: Value) -> None:
        """Ask the camera for it; what it does not know or forbids is told by what is read back."""
        if key in _AUTO_NODES:
            self._write(_AUTO_NODES[key], _ON if value == "auto" else _OFF)
        if key == "fps":
            self._write("AcquisitionFrameRateEnable", value=True)
        if key in _NODES and value != "auto":
            self._write(_NODES[key], value)

    def get(self, key: str) -> Value | None:
        """What the camera says it has."""
        if key in _AUTO_NODES and self._read(_AUTO_NODES[key]) not in {None, _OFF}:
            return "auto"
        return self._read(_NODES[key]) if key in _NODES else None

    def _write(self, name: str, value: Value | bool) -> None:
        from genicam.genapi import GenericException  # noqa: PLC0415 - as in `GenicamCamera.open`

        node = getattr(self._nodes, name, None)
        if node is None:
            return
        try:
            node.value = round(value) if name in {"Width", "Height"} and not isinstance(value, str) else value
        except (GenericException, TypeError):
            return

    def _read(self, name: str) -> Value | None:
        from genicam.genapi import GenericException  # noqa: PLC0415 - as in `GenicamCamera.open`

        node = getattr(self._nodes, name, None)
        try:
            value = None if node is None else node.value
        except GenericException:
            return None
        return float(value) if isinstance(value, int | float) else value


def _require_known(name: str) -> None:
    if name not in _COLOURS:
        raise CameraLost(f"the camera's pixel format is {name}; set settings.pixel_format to one of {', '.join(_COLOURS)}")


def _first_line(err: Exception) -> str:
    return (str(err).splitlines() or [type(err).__name__])[0].rstrip(".")
