"""The station file's part about what asks for a part, beside time and commands."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from edge.host.listening import Guarded
from edge.strict import Place, Strict, Text


class MotionConfig(Strict):
    """A part that comes and stops. settle_s: for how long it must lie still.

    empty: a picture of the station without a part, so that an empty view is none. limit: grey levels by which a place must
    change to have moved; None: learned from the camera's own noise in the first `learn_s`.
    """

    settle_s: float = Field(default=0.3, ge=0, le=60)
    empty: Place | None = None
    limit: Annotated[float, Field(gt=0, le=255)] | None = None
    learn_s: float = Field(default=2.0, ge=0.2, le=60)


class HttpTriggerConfig(Guarded):
    """`POST /trigger`; where others can, it needs a token."""

    others_may: ClassVar[str] = "trigger"


class GpioConfig(Strict):
    """One input line of a GPIO chip (libgpiod). chip: name such as gpiochip0, or path; line: offset, or the line's name."""

    chip: Text
    line: Annotated[int, Field(ge=0, le=4095)] | Text
    edge: Literal["rising", "falling"] = "rising"
    bias: Literal["as_is", "pull_up", "pull_down", "disabled"] = "as_is"
    debounce_ms: float = Field(default=5.0, ge=0, le=1000)
