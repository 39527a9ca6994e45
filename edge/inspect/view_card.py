"""What part of the picture the encoder sees, as it stands in the recipe: region of interest, alignment, tiles."""

from typing import Literal

from pydantic import Field, model_validator

from edge.strict import Strict

REFERENCE_FILE: Literal["reference.png"] = "reference.png"
"""The good part with which others are aligned: 8-bit grey, as large as the camera's pictures."""

AlignmentMethod = Literal["template", "keypoints"]


class RoiCard(Strict):
    """A region of interest in pixels of the picture; with alignment, of the reference picture."""

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)

    def inside(self, width: int, height: int) -> bool:
        """Whether the region lies within a picture of this size."""
        return self.x + self.width <= width and self.y + self.height <= height


class PictureCard(Strict):
    """The size in pixels that every picture has."""

    width: int = Field(ge=1, le=65535)
    height: int = Field(ge=1, le=65535)


class TilesCard(Strict):
    """How many pictures of the encoder's size lie side by side, each over its neighbour by `overlap` pixels of its input."""

    rows: int = Field(default=1, ge=1, le=8)
    cols: int = Field(default=1, ge=1, le=8)
    overlap: int = Field(default=0, ge=0, le=4096)

    @model_validator(mode="after")
    def _overlaps_with_something(self) -> "TilesCard":
        if self.rows == self.cols == 1 and self.overlap:
            raise ValueError("overlap: a single tile overlaps with nothing; leave it at 0")
        return self

    def canvas_size(self, input_height: int, input_width: int) -> tuple[int, int]:
        """Height and width in pixels of what all tiles cover together."""
        return (
            self.rows * input_height - (self.rows - 1) * self.overlap,
            self.cols * input_width - (self.cols - 1) * self.overlap,
        )


class AlignmentCard(Strict):
    """How a part that moves is found, and how far it may be from where the reference shows it.

    The limits hold for the region of interest: how far its centre moves, how far it turns there, the least and the largest
    magnification in any direction at its corners, the share of it that may lie outside the picture, and the least
    correlation with the reference.
    """

    method: AlignmentMethod
    reference: Literal["reference.png"] = REFERENCE_FILE
    largest_shift_px: float = Field(gt=0)
    largest_rotation_deg: float = Field(gt=0, le=180)
    scale_min: float = Field(gt=0, le=1)
    scale_max: float = Field(ge=1)
    largest_outside: float = Field(ge=0, lt=1)
    least_agreement: float = Field(gt=0, lt=1)


class ViewCard(Strict):
    """What the encoder sees. `picture` is None where pictures may differ in size: then the whole picture is seen."""

    picture: PictureCard | None = None
    roi: RoiCard | None = None
    alignment: AlignmentCard | None = None
    tiles: TilesCard = TilesCard()

    @model_validator(mode="after")
    def _has_a_size_to_lie_in(self) -> "ViewCard":
        if self.picture is None:
            if self.roi or self.alignment:
                raise ValueError("picture: a region of interest and alignment need the size of the pictures")
        elif self.roi and not self.roi.inside(self.picture.width, self.picture.height):
            raise ValueError(f"roi: reaches beyond the {self.picture.width}×{self.picture.height} pixels of the picture")
        return self

    def box(self) -> RoiCard | None:
        """The region of interest, the whole picture where there is none, None where its size is not fixed."""
        if self.roi or self.picture is None:
            return self.roi
        return RoiCard(x=0, y=0, width=self.picture.width, height=self.picture.height)
