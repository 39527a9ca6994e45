"""The status message: who stands behind a topic, and whether it is there."""

from importlib.metadata import version
from typing import Literal

from pydantic import AwareDatetime

from edge.host.clock import Boot, utc_now
from edge.recipe.recipe import Recipe
from edge.report.message import StationName
from edge.strict import Strict

Ending = Literal["stopped", "connection lost"]


class StatusMessage(Strict):
    """Retained beside the results. since_utc: when this boot began; reason: why it is offline, empty while it is online."""

    format: Literal["goodpart.status/1"] = "goodpart.status/1"
    state: Literal["online", "offline"]
    reason: Literal[Ending, ""]
    boot_id: str
    since_utc: AwareDatetime
    version: str
    recipe_name: str
    recipe_id: str
    encoder_sha256: str
    station: StationName

    def ended(self, reason: Ending) -> "StatusMessage":
        """What is said when this one is no longer true."""
        return self.model_copy(update={"state": "offline", "reason": reason})

    def to_wire(self) -> bytes:
        """UTF-8 JSON on one line."""
        return self.model_dump_json().encode()


def make_status(station: StationName, recipe: Recipe, boot: Boot) -> StatusMessage:
    """What this boot says of itself when it is connected."""
    return StatusMessage(
        state="online",
        reason="",
        boot_id=boot.id,
        since_utc=utc_now(),
        version=version("goodpart"),
        recipe_name=recipe.manifest.name,
        recipe_id=recipe.id,
        encoder_sha256=recipe.eye.encoder.card.onnx_sha256,
        station=station,
    )
