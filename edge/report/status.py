"""The status message: who stands behind a topic, and whether it is there."""

from importlib.metadata import version
from typing import Literal

from pydantic import AwareDatetime

from edge.host.clock import Boot, utc_now
from edge.recipe.recipe import Recipe
from edge.report.wire import Message, Sha256, StationName

Ending = Literal["stopped", "connection lost"]


class StatusMessage(Message):
    """Whether a station is there. Retained, so that whoever comes later is told at once; `offline` is its last will, too."""

    format: Literal["goodpart.status/1"] = "goodpart.status/1"
    state: Literal["online", "offline"]
    reason: Literal[Ending, ""]
    """Why it is offline; empty while it is online."""

    boot_id: str
    """As in the results of the program that says it."""

    since_utc: AwareDatetime
    """When that program started."""

    version: str
    """Of goodpart."""

    recipe_name: str
    """As the line engineer called it."""

    recipe_id: Sha256
    """Of the recipe's manifest."""

    encoder_sha256: Sha256
    """Of the encoder's ONNX file."""

    station: StationName

    def judging_with(self, recipe: Recipe) -> "StatusMessage":
        """The same after another recipe has come into use."""
        return self.model_copy(
            update={
                "recipe_name": recipe.manifest.name,
                "recipe_id": recipe.id,
                "encoder_sha256": recipe.eye.encoder.card.onnx_sha256,
            }
        )

    def ended(self, reason: Ending) -> "StatusMessage":
        """What is said when this one is no longer true."""
        return self.model_copy(update={"state": "offline", "reason": reason})


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
