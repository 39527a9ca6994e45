"""The encoder's card: `encoder.json` beside `encoder.onnx` says what it is, where it comes from and how it was proved."""

from typing import Literal

from pydantic import Field

from edge.strict import Strict, Time

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


Channels = tuple[float, float, float]
"""A number for each of the three colours."""


class PreparationCard(Strict):
    """What the graph does to a picture first: to `colour` order, then ``(value - mean) / std`` of values 0..255.

    mean, std: one number a channel, in the order of `colour`. origin: where they come from.
    """

    mean: Channels
    std: Channels
    colour: Literal["rgb", "bgr"]
    origin: str


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

    max_abs: largest absolute difference of a patch value; cosine: lowest cosine similarity of a patch vector; embedding_…:
    the same of the embedding.
    """

    pictures: int = Field(ge=1)
    max_abs: float = Field(ge=0)
    cosine: float = Field(ge=-1, le=1.000001)
    embedding_max_abs: float = Field(ge=0)
    embedding_cosine: float = Field(ge=-1, le=1.000001)


class TaskCard(Strict):
    """What the file changes in verdicts, compared with torch: see `export.task.TaskChange` for the definitions."""

    goods: int = Field(ge=1)
    defects: int = Field(ge=0)
    distance_median: float
    distance_p99: float
    spearman: float
    flipped: int = Field(ge=0)
    auroc_torch: float | None
    auroc_here: float | None


class LatencyCard(Strict):
    """Time of one picture on one thread as ratios to the ONNX file in FP32, and the CPU they were measured on."""

    cpu: str
    torch: float = Field(gt=0)
    shipped: float = Field(gt=0)


class CertificateCard(Strict):
    """The proof that the file still thinks as the torch module did.

    fp32: the ONNX graph before quantisation against torch; shipped: the file itself against torch; task: None when there
    were too few pictures to judge verdicts; reason: how the file's numbers were chosen, in words.
    """

    fp32: ParityCard
    shipped: ParityCard
    task: TaskCard | None
    latency: LatencyCard
    fp32_bytes: int = Field(ge=1)
    reason: str


class EncoderCard(Strict):
    """Everything a recipe or a device needs to know about an encoder before it opens it."""

    format: Literal["goodpart.encoder/1"] = CARD_SCHEMA
    name: str = Field(min_length=1, max_length=100)
    source: str
    weights_sha256: Sha256 = Field(pattern=SHA256_PATTERN)
    precision: Literal["fp32", "fp16", "int8"]
    profile: str
    input: InputCard
    preparation: PreparationCard
    taps: tuple[str, ...] = Field(min_length=1)
    grid: GridCard
    quantisation: QuantisationCard | None
    certificate: CertificateCard
    opset: int = Field(ge=7)
    onnx_sha256: Sha256 = Field(pattern=SHA256_PATTERN)
    onnx_bytes: int = Field(ge=1)
    reference_sha256: Sha256 = Field(pattern=SHA256_PATTERN)
    made_utc: Time
    made_with: dict[str, str]
