"""Pixels in, patch vectors out: the ONNX encoder on one or a few CPU threads."""

import copy
import hashlib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from edge.errors import BadEncoder
from edge.inspect.card import CARD_FILE, MODEL_FILE, EncoderCard
from edge.strict import load_json
from edge.types import PatchGrid, Pixels

DEFAULT_ENCODER = Path(__file__).parent.parent / "encoders" / "efficientnet-lite0-320-int8"
"""The encoder that ships with goodpart."""


def fit_size(pixels: Pixels, height: int, width: int, out: Pixels | None = None) -> Pixels:
    """Resize H×W×3 uint8 to height×width×3; areas are averaged to shrink and interpolated to enlarge.

    INTER_AREA enlarges in blocks, so it serves only where both sides shrink. `out`, if given, is filled and returned.
    """
    if pixels.shape[:2] == (height, width):
        if out is None:
            return pixels
        np.copyto(out, pixels)
        return out
    shrinks = pixels.shape[0] >= height and pixels.shape[1] >= width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), dst=out, interpolation=how), np.uint8)


class Encoder:
    """One opened encoder. Not thread-safe: the input buffer is reused from part to part.

    Attributes:
        buffer: height×width×3 uint8, what `encode` reads.

    Args:
        model: the bytes of encoder.onnx, whose hash has been checked by `read_encoder` or the recipe.
        card: what encoder.json says of them.
        threads: CPU threads for one picture.

    Raises:
        BadEncoder: the bytes are not what the card says, or ONNX Runtime refuses them.
    """

    def __init__(self, model: bytes, card: EncoderCard, threads: int = 1) -> None:
        if hashlib.sha256(model).hexdigest() != card.onnx_sha256:
            raise BadEncoder(f"encoder {card.name}: {MODEL_FILE} is not the file its card describes; export it again.")
        self.card = card
        self._session = _open(model, card, threads)
        self._check_shapes()
        self._input = _empty_input(card)
        self.buffer: Pixels = self._input[0]

    def twin(self) -> "Encoder":
        """The same encoder for another thread: sessions may run in several at once, buffers may not."""
        other = copy.copy(self)
        own = _empty_input(self.card)
        other.__dict__ |= {"_input": own, "buffer": own[0]}
        return other

    def __call__(self, pixels: Pixels) -> PatchGrid:
        """Encode one picture of any size, H×W×3 uint8 BGR."""
        fit_size(pixels, self.card.input.height, self.card.input.width, out=self.buffer)
        return self.encode()

    def encode(self) -> PatchGrid:
        """Encode what is in the buffer."""
        patches, embedding = self._session.run(["patches", "embedding"], {"image": self._input})
        return PatchGrid(patches[0], self.card.grid.rows, self.card.grid.cols, embedding[0])

    def _check_shapes(self) -> None:
        """The graph must have exactly the inputs and outputs of the contract, with the card's shapes."""
        grid, size = self.card.grid, self.card.input
        wanted = {
            "image": ("tensor(uint8)", [1, size.height, size.width, 3]),
            "patches": ("tensor(float)", [1, grid.rows * grid.cols, grid.patch_dim]),
            "embedding": ("tensor(float)", [1, grid.embedding_dim]),
        }
        nodes = [*self._session.get_inputs(), *self._session.get_outputs()]
        found = {node.name: (node.type, list(node.shape)) for node in nodes}
        if found != wanted:
            raise BadEncoder(f"encoder {self.card.name}: the graph has {found}, its card says {wanted}; export it again.")


def read_encoder(folder: Path) -> tuple[bytes, EncoderCard]:
    """The bytes of encoder.onnx and its card; the hash is compared when the Encoder is made.

    Raises:
        BadEncoder: a file is missing or the card is not one.
    """
    card = load_json(folder / CARD_FILE, EncoderCard, BadEncoder)
    try:
        return (folder / MODEL_FILE).read_bytes(), card
    except OSError as err:
        raise BadEncoder(f"{folder / MODEL_FILE}: cannot be read: {err.strerror}.") from None


def _empty_input(card: EncoderCard) -> NDArray[np.uint8]:
    """1×H×W×3."""
    return np.empty((1, card.input.height, card.input.width, 3), np.uint8)


def session_options(threads: int) -> ort.SessionOptions:
    """How a session computes on `threads` CPU threads of a box that it shares."""
    options = ort.SessionOptions()
    # Unset, ONNX Runtime pins threads to cores by itself, which fails in a sandbox.
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads sleep: the box is shared with capture and delivery.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _open(model: bytes, card: EncoderCard, threads: int) -> ort.InferenceSession:
    try:
        session = ort.InferenceSession(model, session_options(threads), providers=["CPUExecutionProvider"])
    except Exception as err:  # noqa: BLE001 - ONNX Runtime raises many classes with no other root
        first_line = str(err).splitlines()[0]
        raise BadEncoder(f"encoder {card.name}: ONNX Runtime cannot open it: {first_line}") from None
    if session.get_providers() != ["CPUExecutionProvider"]:
        raise BadEncoder(f"encoder {card.name}: ONNX Runtime chose {session.get_providers()} instead of the CPU.")
    return session
