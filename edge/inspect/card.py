"""The encoder's card: `encoder.json` beside `encoder.onnx` says what it is, where it comes from and how it was proved."""

from typing import Literal

from pydantic import AwareDatetime, Field

from edge.strict import Strict

CARD_SCHEMA: Literal["goodpart.encoder/1"] = "goodpart.encoder/1"
MODEL_FILE = "encoder.onnx"
CARD_FILE = "encoder.json"

Sha256 = str
"""64 lower-case hexadecimal digits."""

SHA256_PATTERN = r"^[0-9a-f]{64}$"


class InputCard(Strict):
    """The one input `image`: uint8 1×height×width×3, channels BGR, exactly as OpenCV gives it after a resize."""

    height: int = Field(ge=32, le=4096)
    width: int = Field(ge=32, le=4096)


class GridCard(Strict):
    """The outputs: `patches` float32 1×(rows·cols)×patch_dim and `embedding` float32 1×embedding_dim."""

    rows: int = Field(ge=1, le=1024)
    cols: int = Field(ge=1, le=1024)
    patch_dim: int = Field(ge=1, le=8192)
    embedding_dim: int = Field(ge=1, le=65536)


class QuantisationCard(Strict):
    """How FP32 became INT8."""

    method: str
    weights: str
    activations: str
    per_channel: bool
    reduce_range: bool
    pictures: int = Field(ge=1)


class ParityCard(Strict):
    """How far an ONNX output lies from the torch module's on the same pictures, at worst.

    max_abs: largest absolute difference; cosine: lowest cosine similarity of a patch vector.
    """

    pictures: int = Field(ge=1)
    max_abs: float = Field(ge=0)
    cosine: float = Field(ge=-1, le=1.000001)


class EncoderCard(Strict):
    """Everything a recipe or a device needs to know about an encoder before it opens it."""

    format: Literal["goodpart.encoder/1"] = CARD_SCHEMA
    name: str = Field(min_length=1, max_length=100)
    source: str
    weights_sha256: Sha256 = Field(pattern=SHA256_PATTERN)
    precision: Literal["fp32", "int8"]
    input: InputCard
    grid: GridCard
    quantisation: QuantisationCard | None
    parity: ParityCard
    opset: int = Field(ge=7)
    onnx_sha256: Sha256 = Field(pattern=SHA256_PATTERN)
    onnx_bytes: int = Field(ge=1)
    made_utc: AwareDatetime
    made_with: dict[str, str]
