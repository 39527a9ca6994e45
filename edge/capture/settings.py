"""What a camera is told at each opening, and whether it took that."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import Field

from edge.strict import Strict, Text

Auto = Literal["auto"]
Value = float | str

_TOLERANCE = 0.05
"""Share by which a number may be off: drivers round to what the sensor can do, V4L2 to steps of 100 µs. An exposure 5 % off
moves brightness by 5 %, well inside what the goods of a recipe differ by."""


class SettingsConfig(Strict):
    """What is left out stays as the camera has it. exposure_us: microseconds; gain: the camera's own unit (dB with GenICam).

    white_balance_k: kelvin; pixel_format: a FOURCC such as MJPG with V4L2, a PFNC name such as Mono8 with GenICam.
    """

    pixel_format: Text | None = None
    width: Annotated[int, Field(ge=1, le=65535)] | None = None
    height: Annotated[int, Field(ge=1, le=65535)] | None = None
    fps: Annotated[float, Field(gt=0, le=10_000)] | None = None
    exposure_us: Annotated[float, Field(gt=0, le=60_000_000)] | Auto | None = None
    gain: Annotated[float, Field(ge=0, le=100_000)] | Auto | None = None
    white_balance_k: Annotated[float, Field(ge=1000, le=20_000)] | Auto | None = None

    def wished(self) -> Iterator[tuple[str, Value]]:
        """Key and value of each that is given, in the order in which a camera must be told: format and size come first."""
        for key in SettingsConfig.model_fields:
            value: Value | None = getattr(self, key)
            if value is not None:
                yield key, value


@dataclass(frozen=True, slots=True)
class Deviation:
    """A setting that a camera did not take. real: None where the camera does not know it."""

    key: str
    wished: Value
    real: Value | None

    def __str__(self) -> str:
        """In words, with the key as in the station file."""
        real = "the camera does not know it" if self.real is None else f"the camera has {_plain(self.real)}"
        return f"settings.{self.key}: wished {_plain(self.wished)}, {real}"


def in_words(deviations: tuple[Deviation, ...]) -> str:
    """All settings that a camera did not take."""
    return "; ".join(map(str, deviations))


class Knobs(Protocol):
    """A camera's settings by the keys of `SettingsConfig`, in their units."""

    def set(self, key: str, value: Value) -> None:
        """Ask the camera for it; it need not obey."""

    def get(self, key: str) -> Value | None:
        """What the camera says it has; None: it does not know the setting."""


def apply(settings: SettingsConfig, knobs: Knobs) -> tuple[Deviation, ...]:
    """Tell the camera everything, then read everything back, since one setting may change another."""
    wishes = tuple(settings.wished())
    for key, value in wishes:
        knobs.set(key, value)
    return tuple(deviations(wishes, knobs.get))


def deviations(wishes: tuple[tuple[str, Value], ...], get: Callable[[str], Value | None]) -> Iterator[Deviation]:
    """Those whose real value is another, numbers by more than 5 %; sizes must be equal."""
    for key, wished in wishes:
        real = get(key)
        if not _agree(key, wished, real):
            yield Deviation(key, wished, real)


def _agree(key: str, wished: Value, real: Value | None) -> bool:
    if real is None or isinstance(wished, str) or isinstance(real, str):
        return wished == real
    exact = key in {"width", "height"}
    return wished == real if exact else abs(real - wished) <= _TOLERANCE * abs(wished)


def _plain(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:.10g}"
